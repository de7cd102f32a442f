"""What findings announce of endpoints that write objects, and where nothing is read again."""

from __future__ import annotations

import pytest
from compared_applications import differences, migrated, observed
from endpoints_of_objects import ENDPOINT, HELPING, PLAIN
from random_objects import HEAD, HELPERS

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
    return [current.get("nobody"), db.get(User, key).id]
"""


def test_it_is_said_what_a_variable_of_the_context_comes_to():
    result = migrated({"shop.py": PLAIN + VISIBLE})

    (said,) = [one.message for one in result.report.findings if "`sessionmaker`" in one.message]
    assert "an endpoint now sees a `ContextVar` that its dependency sets" in said


ANSWERS = """\
def rows_of(db: Session):
    return db.query(User).all()


def answer(row: User):
    return {{"row": row}}


def sizes(users: list[User]) -> list[int]:
    return [len(user.orders) for user in users]


@app.get("/whole/{{key}}")
def whole(key: int, db: Session = Depends(get_db)):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "is_said"),
    [
        ("return answer(db.get(User, key))", True),
        ("return db.get(User, key) or {}", True),
        ("return {'names': [user.name for user in rows_of(db)]}", False),
        ("return len(rows_of(db))", False),
    ],
)
def test_it_is_said_where_an_endpoint_may_answer_with_relationships(body, is_said):
    result = migrated({"shop.py": PLAIN + ANSWERS.format(body=body)})

    said = [one.message for one in result.report.findings if "may now contain" in one.message]
    assert bool(said) is is_said


