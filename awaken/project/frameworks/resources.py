"""The calls of a program that open connections: engines, pools, clients."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.knowledge import knowledge
from awaken.knowledge.libraries import Resource
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import UNPOOLED
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import keyword_of, last_name

_SCRIPTS = {"alembic", "migrations", "scripts", "examples", "docs", "docs_src", "benchmarks"}


class Opening(Struct, frozen=True):
    """A call that opens something; ``name`` is what it calls, by its qualified name."""

    module: Module
    call: ast.Call
    name: str

    @property
    def called_name(self) -> str:
        """The name that is called, as written."""
        return self.module.excerpt(self.call.func)


def words(*resources: Resource) -> tuple[bytes, ...]:
    """Return words of which each file that opens such a thing has at least one."""
    known = knowledge().opens
    return tuple(
        sorted({name.split(".")[-1].encode() for name, item in known.items() if item in resources})
    )


def openings(project: Program, *resources: Resource) -> Iterator[Opening]:
    """Yield the calls that open one of ``resources``, without those of tests and scripts."""
    known = knowledge().opens
    # Also under the names that files of the program give to such a function.
    names = set(project.spellings_of(word.decode() for word in words(*resources)))
    # Most files only mention such a name: they are not even parsed.
    calling = project.files_calling(names)
    for path in project.site_files(words(*resources)):
        if path not in calling or is_aside(path):
            continue
        here = project.names_in(path, names)
        module = None if here.isdisjoint(project.called_names(path)) else project.module(path)
        if module is None or _is_script(module):
            continue
        for call in module.walk():
            # All imports are needed to resolve a call, so only possible ones are resolved.
            if not isinstance(call, ast.Call) or last_name(call.func) not in here:
                continue
            name = project.qualified_name(module, call.func) or ""
            if known.get(name) in resources and not _is_unpooled(project, module, call):
                yield Opening(module, call, name)


def is_aside(path: str) -> bool:
    """Whether a file is no part of the application itself: tests, migrations, scripts."""
    folders = path.split("/")[:-1]
    return is_around_tests(path) or not _SCRIPTS.isdisjoint(folders)


def _is_script(module: Module) -> bool:
    """Whether a file is run by itself, and does not make an application or its routes."""
    text = module.source.text
    makes = any(word in text for word in (b"FastAPI", b"Starlette", b"APIRouter", b"Flask"))
    # A file that makes the application is often run by itself as well.
    return b"__main__" in text and not makes


def _is_unpooled(project: Program, module: Module, call: ast.Call) -> bool:
    """Whether an engine is made to keep no connections."""
    given = keyword_of(call, "poolclass")
    name = None if given is None else project.qualified_name(module, given)
    return name is not None and name.rpartition(".")[2] in UNPOOLED
