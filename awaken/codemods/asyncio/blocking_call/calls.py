"""Blocking calls, told by the functions that they call: in coroutines, and in plain functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from awaken.knowledge import knowledge
from awaken.knowledge.libraries import Wait
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_BRIEF = {
    "acquire", "gensalt", "iterdir", "listdir", "makedirs", "mkdir", "mkdtemp", "remove", "rename",
    "replace", "scandir", "unlink", "NamedTemporaryFile",
}  # fmt: skip
"""Last names of what blocks for a moment only, where nothing is wrong."""
_UNTOLD = ("PIL.Image.open", "select.select", "socket.socket.")
"""What does not block for certain: it may be lazy, or told not to."""
_READS_PATHS = {"read_bytes", "read_text", "write_bytes", "write_text"}
_RECEIVERS = re.compile(r"fut|proc|redis|requests|thread", re.IGNORECASE)
"""How the objects are called whose methods are asked about: `get` is a method of everything."""
_FOLLOWED: set[Wait] = {"sleep", "http", "process", "network", "database", "cpu"}
_NO_PACKAGES = {"builtins", "os"}


class BlockingCall(NamedTuple):
    """A call of a library function that blocks: its qualified name, and what it waits for."""

    call: ast.Call
    name: str
    waits_for: Wait


@cache
def blocking() -> dict[str, Wait]:
    """Return the functions and methods that block, by what they wait for."""
    return {
        name: wait
        for name, wait in knowledge().blocking.items()
        if name.rpartition(".")[2] not in _BRIEF and not name.startswith(_UNTOLD)
    }


@cache
def _last_names() -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in blocking())


@cache
def _words() -> re.Pattern[bytes]:
    """Return what a file holds that names a function of ``blocking``: its package, or itself."""
    packages = {name.partition(".")[0] for name in blocking()} - _NO_PACKAGES
    return re.compile(rb"\bopen\(|\bos\b|" + b"|".join(sorted(one.encode() for one in packages)))


def calls_in_coroutines(project: Project, module: Module) -> Iterator[BlockingCall]:
    """Yield the blocking calls of ``module`` that a coroutine makes by itself."""
    if _words().search(module.source.text) is None:
        return
    for node in module.walk():
        if (
            isinstance(node, ast.Call)
            and last_name(node.func) in _last_names()
            and not isinstance(module.parent(node), ast.Await)
            and module.enclosing_coroutine(node) is not None
        ):
            name = _named(project, module, node) or _method(project, module, node)
            if name is not None:
                yield BlockingCall(node, name, blocking()[name])


def calls_in_functions(project: Project, module: Module) -> Iterator[BlockingCall]:
    """Yield the first blocking call of each plain function of ``module``.

    Only calls that are told by imports alone, and that take their time.
    """
    found: set[ast.FunctionDef] = set()
    if _words().search(module.source.text) is None:
        return
    for node in module.walk():
        if not isinstance(node, ast.Call) or last_name(node.func) not in _last_names():
            continue
        function = module.enclosing_function(node)
        if not isinstance(function, ast.FunctionDef) or function in found:
            continue
        name = _named(project, module, node)
        if name is not None and blocking()[name] in _FOLLOWED:
            found.add(function)
            yield BlockingCall(node, name, blocking()[name])


def _named(project: Project, module: Module, call: ast.Call) -> str | None:
    """Return what ``call`` calls, if imports tell it and it blocks."""
    name = project.qualified_name(module, call.func)
    name = None if name is None else knowledge().canonical(name)
    return name if name in blocking() and not _returns_at_once(module, call) else None


def _method(project: Project, module: Module, call: ast.Call) -> str | None:
    """Return the method that ``call`` calls, if its object is known and it blocks."""
    if not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr not in _READS_PATHS and not _RECEIVERS.search(last_name(call.func.value)):
        return None
    names = set(project.effects.library_functions(module, call))
    if len(names) != 1 or not names <= blocking().keys() or _returns_at_once(module, call):
        return None
    return names.pop()


def _returns_at_once(module: Module, call: ast.Call) -> bool:
    """Whether an argument says that the call does not wait."""
    given = [*call.args, *(one.value for one in call.keywords)]
    if any("WNOHANG" in module.text_of(one) for one in given):
        return True
    timeout = next((one.value for one in call.keywords if one.arg == "timeout"), None)
    if last_name(call.func) in {"join", "result", "wait"} and timeout is None and call.args:
        timeout = call.args[0]
    return isinstance(timeout, ast.Constant) and timeout.value == 0