def test_an_endpoint_answers_as_before_where_no_relationship_is_loaded():
    body = "return answer(db.get(User, key))"
    text = ANSWERS.replace("user.orders", "user.name").format(body=body)
    result = migrated({"shop.py": PLAIN + text})

    assert not any("may now contain" in one.message for one in result.report.findings)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("db.execute(delete(Tag))\ndb.delete(user)", "uses `user.tags`, which still has the items"),
        ("db.delete(user)\nx = len(user.orders)", "`user` is read before its deletion is flushed"),
        ("db.delete(user)\ndb.flush()\ndb.delete(user)", "`user` is deleted twice"),
        (
            "db.add(Tag(name='n'))\ndb.expire(user)",
            "`db.expire(user)` runs before the changes are flushed",
        ),
        (
            "t = db.get(Tag, 1)\nuser.tags.append(t)\ndb.commit()\nuser.tags.append(t)",
            "`user.tags` keeps its old items when items are added",
        ),
        (
            "user.orders.append(Order(title='x', amount=1))\nUserOrdersOut.model_validate(user)",
            "the value assigned to `user.orders` has not been flushed",
        ),
        (
            "user.name = 'x'\ndb.delete(user)\ndb.flush()\nx = len(user.orders)",
            "`user` is read after its deletion",
        ),
        (
            "db.query(User).filter(User.id == key).delete()\nx = len(user.orders)",
            "`user` is read after `delete(User)`, which may delete it",
        ),
        (
            "db.expunge(user)\nif flag:\n    db.add(user)",
            "`user` has no session between `db.expunge(user)` and `db.add(user)`",
        ),
        (
            "if flag:\n    user.orders.clear()\ndb.add(Order(title='x', amount=1))\ndb.flush()",
            "`user.orders` is loaded under a condition, before its rows change",
        ),
        (
            "if flag:\n    user.tags.append(db.get(Tag, 2))\ndb.flush()\nx = user.tags",
            "`user.tags` is loaded under a condition, before its rows change",
        ),
        ("if flag:\n    user.tags.append(db.get(Tag, 2))\nx = user.tags", ""),
        ("user.tags.append(db.get(Tag, 2))\ndb.flush()\nx = user.tags", ""),
        (
            "user.orders.append(Order(title='x', amount=1))\ndb.expunge(user)\nx = user.orders",
            "`db.expunge(user)` runs before the changes are flushed",
        ),
        ("user.name = 'x'\ndb.expunge(user)\nx = user.name", ""),
        (
            "user.name = 'x'\ndb.flush()\ndb.delete(user)\ndb.commit()\nx = user.orders",
            "`user` is read after its deletion",
        ),
        (
            "user.team = db.get(Team, 2)\nx = user.team_id",
            "the key of `user.team` is read, and may not be flushed yet",
        ),
        (
            "user.team = db.get(Team, 2)\nif flag:\n    db.commit()\nUserOut.model_validate(user)",
            "the key of `user.team` is read, and may not be flushed yet",
        ),
        ("user.team = db.get(Team, 2)\nstore(db, user)\nUserOut.model_validate(user)", ""),
        ("user.team = db.get(Team, 2)\ndb.flush()\nx = user.team_id", ""),
        (
            "if flag:\n    user.orders = []\ndb.add(Order(title='x', amount=1))\ndb.flush()",
            "`user.orders` is loaded under a condition, before its rows change",
        ),
        (
            "user.team_id = None\nuser.team = db.get(Team, 2)\ndb.commit()\nx = user.team.name",
            "`user.team` is loaded, and may differ from the object that its key names",
        ),
        (
            "db.add(Order(title='x', amount=1, user_id=key))\ndb.delete(user)",
            "may see another `user.orders`, because of `db.add(",
        ),
        (
            "x = user.orders\nget_or_create(db, Tag, name='n')\ndb.execute(delete(Order))",
            "`user.orders` is loaded before `get_or_create(db, Tag, name='n')`, which may commit",
        ),
        ("x = user.orders\nstore(db, Tag(name='n'))\ndb.execute(delete(Order))", ""),
        (
            "user.orders.clear()\ndb.expire(user)",
            "`db.expire(user)` runs before the changes are flushed",
        ),
        ("user.orders.clear()\ndb.add(Order(title='x', amount=1))\ndb.flush()", ""),
        ("db.query(Tag).delete()\nx = len(user.orders)", ""),
        ("db.expunge(user)", ""),
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
@pytest.mark.sampled(4)
def test_what_comes_to_something_else_is_said_of_its_function(body, said):
    lines = ["user = db.get(User, key)", *body.splitlines(), "seen = [user.orders, user.tags]"]
    endpoint = ENDPOINT.format(model="") + "".join(f"    {one}\n" for one in lines)
    helpers = "\n\n".join([HELPERS["store"], HELPERS["get_or_create"]])
    result = migrated({"shop.py": PLAIN + helpers + "\n\n" + endpoint})

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
    said = "the owner that `order.user` replaces is loaded, and its cascade deletes orphans"
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
    result = migrated({"any_model.py": PLAIN + ANY_MODEL})

    after = result.files["any_model.py"].decode()
    sides = [
        observed(text, f"{side}_any_model", tmp_path / side)
        for side, text in (("before", PLAIN + ANY_MODEL), ("after", after))
    ]
    assert [*differences(*sides, ())] == []


def test_a_read_in_the_statement_that_rolls_back_is_announced():
    lines = ["user = db.get(User, key)", "return [renamed(db, user), user.name]"]
    endpoint = ENDPOINT.format(model="") + "".join(f"    {one}\n" for one in lines)
    result = migrated({"shop.py": PLAIN + HELPING + "\n\n" + endpoint})

    said = "reading `user` raises, if a call before it in the same statement rolls back"
    (found,) = [one for one in result.report.findings if said in one.message]
    assert "return [renamed" in head_line(result, found)


ENCODED = """\
from fastapi.encoders import jsonable_encoder

@app.post("/0/{key}")
def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):
    order = db.get(Order, key)
    order.user_id = None
    db.commit()
    db.commit()
    return order

@app.post("/1/{key}")
def endpoint1(key: int, flag: bool = False, db: Session = Depends(get_db)):
    order = Order(title="x", amount=1)
    db.add(order)
    db.commit()
    return [order]

@app.post("/2/{key}")
def endpoint2(key: int, flag: bool = False, db: Session = Depends(get_db)):
    order = db.get(Order, key)
    order.user = None
    db.commit()
    return {"row": order}

@app.post("/3/{key}")
def endpoint3(key: int, flag: bool = False, db: Session = Depends(get_db)):
    order = db.get(Order, key)
    order.user = None
    db.flush()
    return jsonable_encoder(order)

@app.post("/4/{key}")
def endpoint4(key: int, flag: bool = False, db: Session = Depends(get_db)):
    db.execute(delete(Order))
    user = db.get(User, 4)
    db.commit()
    return user
"""


