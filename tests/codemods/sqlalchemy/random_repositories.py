"""Small applications of FastAPI whose endpoints write by a generic repository, from a seed.

The repository saves objects of any class: its parameter is a type variable or the base, its class
is given to it, or a subclass names it. Several classes share it, of which some have nothing that
differs after a commit.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from random_objects import HEAD

STAMP = """\
    stamp: Mapped[str] = mapped_column(server_default="made", onupdate=text("'changed'"))
"""


class _Model(NamedTuple):
    """A mapped class: its responses, what changes an object, makes one, and reads one."""

    name: str
    responses: tuple[str, ...]
    changes: tuple[str, ...]
    values: tuple[str, ...]
    reads: tuple[str, ...]


MODELS = (
    _Model(
        "User",
        ("UserOut", "UserOrdersOut", "UserTeamOut"),
        ("team_id=2", "name='other'", "team_id=None"),
        ("name='new', team_id=2", "name='new'"),
        ("{0}.name", "{0}.team.name if {0}.team else None", "[one.title for one in {0}.orders]"),
    ),
    _Model(
        "Order",
        ("OrderOut", "OrderUserOut"),
        ("user_id=2", "amount=9", "title='z'"),
        ("title='new', amount=1, user_id=1", "title=1.5, amount=2", "title='new', amount=3"),
        ("{0}.title", "{0}.user.name if {0}.user else None"),
    ),
    _Model(
        "Team",
        ("TeamOut", "TeamUsersOut"),
        ("name='green'",),
        ("name='new'",),
        ("{0}.name", "sorted(one.name for one in {0}.users)"),
    ),
    _Model("Tag", ("TagOut",), ("name=f't{key}{flag}'",), ("name=f'n{key}{flag}'",), ("{0}.name",)),
)
REPOSITORIES = {
    "saving": (
        """\
class Repository{generic}:
    def __init__(self, db: Session):
        self.db = db

    def save(self, item: {M}) -> {M}:
        self.db.add(item)
        self.db.commit(){refresh}
        return item

    def change(self, item: {M}, **values) -> {M}:
        for name, value in values.items():
            setattr(item, name, value)
        return self.save(item)
""",
        "Repository(db).save({item})",
        "Repository(db).change({item}, {change})",
        "Repository(db).save({model}({values}))",
    ),
    "functions": (
        """\
def save(db: Session, item: {M}) -> {M}:
    db.add(item)
    db.commit(){refresh}
    return item


def save_all(db: Session, items: list[{M}]) -> list[{M}]:
    db.add_all(items)
    db.commit()
    return items


def create(db: Session, model: type[{M}], **values) -> {M}:
    item = model(**values)
    db.add(item)
    db.commit()
    return item
""",
        "save(db, {item})",
        "save_all(db, [{item}])[0]",
        "create(db, {model}, {values})",
    ),
    "made": (
        """\
class Repository{generic}:
    def __init__(self, model: type[{M}], db: Session):
        self.model = model
        self.db = db

    def get(self, key: int) -> {M} | None:
        return self.db.get(self.model, key)

    def create(self, **values) -> {M}:
        item = self.model(**values)
        self.db.add(item)
        self.db.commit(){refresh}
        return item

    def change(self, item: {M}, values: dict[str, object]) -> {M}:
        for name in values:
            setattr(item, name, values[name])
        self.db.commit()
        return item


def repository(model: type[{M}], db: Session):
    return Repository(model, db)
""",
        "Repository({model}, db).change({item}, dict())",
        "repository({model}, db).change({item}, dict({change}))",
        "Repository({model}, db).create({values})",
    ),
    "crud": (
        """\
class CRUDBase{generic}:
    def __init__(self, model: type[{M}]):
        self.model = model

    def get(self, db: Session, key: int) -> {M} | None:
        return db.query(self.model).filter(self.model.id == key).first()

    def create(self, db: Session, *, data: dict[str, object]) -> {M}:
        db_obj = self.model(**data)
        db.add(db_obj)
        db.commit(){refresh}
        return db_obj

    def update(self, db: Session, *, db_obj: {M}, data: dict[str, object]) -> {M}:
        for field in data:
            setattr(db_obj, field, data[field])
        db.add(db_obj)
        db.commit(){refresh}
        return db_obj


class CRUDUser(CRUDBase{of_user}):
    def get_by_name(self, db: Session, name: str) -> User | None:
        return db.query(User).filter(User.name == name).first()


crud = {{
    "User": CRUDUser(User),
}}
crud_user = CRUDUser(User)
crud_order = CRUDBase(Order)
crud_team = CRUDBase(Team)
crud_tag = CRUDBase(Tag)
""",
        "crud_{lower}.update(db, db_obj={item}, data={{}})",
        "crud_{lower}.update(db, db_obj={item}, data=dict({change}))",
        "crud_{lower}.create(db, data=dict({values}))",
    ),
    "named": (
        """\
