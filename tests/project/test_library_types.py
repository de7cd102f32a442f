from __future__ import annotations

import subprocess
import sys

import pytest
from described import described, values_of

HEAD = """
import asyncio, collections, contextlib, operator, os, pathlib, random
from concurrent.futures import ThreadPoolExecutor
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, joinedload
from sqlalchemy.ext.asyncio import AsyncSession
from models import Note, User
async def load() -> User: ...
def find() -> User: ...
"""


def described_in_function(arguments: str, *lines: str) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return described(values_of(f"{HEAD}\nasync def f({arguments}):\n{body}\n    x\n"))


RESULTS = [
    # asyncio
    ("", "x = asyncio.create_task(load())", "asyncio.Task[User]"),
    ("", "x = await asyncio.create_task(load())", "User"),
    ("", "x = asyncio.ensure_future(load())", "asyncio.Task[User]"),
    ("", "x = asyncio.gather(load(), load())", "asyncio.Future[(User, User)]"),
    ("t: asyncio.Task[User]", "x = await asyncio.gather(t, load())", "(User, User)"),
    ("l: list[asyncio.Task[User]]", "x = await asyncio.gather(*l)", "list[User]"),
    ("", "x = await asyncio.wait_for(load(), 3)", "User"),
    ("", "x = await asyncio.shield(load())", "User"),
    ("", "x = asyncio.run(load())", "User"),
    ("", "x = await asyncio.to_thread(find)", "User"),
    ("l: asyncio.AbstractEventLoop", "x = await l.run_in_executor(None, find)", "User"),
    ("q: asyncio.Queue[User]", "x = await q.get()", "User"),
    ("s: set[asyncio.Task[User]]", "for x in asyncio.as_completed(s): x", "coroutine<User>"),
    ("t: asyncio.Task[User]", "x = t.result()", "User"),
    ("t: asyncio.Task[User]", "x = t.cancel()", "bool"),
    ("l: asyncio.AbstractEventLoop", "x = l.create_task(load())", "asyncio.Task[User]"),
    # containers
    ("d: dict[str, User]", "x = d.get('a')", "User | None"),
    ("d: dict[str, User]", "x = d.pop('a')", "User"),
    ("d: dict[str, User]", "for x in d.values(): x", "User"),
    ("d: dict[str, User]", "for x in d.items(): x", "(str, User)"),
    ("d: dict[str, User]", "x = list(d)", "list[str]"),
    ("l: list[User]", "x = l.pop()", "User"),
    ("l: list[User]", "x = sorted(l, key=lambda one: one.id)", "list[User]"),
    ("l: list[User]", "x = next(iter(l))", "User"),
    ("l: list[User]", "for x in reversed(l): x", "User"),
    ("l: list[User]", "for x in enumerate(l): x", "(int, User)"),
    ("l: list[User], m: set[Note]", "for x in zip(l, m): x", "(User, Note)"),
    ("l: list[User]", "x = max(l, key=id)", "User"),
    ("l: list[User]", "x = random.choice(l)", "User"),
    ("l: tuple[User, User]", "x = random.choice(l)", "User"),
    ("l: tuple[User, Note]", "x = random.choice(l)", "User | Note"),
    ("l: list[User]", "x = random.choices(l, k=2)", "list[User]"),
    ("l: list[User]", "x = min(l, key=operator.attrgetter('id'))", "User"),
    ("l: list[User]", "x = tuple(l)", "tuple[User]"),
    ("l: list[User]", "x = collections.deque(l)", "collections.deque[User]"),
    ("l: list[User]", "x = dict(a=l)", "dict[str, list[User]]"),
    ("l: list[User]", "x = len(l)", "int"),
    # contexts and executors
    ("", "with open('a') as x: x", "io.TextIOWrapper"),
    ("", "async with asyncio.TaskGroup() as g: x = g.create_task(load())", "asyncio.Task[User]"),
    ("e: ThreadPoolExecutor", "x = e.submit(find)", "concurrent.futures.Future[User]"),
    ("e: ThreadPoolExecutor", "x = e.submit(find).result()", "User"),
    ("", "x = os.path.join('a', 'b')", "str"),
    ("", "x = pathlib.Path('a').parent", "pathlib.Path"),
    ("", "x = pathlib.Path.home()", "pathlib.Path"),
    # SQLAlchemy
    ("", "x = User.id", "sqlalchemy.orm.InstrumentedAttribute"),
    ("s: Session", "x = s.get(User, 1)", "User | None"),
    ("s: Session", "x = s.query(User)", "sqlalchemy.orm.Query[User]"),
    ("s: Session", "x = s.query(User).filter(User.id == 1).limit(3).one()", "User"),
    ("s: Session", "x = s.query(User).all()", "list[User]"),
    ("s: Session", "x = s.query(User, Note).all()", "list[(User, Note)]"),
    ("s: Session", "for x in s.query(User): x", "User"),
    ("s: Session", "x = s.execute(select(User)).scalars().all()", "list[User]"),
    ("s: Session", "x = s.execute(select(User, Note)).all()", "list[(User, Note)]"),
    ("s: Session", "x = s.scalars(select(User).where(User.id == 1)).first()", "User | None"),
    ("s: Session", "x = s.scalar(select(User))", "User | None"),
    ("s: Session", "x = s.scalars(select(aliased(User))).one()", "User"),
    ("s: Session", "x = s.execute(select(User, Note)).scalars().all()", "list[User]"),
    ("s: Session", "x = s.scalar(select(User, Note))", "User | None"),
    ("s: Session", "x = s.execute(select(User)).scalar_one()", "User"),
    ("s: Session", "for x in s.execute(select(User, Note)): x", "(User, Note)"),
    ("s: Session", "x = s.execute(select(User, Note)).first()[1]", "Note"),
    ("s: AsyncSession", "x = s.scalar(select(User))", "coroutine<User | None>"),
    ("s: AsyncSession", "x = (await s.execute(select(User))).scalars().all()", "list[User]"),
    ("s: AsyncSession", "x = await s.get(User, 1)", "User | None"),
    ("s: AsyncSession", "async for x in await s.stream_scalars(select(User)): x", "User"),
]


