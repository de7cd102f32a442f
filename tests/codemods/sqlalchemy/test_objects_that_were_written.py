"""What endpoints do with objects that were written: both sides answer the same, row by row."""

from __future__ import annotations

import pytest
from compared_applications import SAID, differences, migrated, observed
from random_objects import HEAD, HELPERS

HELPING = """\
from contextvars import ContextVar

from sqlalchemy import inspect as inspected
from sqlalchemy import text

current: ContextVar[str] = ContextVar("current", default="nobody")

def everything(row):
    names = [one.key for one in inspected(type(row)).relationships]
    return {name: type(getattr(row, name)).__name__ for name in names}

def deep(row):
    found = []
    for one in inspected(row).mapper.relationships:
        value = getattr(row, one.key)
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                for other in inspected(item).mapper.relationships:
                    more = getattr(item, other.key)
                    size = len(more) if isinstance(more, list) else more is None
                    found.append([one.key, other.key, size])
    return sorted(found, key=str)

def get_or_make(db: Session, model, **kwargs):
    instance = db.query(model).filter_by(**kwargs).one_or_none()
    if instance:
        return instance
    instance = model(**kwargs)
    db.add(instance)
    db.commit()
    return instance

def owner_orders(order: Order) -> int:
    return len(order.user.orders)

def owner_name(order):
    return order.user.name

def renamed(db: Session, user: User) -> bool:
    try:
        with db.begin_nested():
            user.name = None
            db.flush()
    except IntegrityError:
        return False
    return True

def first_order(db: Session, key: int) -> Order | None:
    user = db.get(User, key)
    return user.orders[0] if user.orders else None
"""
ENDPOINT = """\
@app.post("/0/{{key}}"{model})
def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):
"""
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
    "a16_by_the_mapper_two_deep": (
        "",
        """\
return deep(db.get(User, key))
""",
    ),
}


def application(name, session=""):
    """Return the application in which one row of the findings is an endpoint."""
    model, body = ROWS[name]
    head = HEAD.format(session=session, base="DeclarativeBase", new="", default="", cascade="")
    endpoint = ENDPOINT.format(model=f", response_model={model}" if model else "")
    helpers = "\n\n".join([*HELPERS.values(), HELPING])
    return head + helpers + "\n\n" + endpoint + "".join(f"    {one}\n" for one in body.splitlines())


@pytest.fixture(scope="module")
def result():
    """All rows as one project: it is planned once."""
    return migrated({f"{name}.py": application(name) for name in ROWS})


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_as_it_was(name, result, tmp_path):
    before, after = application(name), result.files[f"{name}.py"].decode()
    sides = [
        observed(text, f"{side}_{name}", tmp_path / side)
        for side, text in (("before", before), ("after", after))
    ]

    assert "create_async_engine" in after
    # A commit had left nothing of a row that is returned as it is: the report says so.
    announced = {"0"} if name == "a8_a_new_row" else ()
    assert [*differences(*sides, announced)] == []
    said = [one.message for one in result.report.findings if one.place.path == f"{name}.py"]
    assert not announced or any(SAID in one for one in said)


def test_a_session_that_keeps_objects_reads_nothing_again():
    text = application("a9_key_set_and_answered", ", expire_on_commit=False")
    result = migrated({"shop.py": text})

    after = result.files["shop.py"].decode()
    assert "refresh(order, attribute_names" not in after[after.index("@app.post") :]


def test_a_persistent_object_is_refreshed_without_a_condition():
    result = migrated({"shop.py": application("a9_key_set_and_answered")})

    after = result.files["shop.py"].decode()
    assert ".persistent" not in after[after.index("@app.post") :]


DATACLASSES = HEAD.format(
    session="",
    base="MappedAsDataclass, DeclarativeBase, kw_only=True",
    new=", init=False",
    default=", default=None",
    cascade="",
)
NAMED = """\
@app.post("/0/{{key}}")
def endpoint0(key: int, db: Session = Depends(get_db)):
    order = db.get(Order, key)
    {uses}
    return {{"title": order.title}}
"""


