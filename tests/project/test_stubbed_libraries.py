"""What the libraries give that our own stubs declare, and what a class has from above."""

from __future__ import annotations

import pytest
from described import described, values_of

HEAD = """
import contextlib, datetime, os, pathlib, sys, uuid
from typing import Annotated, Optional, Union
import aiohttp, anyio, flask, httpx, requests
import sqlalchemy as sa
from alembic import context, op
from alembic.config import Config
from alembic.migration import MigrationContext as Former
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import Request
from fastmcp import Context
from pydantic import BaseModel, Field, RootModel, TypeAdapter, ValidationInfo
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import RequestResponseEndpoint
class Item(BaseModel):
    name: str
class Special(Item):
    def model_dump(self, **kwargs) -> int: ...
class Several(RootModel[list[Item]]): ...
class Entered:
    def __enter__(self) -> int: ...
class Waiting:
    async def __aenter__(self) -> str: ...
class Halfway(httpx.Client): ...
def find() -> Item: ...
"""


def _described(arguments: str, *lines: str) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return described(values_of(f"{HEAD}\nasync def f({arguments}):\n{body}\n    x\n"))


KNOWN = [
    # pydantic
    ("", "x = Item.model_validate({})", "m.Item"),
    ("", "x = Special.parse_obj({})", "m.Special"),
    ("i: Special", "x = i.model_copy()", "m.Special"),
    ("i: Item", "x = list(i.model_dump())", "list[str]"),
    ("i: Special", "x = i.model_dump()", "int"),
    ("i: Item", "x = i.model_fields_set", "set[str]"),
    ("", "x = TypeAdapter(Item).validate_python({})", "m.Item"),
    ("", "x = TypeAdapter(list[Item]).validate_python({})", "list"),
    ("i: ValidationInfo", "x = list(i.data)", "list[str]"),
    # clients
    ("c: httpx.AsyncClient", "x = await c.get('a')", "httpx.Response"),
    ("c: httpx.AsyncClient", "async with c.stream('a', 'b') as x: x", "httpx.Response"),
    ("c: httpx.Client", "x = c.get('a').raise_for_status().text", "str"),
    ("", "x = requests.post('a').status_code", "int"),
    ("s: aiohttp.ClientSession", "x = await s.get('a')", "aiohttp.ClientResponse"),
    ("s: aiohttp.ClientSession", "async with s.get('a') as x: x", "aiohttp.ClientResponse"),
    ("", "async with aiohttp.ClientSession() as x: x", "aiohttp.ClientSession"),
    # servers
    ("r: Request", "x = r.client", "starlette.datastructures.Address | None"),
    ("r: Request", "for _, x in r.headers.items(): x", "str"),
    ("r: Request", "x = await r.form()", "starlette.datastructures.FormData"),
    ("r: Request, n: RequestResponseEndpoint", "x = await n(r)", "starlette.responses.Response"),
    ("c: Context", "x = await c.info('a')", "None"),
    # threads
    ("", "x = await anyio.to_thread.run_sync(find)", "m.Item"),
    ("", "x = await run_in_threadpool(find)", "m.Item"),
    # migrations
    ("", "x = op.get_bind()", "sqlalchemy.Connection"),
    ("", "x = sa.text('a')", "sqlalchemy.TextClause"),
    ("", "with op.batch_alter_table('a') as x: x", "alembic.operations.BatchOperations"),
    ("c: sa.Connection", "x = MigrationContext.configure(c).get_current_revision()", "str | None"),
    ("", "x = Former.configure()", "alembic.runtime.migration.MigrationContext"),
    ("", "x = op.get_context().get_current_heads()", "tuple[str]"),
    ("", "x = context.get_context().bind", "sqlalchemy.Connection | None"),
    ("", "x = context.config.get_main_option('a')", "str | None"),
    ("", "x = Config('a').get_section('b', {})", "dict[str, str]"),
    ("", "x = ScriptDirectory.from_config(Config()).get_revision('a').doc", "str"),
    ("s: ScriptDirectory", "for x in s.walk_revisions(): x", "alembic.script.Script"),
    # variables of libraries, and items by a method
    ("", "x = os.environ.get('a')", "str | None"),
    ("", "x = os.environ['a']", "str"),
    ("", "x = sys.argv[0]", "str"),
    ("", "for x in sys.argv: x", "str"),
    # attributes of variables of libraries
    ("", "x = flask.request.args.get('a')", "str | None"),
    ("", "x = flask.request.args.get('a', type=int)", "int | None"),
    ("", "x = flask.request.form['a']", "str"),
    ("", "x = flask.request.files['a'].filename", "str | None"),
    ("", "for x in flask.request.values.getlist('a'): x", "str"),
    # operators
    ("p: pathlib.Path", "x = p / 'a'", "pathlib.Path"),
    ("p: pathlib.Path", "x = 'a' / p", "pathlib.Path"),
    ("t: datetime.datetime", "x = t - t", "datetime.timedelta"),
    ("t: datetime.datetime", "x = t - datetime.timedelta(1)", "datetime.datetime"),
    # what every function, class and instance has
    ("", "x = find.__name__", "str"),
    ("", "x = Item.__name__", "str"),
    ("i: Item", "x = i.__class__.model_validate({})", "m.Item"),
    ("i: Item", "x = type(i).model_validate({})", "m.Item"),
    # what raises adds nothing
    ("e: Entered | Waiting", "with e as x: x", "int"),
    ("e: Entered | Waiting", "async with e as x: x", "str"),
    ("l: list[str] | uuid.UUID", "for x in l: x", "str"),
]