@pytest.mark.parametrize(("arguments", "line", "expected"), RESULTS)
def test_library_gives_what_its_stub_says(arguments, line, expected):
    assert described_in_function(arguments, line) == expected


NOT_KNOWN = [
    ("s: Session", "x = s.query(User.id).first()", "declared as `Any`"),
    ("s: Session", "x = s.execute(other()).all()", "awaken sees no definition"),
    ("d: dict[str, User]", "x = d.invented()", "?`builtins.dict` declares no `invented`"),
    ("", "x = asyncio.invented()", "?the return value of `asyncio.invented` is unknown"),
    ("", "x = await asyncio.gather(*other())", "awaken sees no definition"),
    ("l", "x = sorted(l)", "parameter `l` has no annotation"),
]


@pytest.mark.parametrize(("arguments", "line", "why"), NOT_KNOWN)
def test_what_no_stub_says_is_unknown_with_its_reason(arguments, line, why):
    assert why in described_in_function(arguments, line)


@pytest.mark.parametrize(
    ("path", "text", "line", "expected"),
    [
        # A module of the program comes before a library's of the same name.
        (
            "asyncio.py",
            "def gather(*given): return Fake()\nclass Fake: pass\n",
            "asyncio.gather()",
            "?two files may be `asyncio`",
        ),
        (
            "asyncio/__init__.py",
            "class gather: pass\n",
            "asyncio.gather()",
            "?two files may be `asyncio`",
        ),
        ("typing.py", "List = int\n", "asyncio.run(load())", "User"),
        (
            "collections.py",
            "class deque: pass\n",
            "collections.deque()",
            "?two files may be `collections`",
        ),
    ],
)
def test_program_that_shadows_a_library_is_asked_itself(path, text, line, expected):
    found = described(values_of(f"{HEAD}\nx = {line}\n", files={path: text}))

    assert found == expected


