"""Small applications of FastAPI whose endpoints write objects and then use them, from a seed.

What an endpoint does between a load and its answer is random: it deletes, expunges, flushes,
commits and rolls back; it sets keys, and changes collections. A ``wide`` one does so under
conditions, twice, and by statements that delete and update many rows, of which not all come to the
same yet: `benchmarks/third_attack/objects.md` counts them.
"""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path
from textwrap import indent

REQUESTS = [(1, 0), (2, 1), (3, 0), (1, 1)]
"""What each endpoint is asked: the key of an object, and whether its condition holds."""
ROWS = """
INSERT INTO teams (id, name) VALUES (1, 'red'), (2, 'blue');
INSERT INTO users (id, name, team_id) VALUES (1, 'ann', 1), (2, 'bob', 1), (3, 'cy', 2);
INSERT INTO users (id, name, team_id) VALUES (4, 'di', NULL);
INSERT INTO orders (id, title, amount, user_id) VALUES (1, 'a', 1, 1), (2, 'b', 2, 1);
INSERT INTO orders (id, title, amount, user_id) VALUES (3, 'c', 3, 2), (4, 'd', 4, 3);
INSERT INTO tags (id, name) VALUES (1, 'new'), (2, 'old');
INSERT INTO user_tags (user_id, tag_id) VALUES (1, 1), (1, 2), (3, 2);
"""
HEAD = """\
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ForeignKey, Table, create_engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    mapped_column,
    relationship,
    sessionmaker,
)

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(bind=engine{session})
app = FastAPI()


class Base({base}):
    pass


user_tags = Table(
    "user_tags",
    Base.metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True{new})
    name: Mapped[str]
    users: Mapped[list["User"]] = relationship(back_populates="team"{new})


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True{new})
    name: Mapped[str]
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"){default})
    team: Mapped[Team | None] = relationship(back_populates="users"{new})
    orders: Mapped[list["Order"]] = relationship(back_populates="user"{cascade}{new})
    tags: Mapped[list["Tag"]] = relationship(secondary=user_tags, order_by="Tag.id"{new})


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True{new})
    title: Mapped[str]
    amount: Mapped[int]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"){default})
    user: Mapped[User | None] = relationship(back_populates="orders"{new})


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True{new})
    name: Mapped[str] = mapped_column(unique=True)


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TagOut(Out):
    id: int
    name: str


class TeamOut(Out):
    id: int
    name: str


class OrderOut(Out):
    id: int
    title: str
    amount: int


class UserOut(Out):
    id: int
    name: str
    team_id: int | None


class UserOrdersOut(UserOut):
    orders: list[OrderOut]


class UserTeamOut(UserOut):
    team: TeamOut | None
    tags: list[TagOut]


class TeamUsersOut(TeamOut):
    users: list[UserOrdersOut]


class OrderUserOut(OrderOut):
    user: UserTeamOut | None


"""
PROVIDER = """\
def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
"""
HEAD += PROVIDER + "\n\n"
HELPERS = {
    "load": """\
def load(db: Session, model, key: int):
    row = db.get(model, key)
    if row is None:
        raise HTTPException(404)
    return row
""",
    "save": """\
def save(db: Session, row):
    db.add(row)
    db.commit()
    db.refresh(row)
    return row
""",
    "store": """\
def store(db: Session, row):
    db.add(row)
    db.commit()
    return row
""",
    "remove": """\
def remove(db: Session, row):
    db.delete(row)
    db.commit()
    return row
""",
    "get_or_create": """\
def get_or_create(db: Session, model, **values):
    row = db.query(model).filter_by(**values).first()
    if row is None:
        row = model(**values)
        db.add(row)
        db.commit()
    return row
""",
    "describe_user": """\
def describe_user(user: User) -> dict:
    team = user.team.name if user.team else None
    return {"name": user.name, "team": team, "orders": [one.title for one in user.orders]}
""",
    "describe_order": """\
def describe_order(order: Order) -> dict:
    return {"title": order.title, "user": order.user.name if order.user else None}
""",
    "describe_team": """\
def describe_team(team: Team) -> dict:
    return {"name": team.name, "users": sorted(one.name for one in team.users)}
""",
}
LOADS = [
    "{name} = db.get({model}, key)",
    "{name} = db.query({model}).filter({model}.id == key).first()",
    "{name} = db.query({model}).filter_by(id=key).one_or_none()",
    "{name} = db.scalars(select({model}).where({model}.id == key)).first()",
]
MODELS = {"user": "User", "order": "Order", "team": "Team"}
SCHEMAS = {
    "user": ["UserOut", "UserOrdersOut", "UserTeamOut"],
    "order": ["OrderOut", "OrderUserOut"],
    "team": ["TeamOut", "TeamUsersOut"],
}
NEW = {
    "user": ['User(name="new", team_id=1)', 'User(name="new")'],
    "order": ['Order(title="new", amount=5, user_id=2)', 'Order(title="new", amount=5)'],
    "team": ['Team(name="new")'],
}
# What is done with an object; each may be repeated, or stand under a condition.
WRITES = {
    "user": [
        'user.name = "changed"',
        "user.team_id = 2",
        "user.team_id = None",
        "user.team = db.get(Team, 2)",
        'user.orders.append(Order(title="more", amount=7))',
        'db.add(Order(title="other", amount=8, user_id=user.id))',
        "user.orders = []",
        "user.orders.clear()",
        "if user.orders:\n    user.orders.remove(user.orders[0])",
        "for order in list(user.orders):\n    db.delete(order)",
        "user.tags.append(db.get(Tag, 2))",
        "user.tags = []",
    ],
    "order": [
        'order.title = "changed"',
        "order.amount += 1",
        "order.user_id = 3",
        "order.user_id = None",
        "order.user = db.get(User, 2)",
        "order.user = None",
        'order.user = User(name="fresh")',
        'db.add(Order(title="other", amount=8, user_id=order.user_id))',
    ],
    "team": [
        'team.name = "changed"',
        'team.users.append(User(name="more"))',
        'db.add(User(name="other", team_id=team.id))',
        "team.users = []",
        "for user in list(team.users):\n    user.name += '!'",
    ],
}
BY_STATEMENTS = {
    "user": [
        'tag = get_or_create(db, Tag, name="made")\nuser.tags.append(tag)',
        "db.query(Order).filter(Order.user_id == user.id).delete()",
        "db.execute(delete(Order).where(Order.user_id == user.id))",
    ],
    "order": ["if order.user:\n    db.delete(order.user)"],
    "team": ['db.query(User).filter(User.team_id == team.id).update({"team_id": None})'],
}
READS = {
    "user": ["count = len(user.orders)", "seen = user.team.name if user.team else ''"],
    "order": ["owner = order.user.name if order.user else ''"],
    "team": ["count = len(team.users)"],
}
# What is done to its state; most often nothing but a commit.
STATES = [
    "db.commit()",
    "db.commit()",
    "db.commit()",
    "db.commit()\ndb.refresh({name})",
    "db.flush()",
    "db.flush()",
    "with db.begin_nested():\n    {name}.{column} = 'nested'",
    "db.query({model}).order_by({model}.id).all()",
]
ENDS = [
    "db.delete({name})\ndb.commit()",
    "db.delete({name})\ndb.flush()",
    "db.expunge({name})",
    "db.close()",
]
"""By these a session loses an object."""
WIDE_STATES = [
    *STATES,
    *ENDS,
    "db.rollback()",
    "db.add(Tag(name='new'))\ntry:\n    db.commit()\nexcept IntegrityError:\n    db.rollback()",
    "db.expire({name})",
    "db.delete({name})",
    "db.delete({name})",
    "db.query({model}).filter({model}.id == {name}.id).delete()",
]
ANSWERS = {
    "user": [
        "user.name",
        "len(user.orders)",
        "[one.title for one in user.orders]",
        "user.team.name if user.team else None",
        "[one.name for one in user.tags]",
        "[len(one.orders) for one in user.team.users] if user.team else []",
    ],
    "order": [
        "order.title",
        "order.user.name if order.user else None",
        "len(order.user.orders) if order.user else 0",
        "order.user.team.name if order.user and order.user.team else None",
    ],
    "team": ["team.name", "len(team.users)", "[len(one.orders) for one in team.users]"],
}