class Repository{generic}:
    model: type[{M}]

    def __init__(self, db: Session):
        self.db = db

    def get(self, key: int) -> {M} | None:
        return self.db.get(self.model, key)

    def create(self, **values) -> {M}:
        item = self.model(**values)
        self.db.add(item)
        self.db.commit(){refresh}
        return item

    def update(self, item: {M}) -> {M}:
        self.db.commit()
        return item


class UserRepository(Repository{of_user}):
    model = User


class OrderRepository(Repository{of_order}):
    model = Order


class TeamRepository(Repository{of_team}):
    model = Team


class TagRepository(Repository{of_tag}):
    model = Tag
""",
        "{model}Repository(db).update({item})",
        "{model}Repository(db).update({item})",
        "{model}Repository(db).create({values})",
    ),
}
"""The text of a repository, and what saves an object, changes one, and makes one."""
GETS = {
    "made": "Repository({model}, db).get(key)",
    "crud": "crud_{lower}.get(db, key)",
    "named": "{model}Repository(db).get(key)",
}


def repositories(seed: int) -> str:
    """Return the text of one application."""
    rng = random.Random(f"repositories {seed}")
    kind = rng.choice([*REPOSITORIES])
    text, *calls = REPOSITORIES[kind]
    is_variable = rng.random() < 0.8
    variable = rng.choice(['M = TypeVar("M", bound=Base)\n\n\n', 'M = TypeVar("M")\n\n\n'])
    refresh = "\n        {0}.refresh({1})" if rng.random() < 0.15 else ""
    names = {
        "M": "M" if is_variable else "Base",
        "generic": "(Generic[M])" if is_variable else "",
        **{f"of_{one.name.lower()}": f"[{one.name}]" if is_variable else "" for one in MODELS},
        "refresh": "",
    }
    if refresh and kind in {"saving", "made", "named"}:
        names["refresh"] = refresh.format("self.db", "item")
    elif refresh and kind == "crud":
        names["refresh"] = refresh.format("db", "db_obj")
    models = rng.sample(MODELS, rng.randint(1, 3))
    endpoints = [
        _endpoint(rng, number, model, calls, GETS.get(kind)) for number, model in enumerate(models)
    ]
    head = _head(rng)
    return "".join(
        [
            "from typing import Generic, TypeVar\n\nfrom sqlalchemy import text\n",
            head,
            variable if is_variable else "",
            text.format(**names),
            *(f"\n\n{endpoint}" for endpoint in endpoints),
        ]
    )


def _endpoint(
    rng: random.Random, number: int, model: _Model, calls: list[str], get: str | None
) -> str:
    lower, name = model.name.lower(), "item"
    load = rng.choice([f"db.get({model.name}, key)", get or f"db.get({model.name}, key)"])
    values = {
        "model": model.name,
        "lower": lower,
        "item": name,
        "change": rng.choice(model.changes),
        "values": rng.choice(model.values),
    }
    lines = [
        f"item = {load.format(**values)}",
        "if item is None:\n        raise HTTPException(404)",
    ]
    lines += [f"out = [{rng.choice(model.reads).format(name)}]" for _ in range(rng.randint(0, 1))]
    if rng.random() < 0.5:
        key, _, value = rng.choice(model.changes).partition("=")
        lines.append(f"item.{key} = {value}")
    if rng.random() < 0.3:
        lines.append("db.add(Order(title='more', amount=7, user_id=key))")
    call = rng.choice(calls).format(**values)
    response = rng.choice([f", response_model={each}" for each in model.responses] * 2 + [""])
    read = rng.choice(model.reads).format("saved")
    ends = [[f"return {call}"], [f"saved = {call}", "return saved"]]
    if "item" in call:
        ends.append([call, "return item"])
    if not response:
        ends = [[f"saved = {call}", f"return [{read}]"]]
    lines += rng.choice(ends)
    body = "".join(f"    {line}\n" for line in lines)
    return (
        f'@app.post("/{number}/{{key}}"{response})\n'
        f"def endpoint{number}(key: int, flag: bool = False, db: Session = Depends(get_db)):\n"
        f"{body}"
    )


def _head(rng: random.Random) -> str:
    session = rng.choice(["", "", "", ", autoflush=False"])
    head = HEAD.format(session=session, base="DeclarativeBase", new="", default="", cascade="")
    if rng.random() < 0.4:
        old = "class Base(DeclarativeBase):\n    pass\n"
        head = head.replace(old, "Base = declarative_base()\n")
        head = head.replace(
            "    DeclarativeBase,\n", "    DeclarativeBase,\n    declarative_base,\n"
        )
    if rng.random() < 0.5:
        head = head.replace("    title: Mapped[str]\n", f"    title: Mapped[str]\n{STAMP}")
        head = head.replace("    title: str\n", "    title: str\n    stamp: str\n")
    return head