def test_name_that_a_function_binds_is_no_builtin():
    text = f"{HEAD}\ndef f(sorted, l: list[User]):\n    x = sorted(l)\n    x\n"

    assert described(values_of(text)) == "?parameter `sorted` has no annotation"


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("list[User]", "list[User]"),
        ("List[User]", "list[User]"),
        ("Mapping[str, User]", "collections.abc.Mapping[str, User]"),
        ("Sequence[User]", "collections.abc.Sequence[User]"),
        ("Iterable[User]", "generator<User>"),
        ("AsyncIterator[User]", "generator<User>"),
        ("AsyncGenerator[User, None]", "generator<User>"),
        ("Awaitable[User]", "awaitable<User>"),
        ("Coroutine[None, None, User]", "coroutine<User>"),
        ("Callable[[int], User]", "callable<User>"),
        ("Callable[..., Awaitable[User]]", "callable<awaitable<User>>"),
        ("Callable[..., Coroutine[Any, Any, User]]", "callable<coroutine<User>>"),
        ("type[User]", "class User"),
        ("tuple[User, ...]", "tuple[User]"),
        ("tuple[User, Note]", "(User, Note)"),
        ("Tuple[()]", "()"),
        ("Literal['a', 1, None]", "str | int | None"),
        ("Optional['User']", "User | None"),
        ("Union[User, Note]", "User | Note"),
        ("'User | None'", "User | None"),
        ("Annotated[User, 1]", "User"),
        ("ClassVar[User]", "User"),
        ("Bound", "User"),
        ("Chosen", "User | Note"),
        ("Free", "?parameter `x` is annotated with no particular type"),
        ("Renamed", "list[User]"),
        ("Fresh", "User"),
        ("Any", "?parameter `x` is annotated with no particular type"),
        ("Readable", "m.Readable"),
        ("Box[User]", "m.Box[User]"),
    ],
)
def test_annotation_keeps_what_stands_in_its_brackets(annotation, expected):
    text = f"""{HEAD}
from typing import *
from typing import Annotated, Any, Awaitable, AsyncGenerator, AsyncIterator, Callable, ClassVar
from typing import Coroutine, Generic, Iterable, List, Literal, Mapping, NewType, Optional
from typing import Protocol, Sequence, Tuple, TypeAlias, TypeVar, Union
Bound = TypeVar("Bound", bound=User)
Chosen = TypeVar("Chosen", User, Note)
Free = TypeVar("Free")
Renamed: TypeAlias = List[User]
Fresh = NewType("Fresh", User)
class Readable(Protocol):
    def read(self) -> str: ...
class Box(Generic[Free]): ...
def f(x: {annotation}):
    x
"""

    assert described(values_of(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Json = dict[str, 'Json'] | list['Json'] | str",
        "class Json(dict[str, 'Json']): ...",
        "class Json(list['Other']): ...\nclass Other(Json, list[Json]): ...",
        "Json = 'Json'",
        "Json = list['Json']",
    ],
)
def test_type_that_names_itself_comes_to_an_end(text):
    found = described(values_of(f"{text}\ndef f(given: Json):\n    x = given.pop()\n    x\n"))

    assert found