_ENDING = 0.4


class _Application:
    """One application while it is made."""

    def __init__(self, seed: int, *, wide: bool) -> None:
        self.random = random.Random(seed)
        self.wide = wide
        self.helpers: dict[str, None] = {}

    def text(self) -> str:
        pick = self.random.choice
        is_dataclass = self.random.random() < 0.15
        head = HEAD.format(
            session=pick(["", "", ", autocommit=False, autoflush=False", ", autoflush=False"]),
            base="MappedAsDataclass, DeclarativeBase, kw_only=True"
            if is_dataclass
            else "DeclarativeBase",
            new=", init=False" if is_dataclass else "",
            default=", default=None" if is_dataclass else "",
            cascade=pick(["", "", ', cascade="all"', ', cascade="all, delete-orphan"']),
        )
        endpoints = [self._endpoint(number) for number in range(self.random.randint(1, 3))]
        helpers = [HELPERS[one] for one in self.helpers]
        return head + "\n\n".join([*helpers, *endpoints])

    def _helper(self, name: str) -> str:
        self.helpers[name] = None
        return name

    def _endpoint(self, number: int) -> str:
        name = self.random.choice([*MODELS, "user"])
        lines = self._begin(name)
        for _ in range(self.random.choice([0, 1, 1, 2])):
            lines.append(self._sometimes(self._write(name)))
        for _ in range(self.random.choice([1, 1, 2, 2, 3])):
            state = self._state(name)
            lines.append(self._sometimes(state) if self.wide else state)
        if not self.wide and self.random.random() < _ENDING and "db.get" in lines[0]:
            lines.append(self.random.choice(ENDS).format(name=name))
        argument, answer = self._answer(name)
        body = indent("\n".join([*lines, f"return {answer}"]), "    ")
        return (
            f'@app.post("/{number}/{{key}}"{argument})\n'
            f"def endpoint{number}(key: int, flag: bool = False, db: Session = Depends(get_db)):\n"
            f"{body}\n"
        )

    def _begin(self, name: str) -> list[str]:
        pick, model = self.random.choice, MODELS[name]
        how = self.random.random()
        if how < 0.2:
            made = pick(NEW[name])
            form = pick(["new", "new", "save", "store"])
            if form == "new":
                return [f"{name} = {made}", f"db.add({name})"]
            return [f"{name} = {self._helper(form)}(db, {made})"]
        if how < 0.3:
            return [f"{name} = {self._helper('load')}(db, {model}, key)"]
        load = pick(LOADS).format(name=name, model=model)
        lines = [load, f"if {name} is None:\n    raise HTTPException(404)"]
        return [*lines, pick(READS[name])] if self.random.random() < 0.3 else lines

    def _write(self, name: str) -> str:
        written = self.random.choice([*WRITES[name], *(BY_STATEMENTS[name] if self.wide else ())])
        if "get_or_create" in written:
            self._helper("get_or_create")
        return written

    def _state(self, name: str) -> str:
        if self.random.random() < 0.1:
            helper = self.random.choice(["remove", "store"]) if self.wide else "store"
            return f"{self._helper(helper)}(db, {name})"
        column = "title" if name == "order" else "name"
        return self.random.choice(WIDE_STATES if self.wide else STATES).format(
            name=name, model=MODELS[name], column=column
        )

    def _sometimes(self, text: str) -> str:
        return "if flag:\n" + indent(text, "    ") if self.random.random() < 0.25 else text

    def _answer(self, name: str) -> tuple[str, str]:
        pick, how = self.random.choice, self.random.random()
        schema = pick(SCHEMAS[name])
        if how < 0.3:
            return f", response_model={schema}", name
        if how < 0.4:
            return "", f"{schema}.model_validate({name})"
        if how < 0.5:
            return "", f"{self._helper(f'describe_{name}')}({name})"
        if how < 0.6:
            return "", '{"done": True}'
        if how < 0.65:
            return "", name
        answers = self.random.sample(ANSWERS[name], 2)
        return "", "{" + ", ".join(f'"{n}": {one}' for n, one in enumerate(answers)) + "}"


