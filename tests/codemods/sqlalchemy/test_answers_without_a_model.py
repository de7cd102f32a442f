"""Endpoints without a response model answer with the attributes of before, whoever loads them."""

from __future__ import annotations

import pytest
from compared_applications import differences, migrated, observed
from endpoints_of_objects import PLAIN

HELPERS = """\
from functools import cached_property

from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from sqlalchemy.orm import joinedload


class Page:
    def __init__(self, items, total):
        self.items = items
        self.total = total


class Service:
    def __init__(self, db: Session):
        self.db = db

    @cached_property
    def newest(self):
        return self.db.query(User).first()


def without_state(user):
    return {name: value for name, value in user.__dict__.items() if name[0] != "_"}


def rows(db: Session):
    return db.query(User).all()


def mistyped(db: Session) -> list[type[User]]:
    return db.query(User).all()


def mistyped_row(db: Session, key: int) -> type[User] | None:
    return db.query(User).filter(User.id == key).first()


def row(db: Session, key: int) -> User:
    return db.get(User, key)


def with_orders(db: Session, key: int) -> User:
    user = db.get(User, key)
    print(len(user.orders))
    return user


def loaded(db: Session):
    return db.scalars(select(User).options(joinedload(User.orders))).unique().all()


def summary(db: Session, key: int):
    return {"user": db.get(User, key)}


def paged(db: Session):
    return db.query(User).all(), 1


def stored(db: Session, key: int) -> Order:
    order = Order(title="x", amount=1, user=db.get(User, key))
    db.add(order)
    db.flush()
    return order


def names(users: list[User]) -> list[tuple[str, int, int]]:
    return [(one.team.name, len(one.orders), len(one.tags)) for one in users if one.team]


def current(key: int, db: Session = Depends(get_db)) -> User:
    return db.get(User, key)


def counted(user: User = Depends(current)) -> User:
    print(len(user.tags))
    return user


"""
LEFT_OUT = {
    "rows": "return rows(db)",
    "mistyped": "return mistyped(db)",
    "mistyped_row": "return mistyped_row(db, key)",
    "row": "return row(db, key)",
    "parts": 'return {"all": [row(db, key), *rows(db)], "n": 1}',
    "lines": "return row(\n        db,\n        key,\n    )",
    "item": "return rows(db)[0]",
    "named_argument": "return jsonable_encoder(obj=row(db, key))",
    "sorted": "return sorted(rows(db), key=lambda user: user.id)",
    "variable": "users = rows(db)\n    return users",
    "choice": "return row(db, key) if flag else row(db, 1)",
    # The session returns an object as it loaded it first.
    "loaded_before": "first = row(db, 1)\n    return db.query(User).all()",
    "got_before": "users = rows(db)\n    return db.get(User, key)",
    "several_lines": (
        "return (\n        row(\n            db,\n            key,\n        )\n"
        "        .orders\n    )"
    ),
}
KEPT = {
    "read_by_a_helper": ("return with_orders(db, key)", ["orders"]),
    "loaded_by_a_helper": ("return loaded(db)", ["orders"]),
    "read_in_a_variable": ("user = with_orders(db, key)\n    return user", ["orders"]),
    "paged": ("return paged(db)", ["orders", "tags", "team"]),
    "yielded": ("return (user for user in rows(db))", ["orders", "tags", "team"]),
    "paired": ("return list(zip(rows(db), [1, 2]))", ["orders", "tags", "team"]),
    "encoded": (
        'return JSONResponse(jsonable_encoder({"user": row(db, key)}))',
        ["orders", "tags", "team"],
    ),
    "summary": ("return summary(db, key)", ["orders", "tags", "team"]),
    "page": ("return Page(rows(db), 1)", ["orders", "tags", "team"]),
    "page_in_a_variable": (
        "users = rows(db)\n    page = Page(items=users, total=1)\n    return page",
        ["orders", "tags", "team"],
    ),
    # Both rules rewrite the statement of the property.
    "property": ("return Service(db).newest", ["orders", "tags", "team"]),
    "encoded_page": ("return jsonable_encoder(Page(rows(db), 1))", ["orders", "tags", "team"]),
    "dictionary": ("return row(db, key).__dict__", ["orders", "tags", "team"]),
    "variables": ("return {**vars(row(db, key))}", ["orders", "tags", "team"]),
    "mapping": (
        "return [dict(one._mapping) for one in db.execute(select(User))]",
        ["orders", "tags", "team"],
    ),
    "stored": ("return stored(db, key)", ["user.orders", "user.tags", "user.team"]),
}
ENDPOINT = """\
@app.post("/{name}/{{key}}")
def of_{name}(key: int, flag: bool = False, db: Session = Depends(get_db){more}):
    {body}


"""
DEPENDING = ENDPOINT.format(
    name="depended", body="return user", more=", user: User = Depends(counted)"
)
HELPED = ENDPOINT.format(name="helped", body="return without_state(row(db, key))", more="")


@pytest.fixture(scope="module")
def text():
    bodies = LEFT_OUT | {name: body for name, (body, _) in KEPT.items()}
    endpoints = [ENDPOINT.format(name=name, body=body, more="") for name, body in bodies.items()]
    return PLAIN + HELPERS + "".join([*endpoints, DEPENDING, HELPED])


@pytest.fixture(scope="module")
def result(text):
    return migrated({"shop.py": text})


@pytest.fixture(scope="module")
def sides(text, result, tmp_path_factory):
    place = tmp_path_factory.mktemp("sides")
    after = result.files["shop.py"].decode()
    return observed(text, "before_answers", place / "b"), observed(
        after, "after_answers", place / "a"
    )


def said(result, name):
    """Return what the report says of the response of an endpoint."""
    text = result.case.before["shop.py"].decode()
    start = text.index(f"def of_{name}(", text.index("@app.post"))
    end = text.find("@app.post", start)
    return [
        one.message
        for one in result.report.findings
        if one.message.startswith(("the response", "`jsonable_encoder"))
        or "contains all that is loaded" in one.message
        if start < one.place.span.start < (end if end >= 0 else len(text))
    ]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_an_answer_of_a_helper_leaves_out_what_loads_now(name, sides, result):
    of_it = [{k: v for k, v in one.items() if k[0].startswith(f"/{name}/")} for one in sides]

    assert {answer.status for answer in of_it[0].values()} == {200}
    assert [*differences(*of_it)] == []
    assert not any("may now contain" in one for one in said(result, name))


@pytest.mark.parametrize("name", KEPT)
def test_what_an_answer_may_contain_now_is_said_where_it_is_returned(name, result):
    (message,) = said(result, name)

    assert "it may now contain " + " and ".join(f"`{one}`" for one in KEPT[name][1]) in message


def test_what_a_helper_takes_of_an_object_is_said_in_the_helper(result):
    (message,) = [
        one.message for one in result.report.findings if one.message.startswith("`user.__dict__`")
    ]

    assert "it may now contain `orders` and `tags` and `team`" in message


def test_a_relationship_that_a_dependency_reads_stays_in_the_answer(result):
    after = result.files["shop.py"].decode()

    assert 'jsonable_encoder(user, exclude={"orders", "team"})' in after
    (message,) = said(result, "depended")
    assert "it may now contain `tags`" in message