GENERICS = """
from typing import Generic, Self, TypeVar
from models import Note, User
T = TypeVar("T")
K = TypeVar("K")
class Store(Generic[K, T]):
    held: T
    def get(self, key: K) -> T | None: ...
    async def all(self) -> list[T]: ...
    def same(self) -> Self: ...
    @property
    def first(self) -> T: ...
class Users(Store[str, User]):
    pass
class Special(Users):
    pass
def pick(wanted: type[T], default: K = None) -> T | K: ...
def first(of: list[T]) -> T: ...
def made(call: "Callable[[], T]") -> T: ...
class Pairs(list[tuple[T, K]]):
    pass
def pairs() -> Pairs[User, str]: ...
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Users().get('a')", "User | None"),
        ("Special().get('a')", "User | None"),
        ("Special().first", "User"),
        ("Special().same()", "m.Special"),
        ("Users().all()", "coroutine<list[User]>"),
        ("Store().get('a')", "?`T` is not a type of one kind | None"),
        ("pick(User, Note())", "User | Note"),
        ("first([User()])", "User"),
        ("pairs().pop()", "(User, str)"),
    ],
)
def test_type_variable_stands_for_what_class_or_call_gives(line, expected):
    assert described(values_of(f"{GENERICS}x = {line}\n")).startswith(expected)


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("id", "int"),
        ("name", "str"),
        ("nick", "str | None"),
        ("notes", "list[Note]"),
        ("drafts", "sqlalchemy.orm.AppenderQuery[Note]"),
        ("drafts.all()", "list[Note]"),
        ("kept", "list[Note]"),
        ("flowing", "sqlalchemy.orm.AppenderQuery[Note]"),
        ("written.select()", "sqlalchemy.Select[(Note)]"),
        ("profile", "Profile | None"),
        ("notes.pop().user", "User | None"),
        ("notes.pop().tags", "list[Tag]"),
        ("notes.pop().tags.pop().notes", "list[Note]"),
    ],
)
def test_attribute_of_a_mapped_object_is_what_its_mapping_says(attribute, expected):
    assert described_in_function("u: User", f"x = u.{attribute}") == expected


FLASK = """
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()
class BlogPost(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(3), nullable=False)
    replies = db.relationship("Reply", backref="post")
    answers = db.relationship("Reply", lazy="dynamic", backref="question")
class Reply(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    post_id = db.Column(db.ForeignKey("blog_post.id"))
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("BlogPost.query", "sqlalchemy.orm.Query[models.BlogPost]"),
        ("BlogPost.query.filter_by(id=1).first()", "BlogPost | None"),
        ("BlogPost.query.get_or_404(1).title", "str"),
        ("BlogPost.query.paginate(page=1).items", "list[models.BlogPost]"),
        ("BlogPost().replies", "list[Reply]"),
        ("BlogPost().answers.all()", "list[Reply]"),
        ("Reply().post", "BlogPost | None"),
        ("Reply().question", "BlogPost | None"),
        ("db.session.query(Reply).one()", "Reply"),
    ],
)
def test_extension_of_flask_gives_queries_and_tables_to_classes(line, expected):
    text = f"from models import db, BlogPost, Reply\nx = {line}\n"
    found = described(values_of(text, files={"models.py": FLASK}))

    assert found == expected.replace("models.", "")


def origins_of(text: str) -> list[str]:
    """Return the first words of the calls that the last ``x`` comes from."""
    found = [one for one in values_of(HEAD + text) if hasattr(one, "origins")]
    assert found
    places = [one.place for value in found for one in value.origins or ()]
    whole = (HEAD + text).encode()
    return [whole[place.span.start : place.span.end].decode() for place in places]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = User()\n", ["User()"]),
        ("def f(s: Session):\n  x = s.get(User, 1)\n  x\n", ["s.get(User, 1)"]),
        ("def f(s: Session):\n  x = s.query(User).first()\n  x\n", ["s.query(User)"]),
        (
            "def f(s: Session):\n  q = select(User)\n  x = s.scalars(q.limit(1)).one()\n  x\n",
            ["select(User)"],
        ),
        # An annotation does not replace where the object came from.
        (
            (
                "def g(s: Session) -> User:\n  return s.get(User, 1)\ndef f(s: Session):\n"
                "  x = g(s)\n  x\n"
            ),
            ["s.get(User, 1)"],
        ),
        # Two loads are one alternative.
        (
            "def f(s: Session, c):\n  x = s.get(User, 1) if c else s.get(User, 2)\n  x\n",
            ["s.get(User, 1)", "s.get(User, 2)"],
        ),
        # Of a parameter the callers know more.
        (
            "def f(s: Session, u: User, c):\n  x = s.get(User, 1) if c else u\n  x\n",
            ["u: User", "s.get(User, 1)"],
        ),
        # One way that is not known leaves them all open.
        (
            "def f(s: Session, c):\n  u: User\n  x = s.get(User, 1) if c else u\n  x\n",
            [],
        ),
    ],
)
def test_object_knows_the_calls_that_it_may_come_from(text, expected):
    assert origins_of(text) == expected