def application(seed: int, *, wide: bool = False) -> str:
    """Return the text of one application."""
    return _Application(seed, wide=wide).text()


SURVEY = Path(__file__).parents[3] / "benchmarks/first_contact/survey.toml"
PROVIDERS = {
    "generator: try and close": PROVIDER,
    "generator: with": "def get_db():\n    with SessionLocal() as db:\n        yield db\n",
    "generator: try and close, commits or rolls back": PROVIDER.replace(
        "    finally", "    except Exception:\n        db.rollback()\n        raise\n    finally"
    ),
}
SERVICE = """\
class Service{number}:
    def __init__(self, db: Session):
        self.db = db

    def endpoint{number}(self, key: int, flag: bool):
{body}

{start}    return Service{number}(db).endpoint{number}(key, flag)
"""


def surveyed(seed: int) -> str:
    """Return one application, whose shapes are as frequent as in public ones."""
    shapes, counts = random.Random(f"shapes {seed}"), tomllib.loads(SURVEY.read_text())

    def draw(part: str, *forms: str) -> str:
        return shapes.choices(forms, [counts[part][form][1] for form in forms])[0]

    head, *endpoints = application(seed).split("@app.post")
    provider = PROVIDERS[draw("functions that hand out a session", *PROVIDERS)]
    kind = draw("functions with sessions", "def generator", "async def generator")
    head = head.replace(PROVIDER, provider.replace("def", kind.removesuffix(" generator")))
    if draw("parameter", "Session", "not annotated") == "not annotated":
        head = head.replace("(db: Session, ", "(db, ")
    texts = []
    for number, endpoint in enumerate(endpoints):
        text = f"@app.post{endpoint}"
        is_plain = "response_model" not in text and re.search(r"return \w+\n", text)
        if draw("functions with sessions", "def", "def method") == "def method" and not is_plain:
            start = text[: text.index("):\n") + 3]
            body = indent(re.sub(r"\bdb\b", "self.db", text[len(start) :].rstrip()), "    ")
            text = SERVICE.format(number=number, start=start, body=body)
        kind = draw("functions with sessions", "def endpoint", "async def endpoint")
        text = text.replace("\ndef", "\n" + kind.removesuffix(" endpoint"))
        if draw("sessions of endpoints", "= Depends(...)", "alias or Annotated")[0] == "a":
            text = text.replace(
                "flag: bool = False, db: Session = Depends(get_db)",
                "db: Annotated[Session, Depends(get_db)], flag: bool = False",
            )
        texts.append(text)
    return "from typing import Annotated\n\n" + head + "\n\n".join(texts)