def test_a_dataclass_is_answered_with_all_its_fields(tmp_path):
    result = migrated({"encoded.py": DATACLASSES + ENCODED})

    after = result.files["encoded.py"].decode()
    sides = [
        observed(text, f"{side}_encoded", tmp_path / side)
        for side, text in (("before", DATACLASSES + ENCODED), ("after", after))
    ]
    assert {one.status for one in sides[0].values()} == {200}
    # The owner of before leads around, which is announced.
    kept = [{k: v for k, v in one.items() if k[0][1] != "0"} for one in sides]
    assert [*differences(*kept, ())] == []
    said = [one.message for one in result.report.findings if "may now contain" in one.message]
    assert sum("`order`" in one for one in said) == 3


@pytest.mark.parametrize(
    ("lines", "is_said"),
    [
        (["user = store(db, User(name='n'))", "user.tags = []"], True),
        (["user = User(name='n')", "store(db, user)", "x = user.name"], True),
        (["user = User(name='n')", "db.add(user)", "db.commit()", "x = user.id"], True),
        (["user = User(name='n', team_id=None)", "store(db, user)", "x = user.name"], False),
        (["user = store(db, User(name='n'))"], False),
        (["user = store(db, User(name='n'))", "db.refresh(user)"], False),
        (["user = db.get(User, key)", "db.commit()", "x = user.name"], False),
    ],
)
def test_it_is_said_where_a_column_that_was_never_set_becomes_none(lines, is_said):
    lines = [*lines, "user.team_id = None", "db.commit()"]
    endpoint = ENDPOINT.format(model="") + "".join(f"    {one}\n" for one in lines)
    result = migrated({"shop.py": PLAIN + HELPERS["store"] + "\n\n" + endpoint})

    (found,) = [one for one in result.report.findings if "`endpoint0`" in one.message]
    assert ("`user.team_id` is written as NULL again" in found.message) is is_said


@pytest.mark.parametrize(
    ("line", "is_said"),
    [
        ("setattr(user, 'team_id', None)", True),
        ("setattr(user, 'team_id', value)", True),
        ("for name, item in {'team_id': None}.items(): setattr(user, name, item)", True),
        ("setattr(user, 'team_id', 1)", False),
        ("setattr(user, 'name', None)", False),
    ],
)
def test_it_is_said_where_setattr_may_do_so(line, is_said):
    made = ["user = User(name='n')", "store(db, user)", "user.tags = []"]
    lines = ["value = None", *made, line]
    endpoint = ENDPOINT.format(model="") + "".join(
        f"    {one}\n" for one in [*lines, "db.commit()"]
    )
    result = migrated({"shop.py": PLAIN + HELPERS["store"] + "\n\n" + endpoint})

    (found,) = [one for one in result.report.findings if "`endpoint0`" in one.message]
    assert ("may write NULL again" in found.message) is is_said


def head_line(result, finding):
    """Return the line of the program before that a finding is about."""
    text = result.report.files[0].before.text
    return text[finding.place.span.start :].splitlines()[0].decode()


SAVED = (
    PLAIN
    + """
def save(db: Session, user: User) -> User:
    db.commit()
    return user


@app.get("/{key}")
def sizes(key: int, db: Session = Depends(get_db)) -> list[int]:
    user = db.get(User, key)
    user = save(db, user)
    return [len(user.orders)]
"""
)


def test_what_a_call_that_commits_returns_is_loaded_again():
    after = migrated({"shop.py": SAVED}).files["shop.py"].decode()

    assert (
        "user = await save(db, user)\n"
        '    await db.refresh(user, attribute_names=["orders"])\n'
        "    return [len(user.orders)]" in after
    )