def only_origin(text: str):
    (value,) = [one for one in values_of(HEAD + text) if hasattr(one, "origins")]
    (origin,) = value.origins
    return origin


def words_at(places, text: str) -> list[str]:
    whole = (HEAD + text).encode()
    return [whole[one.span.start : one.span.end].decode() for one in places]


@pytest.mark.parametrize(
    "line",
    [
        "x = s.query(User).options(joinedload(User.notes)).filter(User.id == 1).first()",
        "x = s.scalars(select(User).options(joinedload(User.notes))).first()",
        "x = s.get(User, 1, options=[joinedload(User.notes)])",
        "x = s.execute(select(User, Note).options(joinedload(User.notes))).first()[0]",
    ],
)
def test_origin_names_the_loader_options_of_its_statement(line):
    text = f"def f(s: Session):\n  {line}\n  x\n"

    assert words_at(only_origin(text).options, text) == ["joinedload(User.notes)"]


def test_origin_says_which_relationships_lead_from_what_is_loaded():
    text = "def f(s: Session):\n  for n in s.query(User).one().notes:\n    x = n.user\n    x\n"
    origin = only_origin(text)

    owners = [one.rpartition(".") for one in origin.way]
    assert [name for _, _, name in owners] == ["notes", "user"]
    assert all(owner.endswith((".User", ".Note")) for owner, _, _ in owners)
    assert words_at([origin.place], text) == ["s.query(User)"]


def test_way_without_end_is_given_up():
    text = "def f(s: Session):\n  x = s.query(User).one()\n  while x:\n    x = x.notes[0].user\n"
    found = values_of(f"{HEAD}{text}  x\n")

    assert described(found) == "User | None"
    assert found[0].origins is None


def test_what_is_put_into_a_list_that_a_library_made_counts():
    text = "def f(s: Session):\n  x = s.query(User).all()\n  x.append(Note())\n  x\n"

    assert described(values_of(HEAD + text)) == "list[User | Note]"


def test_two_loads_of_a_class_are_one_alternative():
    loads = " or ".join(f"s.get(User, {one})" for one in range(20))
    found = values_of(f"{HEAD}def f(s: Session):\n  x = {loads}\n  x\n")

    assert described(found) == "User | None"


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ("Base", "m.Derived"),
        ("Derived", "m.Derived"),
        ("Other", "m.Other"),
        ("list[Base]", "list[m.Base]"),
    ],
)
def test_annotation_rules_where_what_is_returned_is_no_such_instance(returns, expected):
    text = f"""
class Base: ...
class Derived(Base): ...
class Other: ...
def f() -> {returns}:
    return Derived()
x = f()
"""

    assert described(values_of(text)) == expected


def test_annotation_rules_where_what_is_returned_is_unknown():
    text = "class A: ...\ndef f(y) -> A:\n    if y: return A()\n    return y.other\nx = f(1)\n"
    found = values_of(text)

    assert described(found) == "m.A"
    assert found[0].origins is None


def test_run_that_asks_for_no_stub_imports_none():
    code = (
        "import sys\n"
        "from awaken.project import Project, Snapshot\n"
        "from awaken.workspace.sources import decode\n"
        "text = b'class A: pass\\nx = A()\\n'\n"
        "project = Project(Snapshot({'a.py': decode('a.py', text)}), None)\n"
        "module = project.module('a.py')\n"
        "project._evaluator.global_values(module, 'x')\n"
        "assert 'typeshed_client' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)

    assert done.returncode == 0, done.stderr


def test_stub_is_not_looked_for_in_the_program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "invented_library.pyi").write_text("def give() -> int: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "import invented_library\nx = invented_library.give()\n"

    assert described(values_of(text)).startswith("?the return value of `invented_library.give`")
