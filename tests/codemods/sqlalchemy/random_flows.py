"""Small applications of FastAPI whose endpoints keep objects while they write, from a seed.

Objects are kept in variables, lists, dictionaries and tuples, over loops, helpers, generators and
context managers; sessions commit, roll back and expire between a load and a read of its object.
With ``kept`` functions inside of the endpoint read them, and classes of the program keep them.
"""

from __future__ import annotations

import random
from textwrap import indent

from random_objects import HEAD

HELPERS = {
    "quiet": """\
@contextmanager
def quiet():
    try:
        yield
    except IntegrityError:
        len("refused")
""",
    "loud": """\
@contextmanager
def loud():
    try:
        yield
    finally:
        len("done")
""",
    "work": """\
@contextmanager
def work(db: Session):
    try:
        yield db
        db.commit()
    except IntegrityError:
        db.rollback()
""",
    "Unit": """\
class Unit:
    def __init__(self, db: Session):
        self.db = db

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.db.commit()
        else:
            self.db.rollback()
        return kind is IntegrityError
""",
    "tagged": """\
def tagged(db: Session, name: str) -> bool:
    db.add(Tag(name=name))
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        return False
    return True
""",
    "renamed": """\
def renamed(db: Session, user: User, name: str) -> User:
    user.name = name
    db.commit()
    return user
""",
    "others": """\
def others(db: Session, users):
    return [other for other in db.query(User).order_by(User.id) if other not in users]
""",
    "names": """\
def names(users):
    for user in users:
        yield user.name
""",
    "teams": """\
def teams(users):
    return {user.id: user.team.name if user.team else None for user in users}
""",
    "shown": """\
def shown(user: User):
    return {"name": user.name, "team": user.team.name if user.team else None}
""",
    "counted": """\
def counted(user: User) -> int:
    return len(user.orders)
""",
    "by_id": """\
def by_id(db: Session) -> dict[int, User]:
    return {user.id: user for user in db.query(User).order_by(User.id)}
""",
    "pair": """\
def pair(db: Session, key: int):
    user = db.get(User, key)
    return user, user.team if user else None
""",
    "Keeper": """\
class Keeper:
    def __init__(self, user: User):
        self.user = user

    def name(self):
        return self.user.name

    def team(self):
        return self.user.team.name if self.user.team else None
""",
    "Group": """\
class Group:
    def __init__(self, db: Session, users: list[User]):
        self.db = db
        self.users = users

    def names(self):
        return [user.name for user in self.users]

    def orders(self):
        return [len(user.orders) for user in self.users]

    def undo(self):
        self.db.rollback()
        return self.names()

    def save(self):
        self.db.commit()
        return self.orders()
""",
}
ANSWERING = {
    "saved": """\
def saved(db: Session, user: User) -> User:
    db.commit()
    return user
""",
    "handed": """\
def handed(db: Session, user: User) -> User:
    return saved(db, user)
""",
    "moved": """\
def moved(db: Session, user: User, team_id: int) -> User:
    user.team_id = team_id
    db.commit()
    return user
""",
    "ordered": """\
def ordered(db: Session, user: User) -> User:
    db.add(Order(title="last", amount=1, user_id=user.id))
    db.commit()
    return user
""",
    "reloaded": """\
def reloaded(db: Session, user: User) -> User:
    db.commit()
    db.refresh(user)
    return user
""",
    "Users": """\
class Users:
    def __init__(self, db: Session):
        self.db = db

    def save(self, user: User) -> User:
        self.db.add(user)
        self.db.commit()
        return user
""",
    "all_saved": """\
def all_saved(db: Session, users: list[User]) -> list[User]:
    db.commit()
    return users
""",
}
"""Helpers with annotations that commit, and return what endpoints answer with."""
IMPORTS = "from contextlib import contextmanager\n\n"