@pytest.mark.parametrize(
    ("uses", "is_run"),
    [
        ("order.amount += 1", False),
        ("assert order is not None", False),
        ("print(order)", True),
        ('seen = f"{order}"', True),
        ("assert order == db.get(Order, 1)", True),
        ("assert order in [db.get(Order, 1)]", True),
    ],
)
def test_a_generated_method_reads_only_where_it_runs(uses, is_run):
    result = migrated({"shop.py": DATACLASSES + NAMED.format(uses=uses)})

    assert ('lazy="selectin"' in result.files["shop.py"].decode()) == is_run


VISIBLE = """\
from contextvars import ContextVar

current: ContextVar[str] = ContextVar("current")


def who(key: int, db: Session = Depends(get_db)):
    current.set(db.get(User, key).name)


@app.post("/0/{key}", dependencies=[Depends(who)])
def endpoint0(key: int, db: Session = Depends(get_db)):
    return [current.get("nobody"), sorted(vars(db.get(User, key)))]
"""


def test_it_is_said_what_a_dictionary_and_a_variable_of_the_context_come_to():
    head = HEAD.format(session="", base="DeclarativeBase", new="", default="", cascade="")
    result = migrated({"shop.py": head + VISIBLE})

    (said,) = [one.message for one in result.report.findings if "`sessionmaker`" in one.message]
    assert "the `__dict__` of an object holds what is loaded with it now" in said
    assert "a `ContextVar` that a dependency sets is seen by its endpoint from now on" in said


ANSWERS = """\
def rows_of(db: Session):
    return db.query(User).all()


def answer(row: User):
    return {{"row": row}}


@app.get("/whole/{{key}}")
def whole(key: int, db: Session = Depends(get_db)):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "is_said"),
    [
        ("return rows_of(db)", True),
        ("return answer(db.get(User, key))", True),
        ("return db.get(User, key) or {}", True),
        ("rows = db.query(User).all()\n    return {'items': rows, 'total': len(rows)}", True),
        ("return {'names': [one.name for one in rows_of(db)]}", False),
        ("return db.get(User, key)", False),
        ("return len(rows_of(db))", False),
        ("return db.query(User).all()", False),
    ],
)
def test_it_is_said_where_an_endpoint_may_answer_with_relationships(body, is_said):
    head = HEAD.format(session="", base="DeclarativeBase", new="", default="", cascade="")
    result = migrated({"shop.py": head + ANSWERS.format(body=body)})

    (said,) = [one.message for one in result.report.findings if "`sessionmaker`" in one.message]
    assert ("may answer with relationships as well" in said) is is_said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "db.query(Order).filter_by(user_id=key).delete()\ndb.add(user)",
            "`user.orders` still holds what",
        ),
        (
            "db.execute(delete(Order))\ndb.commit()\nstore(db, user)",
            "`user.orders` still holds what",
        ),
        ("db.delete(db.get(Order, 1))\ndb.commit()\ndb.add(user)", "`user.orders` still holds"),
        ("db.execute(delete(Tag))\ndb.delete(user)", "`user.tags` still holds what"),
        ("db.delete(user)\nx = len(user.orders)", "`user` is read before its deletion is flushed"),
        ("db.delete(user)\ndb.flush()\ndb.delete(user)", "`user` is deleted twice"),
        ("db.add(Tag(name='n'))\ndb.expire(user)", "`db.expire(user)` comes before a flush"),
        (
            "t = db.get(Tag, 1)\nuser.tags.append(t)\ndb.commit()\nuser.tags.append(t)",
            "`user.tags` keeps its items when it gets more of them",
        ),
        (
            "user.orders.append(Order(title='x', amount=1))\nUserOrdersOut.model_validate(user)",
            "no flush has written what `user.orders` was given",
        ),
        ("db.execute(delete(Order))\ndb.commit()\ndb.add(db.get(Team, 1))", ""),
        ("db.delete(user)\ndb.flush()\nx = len(user.orders)", ""),
        ("db.add(Tag(name='n'))\ndb.flush()\ndb.expire(user)", ""),
        ("user.tags.append(db.get(Tag, 1))\ndb.commit()\nx = len(user.tags)", ""),
        (
            "user.orders.append(Order(title='x', amount=1))\ndb.flush()\nOut.model_validate(user)",
            "",
        ),
    ],
)
def test_what_comes_to_something_else_is_said_of_its_function(body, said):
    head = HEAD.format(session="", base="DeclarativeBase", new="", default="", cascade="")
    lines = ["user = db.get(User, key)", *body.splitlines(), "seen = [user.orders, user.tags]"]
    endpoint = ENDPOINT.format(model="") + "".join(f"    {one}\n" for one in lines)
    result = migrated({"shop.py": head + HELPERS["store"] + "\n\n" + endpoint})

    (found,) = [one for one in result.report.findings if "`endpoint0`" in one.message]
    assert said in found.message if said else ";" not in found.message
    assert bool(found.related) == bool(said) or not said


@pytest.mark.parametrize(
    ("cascade", "before", "is_said"),
    [
        (', cascade="all, delete-orphan"', "", True),
        (', cascade="all, delete-orphan"', "x = order.user", False),
        (', cascade="all"', "", False),
    ],
)
def test_it_is_said_where_an_owner_that_is_loaded_ahead_deletes_orphans(cascade, before, is_said):
    head = HEAD.format(session="", base="DeclarativeBase", new="", default="", cascade=cascade)
    lines = ["order = db.get(Order, key)", before or "x = 1", "order.user = None", "db.commit()"]
    endpoint = ENDPOINT.format(model="") + "".join(f"    {one}\n" for one in lines)
    reader = "def reader(order: Order):\n    return order.user.name, order.user.orders\n\n"
    result = migrated({"shop.py": head + reader + endpoint})

    (found,) = [one for one in result.report.findings if "`endpoint0`" in one.message]
    said = "the owner that `order.user` replaces is loaded, and deletes orphans"
    assert (said in found.message) == is_said


ANY_MODEL = """\
def load(db: Session, model, key: int):
    return db.get(model, key)

