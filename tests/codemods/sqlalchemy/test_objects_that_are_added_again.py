"""Owners that a session gets again, after items that they hold were deleted."""

from __future__ import annotations

import pytest
from applications_of_rows import applications, differences_of, result_of

ROWS = {
    "items_deleted_by_a_statement": """\
user = db.get(User, key)
db.query(Order).filter_by(user_id=key).delete()
user.name = "x"
db.add(user)
db.commit()
return user
""",
    "an_item_deleted_and_committed": """\
user = db.get(User, key)
db.delete(db.get(Order, key))
db.commit()
user.name = "x"
return store(db, user)
""",
    "an_item_deleted_and_flushed": """\
user = db.get(User, key)
db.delete(db.get(Order, key))
db.flush()
user.name = "x"
db.add(user)
db.commit()
return user
""",
    "an_item_deleted_by_a_helper": """\
user = db.get(User, key)
remove(db, db.get(Order, key))
user.name = "x"
db.add(user)
db.commit()
return user
""",
    "items_deleted_in_a_loop": """\
user = db.get(User, key)
for order in db.query(Order).filter_by(user_id=key).all():
    user.name = order.title
    store(db, user)
    db.delete(order)
return user
""",
}
TEXTS = applications(
    {name: ("UserOrdersOut", body) for name, body in ROWS.items()}, {"an_item_deleted_and_flushed"}
)
OTHERS = {
    "not_flushed": """\
user = db.get(User, key)
db.delete(db.get(Order, key))
db.add(user)
db.commit()
return user
""",
    "not_deleted_before": """\
user = db.get(User, key)
db.add(user)
db.commit()
db.delete(db.get(Order, key))
return user
""",
    "new": """\
db.query(Order).filter_by(user_id=key).delete()
user = User(name="x")
db.add(user)
db.commit()
return user
""",
}
CHILD = """

def first_of(db: Session, user: User):
    Order(title="x", amount=1, user=user)
    return user
"""


@pytest.fixture(scope="module")
def result():
    return result_of(TEXTS)


@pytest.mark.parametrize("name", ROWS)
def test_an_owner_is_added_only_if_its_session_lacks_it(name, result, tmp_path):
    assert differences_of(name, TEXTS[name], result, tmp_path) == []
    after = result.files[f"{name}.py"].decode()
    assert "if user not in db:\n" in after or "if row not in db:\n" in after


@pytest.mark.parametrize("name", OTHERS)
def test_an_owner_is_added_as_before_where_no_deleted_item_is_held(name, tmp_path):
    texts = applications({name: ("UserOrdersOut", OTHERS[name])}, {"not_flushed"})
    result = result_of(texts)

    assert differences_of(name, texts[name], result, tmp_path) == []
    assert " not in db:" not in result.files[f"{name}.py"].decode()


def test_it_is_said_where_a_new_item_may_be_added_with_its_owner():
    name = "items_deleted_by_a_statement"
    result = result_of({name: TEXTS[name].replace("\n\n@app", CHILD + "\n\n@app")})

    assert " not in db:" not in result.files[f"{name}.py"].decode()
    (said,) = [one.message for one in result.report.findings if "`endpoint0`" in one.message]
    assert "`db.add(user)` fails if `user.orders` has deleted items" in said
