"""What endpoints do with objects that were written: both sides answer the same, row by row."""

from __future__ import annotations

import pytest
from applications_of_rows import application, applications, differences_of, result_of
from compared_applications import SAID, migrated

ROWS = {
    "a1_deleted_and_committed": (
        "UserOrdersOut",
        """\
user = db.get(User, key)
db.delete(user)
db.commit()
return user
""",
    ),
    "a1_deleted_and_flushed": (
        "UserOrdersOut",
        """\
user = db.get(User, key)
db.delete(user)
db.flush()
return user
""",
    ),
    "a1_deleted_under_a_condition": (
        "UserOrdersOut",
        """\
user = db.get(User, key)
if flag:
    db.delete(user)
db.commit()
return user
""",
    ),
    "a1_expunged": (
        "",
        """\
user = db.get(User, key)
x = len(user.orders)
db.expunge(user)
db.commit()
return len(user.orders)
""",
    ),
    "a1_deleted_by_a_helper": (
        "UserOrdersOut",
        """\
user = db.get(User, key)
return remove(db, user)
""",
    ),
    "a1_closed": (
        "",
        """\
user = db.get(User, key)
x = len(user.orders)
db.commit()
db.close()
return user.name if flag else 1
""",
    ),
    "a1_deleted_by_a_statement": (
        "",
        """\
user = db.get(User, key)
db.query(User).filter(User.id == key).delete()
db.commit()
return {"d": True}
""",
    ),
    "a1_parts_are_deleted": (
        "UserOrdersOut",
        """\
user = db.get(User, key)
for one in list(user.orders):
    db.delete(one)
db.commit()
return user
""",
    ),
    "savepoint_ended_by_an_exception": (
        "UserOrdersOut",
        """\
user = db.get(User, key)
try:
    with db.begin_nested():
        user.name = "changed"
        db.flush()
        raise ValueError
except ValueError:
    pass
return user
""",
    ),
    "savepoint_read_by_the_handler": (
        "",
        """\
user = db.get(User, key)
try:
    with db.begin_nested():
        user.name = "changed"
        db.flush()
        user.name = None
        db.flush()
except IntegrityError:
    return [user.name, len(user.orders)]
""",
    ),
    "savepoint_of_each_item": (
        "",
        """\
user, names = db.get(User, key), []
for number in (1, 10, 2, 11):
    try:
        with db.begin_nested():
            user.name += "!"
            db.add(Tag(id=number, name=f"n{number}"))
    except IntegrityError:
        names.append(user.name)
return [names, user.name, len(user.orders)]
""",
    ),
    "savepoint_of_a_helper": (
        "",
        """\
user = db.get(User, key)
is_kept = renamed(db, user)
return [is_kept, user.name, [one.title for one in user.orders]]
""",
    ),
    "savepoint_that_is_released": (
        "",
        """\
user = db.get(User, key)
count = len(user.orders)
db.add(Order(title="other", amount=8, user_id=user.id))
with db.begin_nested():
    user.name = "nested"
return [user.name, len(user.orders)]
""",
    ),
    "savepoint_of_a_name": (
        "",
        """\
user = db.get(User, key)
savepoint = db.begin_nested()
user.name = "changed"
user.orders.append(Order(title="x", amount=1))
db.flush()
savepoint.rollback()
return [user.name, len(user.orders)]
""",
    ),
    "rollback_and_a_response_two_deep": (
        "TeamUsersOut",
        """\
team = db.get(Team, 1)
seen = [len(user.orders) for user in team.users]
db.rollback()
return team
""",
    ),
    "rollback_and_an_order_two_deep": (
        "OrderUserOut",
        """\
order = db.get(Order, key)
order.title = "changed"
db.flush()
db.rollback()
return order
""",
    ),
    "rollback_and_a_schema_two_deep": (
        "",
        """\
team = db.get(Team, 1)
db.rollback()
return TeamUsersOut.model_validate(team)
""",
    ),
    "ways_back_of_an_item": (
        "OrderUserOut | None",
        """\
user = db.get(User, key)
return user.orders[0] if user.orders else None
""",
    ),
    "ways_back_of_all_items": (
        "list[OrderUserOut]",
        """\
return db.get(User, key).orders
""",
    ),
    "ways_back_of_a_helper": (
        "OrderUserOut | None",
        """\
return first_order(db, key)
""",
    ),
    "ways_back_of_a_dictionary": (
        "dict[str, OrderUserOut | None]",
        """\
orders = db.scalars(select(User).where(User.id == key)).one().orders
return {"last": orders[-1] if orders else None}
""",
    ),
    "ways_back_two_deep": (
        "list[OrderUserOut]",
        """\
team = db.get(Team, 1)
return [one for user in team.users for one in user.orders]
""",
    ),
    "a2_append_to_what_a_generic_helper_made": (
        "",
        """\
user = get_or_make(db, User, name="rep")
try:
    user.orders.append(Order(title="d", amount=1))
    db.commit()
except Exception:
    db.rollback()
return {"n": user.name}
""",
    ),
    "a2_assign_to_what_autoflush_wrote": (
        "",
        """\
user = User(name="n")
db.add(user)
db.query(Order).all()
user.orders = [Order(title="d", amount=1)]
db.commit()
return {"n": user.name}
""",
    ),
    "a2_append_tags": (
        "",
        """\
user = get_or_make(db, User, name="rep2")
user.tags.append(db.get(Tag, 1))
db.commit()
return [one.name for one in user.tags]
""",
    ),
    "a2_append_to_new_items": (
        "",
        """\
team = Team(name="t")
team.users.append(User(name="a"))
db.add(team)
db.commit()
for one in team.users:
    one.orders.append(Order(title="z", amount=1))
db.commit()
return [len(one.orders) for one in team.users]
""",
    ),
    "a2_append_after_a_flush": (
        "",
        """\
user = User(name="n")
db.add(user)
db.flush()
if flag:
    user.tags.append(db.get(Tag, 1))
user.orders.append(Order(title="d", amount=1))
db.commit()
return {"n": user.name, "o": len(user.orders)}
""",
    ),
    "a2_extend_what_a_helper_stored": (
        "",
        """\
user = store(db, User(name="n"))
user.orders.extend([Order(title="d", amount=1)])
db.commit()
return {"n": len(user.orders)}
""",
    ),
    "a2_a_set_of_what_is_not_stored": (
        "",
        """\
user = User(name="n")
user.marks = set()
user.marks.add(key)
db.flush()
return [user.name, len(user.orders), len(user.marks)]
""",
    ),
    "a8_all_rows": (
        "",
        """\
return db.query(User).all()
""",
    ),
    "a8_one_row": (
        "",
        """\
user = db.get(User, key)
return user
""",
    ),
    "a8_a_new_row": (
        "",
        """\
user = User(name="x")
db.add(user)
db.commit()
return user
""",
    ),
    "a8_a_row_in_a_dictionary": (
        "",
        """\
return {"user": db.get(User, key)}
""",
    ),
    "a9_key_set_and_committed": (
        "",
        """\
order = db.get(Order, key)
order.user_id = 3
db.commit()
return [one.title for one in order.user.orders]
""",
    ),
    "a9_key_set_and_read_by_helpers": (
        "",
        """\
order = db.get(Order, key)
before = order.user.name
order.user_id = 3
db.commit()
return [before, owner_name(order), owner_orders(order)]
""",
    ),
    "a9_key_set_and_refreshed": (
        "",
        """\
order = db.get(Order, key)
order.user_id = 2
db.commit()
db.refresh(order)
return [one.title for one in order.user.orders]
""",
    ),
    "a9_key_set_and_answered": (
        "OrderUserOut",
        """\
order = db.get(Order, key)
order.user_id = 2
db.commit()
return order
""",
    ),
    "a9_key_set_by_name": (
        "OrderUserOut",
        """\
order = db.get(Order, key)
setattr(order, "user_id", 2)
db.commit()
return order
""",
    ),
    "a12_the_same_statement": (
        "",
        """\
users = db.scalars(select(User).order_by(User.id)).all()
names = [one.name for one in users]
db.execute(text("update users set name = name || 'x'"))
db.commit()
again = db.scalars(select(User).order_by(User.id)).all()
return [names, [one.name for one in again]]
""",
    ),
    "a12_another_session": (
        "",
        """\
user = db.get(User, key)
with engine.begin() as connection:
    pass
db.commit()
other = SessionLocal()
row = other.get(User, key)
row.name = "else"
other.commit()
other.close()
again = db.scalars(select(User).where(User.id == key)).one()
return [user.name, again.name]
""",
    ),
    "a12_not_synchronized": (
        "",
        """\
user = db.get(User, key)
db.query(User).filter(User.id == key).update({"name": "up"}, synchronize_session=False)
db.commit()
again = db.query(User).filter(User.id == key).first()
return [user is again, again.name]
""",
    ),
    "a12_get": (
        "",
        """\
user = db.get(User, key)
seen = user.name
with engine.begin() as connection:
    connection.execute(text("update users set name = 'raw' where id = 1"))
db.commit()
again = db.get(User, key)
return [seen, again.name]
""",
    ),
    "a12_a_class_without_relationships": (
        "",
        """\
tag = db.get(Tag, 1)
seen = tag.name
db.execute(text("update tags set name = name || 'r' where id = 1"))
db.commit()
again = db.scalars(select(Tag).where(Tag.id == 1)).one()
return [seen, again.name, tag.name]
""",
    ),
    "a12_get_after_a_rollback": (
        "",
        """\
user = db.get(User, key)
seen = user.name
db.rollback()
with engine.begin() as connection:
    connection.execute(text("update users set name = name || 'x'"))
return [seen, db.get(User, key).name]
""",
    ),
    "a12_each_time": (
        "",
        """\
names, held = [], []
for number in range(3):
    users = db.query(User).order_by(User.id).all()
    held.append(users)
    names.append([one.name for one in users])
    db.execute(text("update users set name = name || 'x'"))
    db.commit()
return names
""",
    ),
    "a12_rows_of_two_classes": (
        "",
        """\
order = db.get(Order, 1)
seen = order.user.name
db.execute(text("update users set name = name || 'x'"))
db.commit()
rows = db.query(Order, User).join(User, Order.user_id == User.id).order_by(Order.id).all()
return [seen, [[one.title, other.name] for one, other in rows]]
""",
    ),
    "a12_the_table_between": (
        "",
        """\
user = db.get(User, key)
seen = [one.name for one in user.tags]
db.execute(user_tags.delete())
db.commit()
again = db.scalars(select(User).where(User.id == key)).one()
return [seen, [one.name for one in again.tags]]
""",
    ),
    "a12_changed_by_hand_as_well": (
        "",
        """\
user = db.get(User, key)
db.commit()
with engine.begin() as connection:
    connection.execute(text("update users set name = name || 'x'"))
user.team_id = 2
names = [one.name for one in db.scalars(select(User).order_by(User.id)).all()]
db.commit()
return [names, user.team_id, user.name]
""",
    ),
    "a13_add_and_read": (
        "",
        """\
user = db.get(User, key)
db.add(Order(title="x", amount=1, user_id=key))
return [one.title for one in user.orders]
""",
    ),
    "a13_assign_and_flush": (
        "",
        """\
order = db.get(Order, key)
order.user = db.get(User, 2)
db.flush()
return [one.title for one in order.user.orders]
""",
    ),
    "a13_add_all_and_sum": (
        "",
        """\
user = db.get(User, key)
db.add_all([Order(title="x", amount=1, user_id=key)])
total = sum(one.amount for one in user.orders)
db.commit()
return total
""",
    ),
    "a13_delete_and_read": (
        "",
        """\
user = db.get(User, key)
order = db.get(Order, 4)
db.delete(order)
return [len(user.orders), len(db.get(User, 3).orders)]
""",
    ),
    "a16_by_the_mapper": (
        "",
        """\
return everything(db.get(User, key))
""",
    ),
    "expired_between_two_reads": (
        "",
        """\
user = db.get(User, key)
order = Order(title="d", amount=1, user_id=key)
db.add(order)
db.flush()
before = len(user.orders)
db.expire(user)
return [before, len(user.orders), user.name]
""",
    ),
    "set_between_two_reads": (
        "",
        """\
order = db.get(Order, key)
db.query(User).filter(User.id == order.user_id).update({"name": "changed"})
before = order.user.name
order.user = User(name="other")
db.flush()
db.expire(order)
return [before, order.user.name]
""",
    ),
    "a16_by_the_mapper_two_deep": (
        "",
        """\
return deep(db.get(User, key))
""",
    ),
}