class _Body:
    """The body of one endpoint while it is made; the names are those of objects so far."""

    def __init__(self, rng: random.Random, *, kept: bool = False) -> None:
        self.rng = rng
        self.kept = kept
        self.keepers: list[str] = []
        self.groups: list[str] = []
        self.functions: list[str] = []
        self.pairs: list[str] = []
        self.users: list[str] = []
        self.lists: list[str] = []
        self.dicts: list[str] = []
        self.orders: list[str] = []
        self.teams: list[str] = []
        self.helpers: dict[str, None] = {}
        self._count = 0

    def name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def helper(self, name: str) -> str:
        self.helpers[name] = None
        return name

    def text(self) -> str:
        first = [self.load_one(), self.load_many()]
        statements = [self.statement(2) for _ in range(self.rng.randint(3, 7))]
        return "\n".join([*first, *statements, self.read(), self.read()])

    # ------------------------------------------------------------------------------ statements
    def statement(self, depth: int) -> str:
        makers = [
            *[self.event] * 4,
            *[self.read] * 4,
            *[self.keep] * 3,
            *[self.change] * 2,
            self.load_one,
            self.load_many,
        ]
        if self.kept:
            makers += [self.keep_further] * 5
        if depth:
            makers += [self.loop] * 3 + [self.condition, self.block, self.guarded]
        return self.rng.choice(makers)(depth - 1)

    def body(self, depth: int, *, must: str = "") -> str:
        """Return an indented block; what it binds is forgotten after it."""
        state = [list(names) for names in self.scopes()]
        lines = [self.statement(depth) for _ in range(self.rng.randint(1, 3))]
        if must:
            lines.insert(self.rng.randint(0, len(lines)), must)
        for names, before in zip(self.scopes(), state, strict=True):
            names[:] = before
        return indent("\n".join(lines), "    ")

    def scopes(self) -> tuple[list[str], ...]:
        kept = self.keepers, self.groups, self.functions, self.pairs
        return self.users, self.lists, self.dicts, self.orders, self.teams, *kept

    def loop(self, depth: int) -> str:
        name = self.name("user")
        source = self.rng.choice(
            [
                *self.lists,
                *(f"list({each}.values())" for each in self.dicts),
                "db.query(User).order_by(User.id).all()",
            ]
        )
        self.users.append(name)
        body = self.body(depth)
        self.users.remove(name)
        return f"for {name} in {source}:\n{body}"

    def condition(self, depth: int) -> str:
        first = f"if flag:\n{self.body(depth)}"
        return f"{first}\nelse:\n{self.body(depth)}" if self.rng.random() < 0.4 else first

    def block(self, depth: int) -> str:
        head = self.rng.choice(
            [
                f"with {self.helper('work')}(db):",
                f"with {self.helper('Unit')}(db):",
                f"with {self.helper('quiet')}():\n    with db.begin_nested():",
                f"with {self.helper('loud')}():",
            ]
        )
        body = self.body(depth, must=self.rng.choice(["", self.change(), self.clash()]))
        return f"{head}\n{indent(body, '    ') if 'nested' in head else body}"

    def guarded(self, depth: int) -> str:
        body = self.body(depth, must=self.rng.choice([self.clash(), self.change()]))
        return f"try:\n{body}\n    db.commit()\nexcept IntegrityError:\n    db.rollback()"

    # --------------------------------------------------------------------------------- objects
    def load_one(self, _depth: int = 0) -> str:
        name = self.name("user")
        key = self.rng.choice(["key", "1", "3 - key % 2"])
        load = self.rng.choice(
            [
                f"db.get(User, {key})",
                f"db.query(User).filter(User.id == {key}).first()",
                f"db.scalars(select(User).where(User.id == {key})).first()",
            ]
        )
        self.users.append(name)
        return f"{name} = {load}\nif {name} is None:\n    raise HTTPException(404)"

    def load_many(self, _depth: int = 0) -> str:
        if self.rng.random() < 0.3:
            name = self.name("index")
            self.dicts.append(name)
            return f"{name} = {self.helper('by_id')}(db)"
        name = self.name("users")
        self.lists.append(name)
        load = self.rng.choice(
            [
                "db.query(User).order_by(User.id).all()",
                "db.scalars(select(User).order_by(User.id)).all()",
                f"{self.helper('others')}(db, [{self.rng.choice(self.users)}])",
            ]
        )
        return f"{name} = {load}"

    def keep(self, _depth: int = 0) -> str:
        user, pick = self.rng.choice(self.users), self.rng.choice
        kind = pick(["again", "list", "dict", "item", "got", "order", "team", "pair"])
        if kind == "again":
            name = pick([each for each in self.users if each != user] or [self.name("user")])
            self.users.append(name)
            return f"{name} = {user}"
        if kind == "list" and self.lists:
            name = pick(self.lists)
            return f"{name} = [{user}, *{name}]"
        if kind == "dict":
            name = self.name("index")
            text = (
                f"{name} = {{each.name: each for each in {pick(self.lists)}}}" if self.lists else ""
            )
            if text:
                self.dicts.append(name)
                return text
        if kind == "item" and self.lists:
            name = self.name("user")
            self.users.append(name)
            return f"{name} = {pick(self.lists)}[-1]"
        if kind == "got" and self.dicts:
            name = self.name("user")
            self.users.append(name)
            return f"{name} = next(iter({pick(self.dicts)}.values()))"
        if kind == "order":
            name = self.name("orders")
            self.orders.append(name)
            return f"{name} = list({user}.orders)"
        if kind == "team":
            name = self.name("team")
            self.teams.append(name)
            return f"{name} = {user}.team"
        if kind == "pair":
            user, team = self.name("user"), self.name("team")
            self.users.append(user)
            self.teams.append(team)
            call = f"{user}, {team} = {self.helper('pair')}(db, key)"
            return f"{call}\nif {user} is None:\n    raise HTTPException(404)"
        return self.load_one()

    def keep_further(self, _depth: int = 0) -> str:
        """Return what keeps objects in a function, in an object, or in tuples."""
        user, users = self.rng.choice(self.users), self.rng.choice(self.lists or ["[]"])
        kind = self.rng.choice(["keeper", "group", "closure", "closure", "lambda", "act", "pairs"])
        name = self.name(kind)
        match kind:
            case "keeper":
                self.keepers.append(name)
                return f"{name} = {self.helper('Keeper')}({user})"
            case "group":
                self.groups.append(name)
                return f"{name} = {self.helper('Group')}(db, {users})"
            case "pairs":
                self.pairs.append(name)
                return f"{name} = [(each, each.team) for each in {users}]"
            case "lambda":
                self.functions.append(name)
                return f"{name} = lambda: {user}.name"
            case "act":
                self.functions.append(name)
                event = self.rng.choice(["db.commit()", "db.rollback()"])
                return f"def {name}():\n    {event}\n    return {self.rng.choice(self.reads())}"
        read = self.rng.choice(self.reads())
        self.functions.append(name)
        return f"def {name}():\n    return {read}"

    def change(self, _depth: int = 0) -> str:
        user = self.rng.choice(self.users)
        return self.rng.choice(
            [
                f"{user}.name += '!'",
                f"{user}.team_id = 2",
                f"{user}.orders.append(Order(title='more', amount=7))",
                f"db.add(Order(title='other', amount=8, user_id={user}.id))",
                f"db.add(User(name='new', team_id={user}.team_id))",
            ]
        )

    def clash(self) -> str:
        return "db.add(Tag(name='new'))\ndb.flush()"

    def event(self, _depth: int = 0) -> str:
        user, pick = self.rng.choice(self.users), self.rng.choice
        return pick(
            [
                "db.commit()",
                "db.commit()",
                "db.rollback()",
                "db.flush()",
                f"db.refresh({user})",
                f"db.expire({user})",
                "db.expire_all()",
                f"{self.helper('tagged')}(db, {pick(['new', 'made'])!r})",
                f"{self.helper('renamed')}(db, {user}, 'other')",
            ]
        )

    # ----------------------------------------------------------------------------------- reads
    def read(self, _depth: int = 0) -> str:
        reads = self.reads()
        for name in self.keepers:
            reads += [f"{name}.{read}" for read in ("name()", "team()", "user.name")] * 2
        for name in self.groups:
            reads += [f"{name}.{read}()" for read in ("names", "orders", "undo", "save")] * 2
        reads += [f"{name}()" for name in self.functions] * 4
        for name in self.pairs:
            reads += [f"[each.name for each, _ in {name}]"] * 2
            reads += [f"[len(each.orders) for each, _ in {name}]"] * 2
            reads += [f"[team.name for _, team in {name} if team]"] * 2
        return f"out.append({self.rng.choice(reads)})"

    def reads(self) -> list[str]:
        user = self.rng.choice(self.users)
        reads = [
            f"{user}.name",
            f"{user}.team.name if {user}.team else None",
            f"len({user}.orders)",
            f"[order.title for order in {user}.orders]",
            f"[tag.name for tag in {user}.tags]",
        ]
        for name in self.lists:
            reads += [
                f"[each.name for each in {name}]",
                f"list({self.helper('names')}({name}))",
                f"{self.helper('teams')}({name})",
                f"{name}[0].name",
                f"sorted(len(each.orders) for each in {name})",
            ]
        for name in self.dicts:
            reads += [
                f"[each.name for each in {name}.values()]",
                f"max((each.name for each in {name}.values()), default='')",
            ]
        reads += [f"[each.title for each in {name}]" for name in self.orders]
        reads += [f"[each.user.name for each in {name} if each.user]" for name in self.orders]
        reads += [f"{name}.name if {name} else None" for name in self.teams]
        reads += [f"[each.name for each in {name}.users] if {name} else []" for name in self.teams]
        return reads