@app.post("/0/{key}", response_model=TeamUsersOut)
def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):
    team = load(db, Team, 1)
    team.users.append(User(name="more"))
    db.commit()
    return team

@app.post("/1/{key}", response_model=OrderUserOut)
def endpoint1(key: int, flag: bool = False, db: Session = Depends(get_db)):
    order = load(db, Order, key)
    db.commit()
    return order
"""


def test_a_response_reads_its_own_model_of_a_function_that_loads_any(tmp_path):
    head = HEAD.format(session="", base="DeclarativeBase", new="", default="", cascade="")
    result = migrated({"any_model.py": head + ANY_MODEL})

    after = result.files["any_model.py"].decode()
    sides = [
        observed(text, f"{side}_any_model", tmp_path / side)
        for side, text in (("before", head + ANY_MODEL), ("after", after))
    ]
    assert [*differences(*sides, ())] == []


def test_a_read_in_the_statement_that_rolls_back_is_announced():
    head = HEAD.format(session="", base="DeclarativeBase", new="", default="", cascade="")
    lines = ["user = db.get(User, key)", "return [renamed(db, user), user.name]"]
    endpoint = ENDPOINT.format(model="") + "".join(f"    {one}\n" for one in lines)
    result = migrated({"shop.py": head + HELPING + "\n\n" + endpoint})

    said = "where a call in this statement rolls back, reading `user` after it raises"
    (found,) = [one for one in result.report.findings if said in one.message]
    assert "return [renamed" in head_line(result, found)


def head_line(result, finding):
    """Return the line of the program before that a finding is about."""
    text = result.report.files[0].before.text
    return text[finding.place.span.start :].splitlines()[0].decode()