TEXTS = applications(ROWS)


@pytest.fixture(scope="module")
def result():
    return result_of(TEXTS)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.slow
def test_a_row_is_as_it_was(name, result, tmp_path):
    # A commit had left nothing of a row that is returned as it is: the report says so.
    announced = {"0"} if name == "a8_a_new_row" else ()

    assert differences_of(name, TEXTS[name], result, tmp_path, announced) == []
    said = [one.message for one in result.report.findings if one.place.path == f"{name}.py"]
    assert not announced or any(SAID in one for one in said)


def test_a_session_that_keeps_objects_reads_nothing_again():
    text = application(ROWS["a9_key_set_and_answered"], ", expire_on_commit=False")
    result = migrated({"shop.py": text})

    after = result.files["shop.py"].decode()
    assert "refresh(order, attribute_names" not in after[after.index("@app.post") :]


def test_a_persistent_object_is_refreshed_without_a_condition():
    result = migrated({"shop.py": application(ROWS["a9_key_set_and_answered"])})

    after = result.files["shop.py"].decode()
    assert ".persistent" not in after[after.index("@app.post") :]


def test_a_file_may_have_another_inspect(tmp_path):
    name, imported = "another_inspect", "from sqlalchemy import inspect as inspected"
    body = (
        "user = db.get(User, key)\ndb.query(Order).filter_by(user_id=key).delete()\nreturn user\n"
    )
    plain = application(("UserOrdersOut", body))
    assert imported in plain
    text = plain.replace(
        imported, "import inspect\n\nfrom sqlalchemy.inspection import inspect as inspected"
    )
    result = result_of({name: text})

    assert differences_of(name, text, result, tmp_path) == []
    after = result.files[f"{name}.py"].decode()
    assert "inspected(user)" in after
    assert "sqlalchemy_inspect" not in after