def flows(seed: int, *, kept: bool = False) -> str:
    """Return the text of one application; if ``kept``, of the wider grammar."""
    rng = random.Random(f"{'kept' if kept else 'flows'} {seed}")
    head = _head(rng)
    body = _Body(rng, kept=kept)
    text = indent(body.text(), "    ")
    helpers = [HELPERS[name] for name in HELPERS if name in body.helpers]
    endpoint = (
        '@app.post("/0/{key}")\n'
        "def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):\n"
        f"    out = []\n{text}\n    return out\n"
    )
    return IMPORTS + head + "\n\n".join([*helpers, endpoint])


def answered(seed: int) -> str:
    """Return the text of one application whose response model reads what a helper returns."""
    rng = random.Random(f"answered {seed}")
    head = _head(rng)
    body = _Body(rng)
    text = indent(body.text(), "    ")
    user, model = rng.choice(body.users), rng.choice(["UserOrdersOut", "UserTeamOut"])
    results = {
        "saved": f"saved(db, {user})",
        "handed": f"handed(db, {user})",
        "moved": f"moved(db, {user}, {rng.choice([1, 2])})",
        "ordered": f"ordered(db, {user})",
        "reloaded": f"reloaded(db, {user})",
        "Users": f"Users(db).save({user})",
        "all_saved": f"all_saved(db, {rng.choice(body.lists or [f'[{user}]'])})",
    }
    name = rng.choice([*results])
    wanted = {*body.helpers, name, *(["saved"] if name == "handed" else [])}
    helpers = [text for each, text in (HELPERS | ANSWERING).items() if each in wanted]
    endpoint = (
        f'@app.post("/0/{{key}}", response_model='
        f"{f'list[{model}]' if name == 'all_saved' else model})\n"
        "def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):\n"
        f"    out = []\n{text}\n    return {results[name]}\n"
    )
    return IMPORTS + head + "\n\n".join([*helpers, endpoint])


def _head(rng: random.Random) -> str:
    return HEAD.format(
        session=rng.choice(["", "", "", ", autoflush=False", ", expire_on_commit=False"]),
        base="DeclarativeBase",
        new="",
        default="",
        cascade=rng.choice(["", ', cascade="all, delete-orphan"']),
    )