@pytest.mark.parametrize(("arguments", "line", "expected"), KNOWN)
def test_library_gives_what_its_stub_says(arguments, line, expected):
    assert _described(arguments, line) == expected


NOT_KNOWN = [
    ("c: httpx.Client", "x = c.get('a').json()", "?it is declared as `Any`"),
    ("r: Request", "x = r.state.user", "`starlette.datastructures.State` declares no `user`"),
    ("s: Several", "x = s.model_dump()", "?it is declared as `Any`"),
    ("c: httpx.Client", "x = c.invented", "?`httpx.Client` declares no `invented`"),
    ("", "x = flask.g.args.get('a')", "?the return value of `flask.g.args.get` is unknown"),
    ("", "x = TypeAdapter(Union[Item, int]).validate_python({})", "?the return type of"),
    ("", "x = TypeAdapter(Item | int).validate_python({})", "?the return type of"),
    ("", "x = Field()", "?the return value of `pydantic.Field` is unknown"),
    ("t: datetime.datetime", "x = t * 2", "NotRelevant"),
    # Nothing else is left, or it may be an instance of a class that can be entered.
    ("e: Waiting", "with e as x: x", "?`m.Waiting` has no visible `__enter__`"),
    ("e: Entered | Unseen", "async with e as x: x", "?"),
    ("e: Waiting | Halfway", "async with e as x: x", "str | ?"),
    ("l: uuid.UUID", "for x in l: x", "?this is no generator that can be followed"),
]


@pytest.mark.parametrize(("arguments", "line", "why"), NOT_KNOWN)
def test_what_no_stub_says_is_unknown_with_its_reason(arguments, line, why):
    assert why in _described(arguments, line)


CLASSES = """
import logging
from elsewhere import Unseen
class Above:
    size = 3
    def __init__(self, size): ...
    def read(self) -> int: ...
    @property
    def text(self) -> str: ...
    @classmethod
    def made(cls) -> bytes: ...
    @staticmethod
    def plain() -> float: ...
class Between(Above):
    def read(self) -> str: ...
"""


def _above(line: str, bases: str = "Between", function: str = "def read(self)") -> str:
    return described(
        values_of(
            f"{CLASSES}\nclass Below({bases}):\n    {function}:\n        x = {line}\n        x\n"
        )
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("super().read()", "str"),
        ("super().text", "str"),
        ("super().size", "int"),
        ("super().made()", "bytes"),
        ("super().plain()", "float"),
        ("super().__init__(1)", "None"),
        ("super(Below, self).read()", "str"),
        ("Above.__init__(self, 1)", "None"),
        # It skips the class in between.
        ("super(Between, self).read()", "?`builtins.super` declares no `read`"),
        ("super().invented()", "?the value of `super().invented` is unknown"),
    ],
)
def test_super_reads_what_the_class_above_has(line, expected):
    assert _above(line) == expected


def test_super_of_a_class_method_reads_the_class():
    assert _above("super().text", function="@classmethod\n    def make(cls)") == "property"


def test_super_reads_what_a_library_declares():
    assert _above("super().handle(1)", bases="logging.Handler") == "bool"


def test_super_of_a_base_out_of_sight_is_unknown():
    assert _above("super().read()", bases="Unseen, Above").startswith("?")


def test_super_in_a_function_inside_of_a_method_is_unknown():
    text = f"{CLASSES}\nclass Below(Between):\n    def go(self):\n        def inner():\n"
    found = described(values_of(f"{text}            x = super().read()\n            x\n"))

    assert found == "?the value of `super().read` is unknown"


def test_narrowing_keeps_the_class_that_was_called():
    models = """
from typing import Self, TypeVar
from pydantic import BaseModel
M = TypeVar("M", bound=BaseModel)
def all_of(model: type[M], given) -> list[M]:
    return [model.model_validate(one) for one in given]
class Base(BaseModel):
    @classmethod
    def several(cls, given) -> list[Self]:
        return all_of(cls, given)
class Flow(Base): ...
x = Flow.several([])
x
"""

    assert described(values_of(models)) == "list[m.Flow]"
