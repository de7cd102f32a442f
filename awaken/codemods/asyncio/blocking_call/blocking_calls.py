"""Blocking calls, recognized by the function: in coroutines, and in plain functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, get_args

from awaken.knowledge import knowledge
from awaken.knowledge.libraries import Wait
from awaken.knowledge.library_names import name_list
from awaken.project.source.trees import arguments_of, keyword_of, last_name
from awaken.project.source.worklist import groups_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_LONGEST_RECEIVER = 100  # bytes in front of a method that may be what it is called on
_BRIEF = name_list("brief")
_UNTOLD = ("PIL.Image.open", "select.select", "socket.socket.")
"""Functions that may not block: they may be lazy, or configured not to."""
_IN_MEMORY = {"io.BytesIO", "io.StringIO"}
_FILES = {"file", "filename", "fileobj", "filepath_or_buffer", "io", "path", "path_or_buf"}
_READS_PATHS = {"read_bytes", "read_text", "write_bytes", "write_text"}
_RECEIVERS = re.compile(
    r"boto|client|crypt|fut|hash|http|passw|proc|pwd|redis|requests|s3|smtp|thread", re.IGNORECASE
)
"""How the objects are called whose methods are asked about: `get` is a method of everything."""
_FOLLOWED: frozenset[Wait] = frozenset({"sleep", "http", "process", "network", "database", "cpu"})
_CALL = r"[\s\\)]*\("  # a parenthesis may be closed before the call: `(load)(x)`
_ALL: frozenset[Wait] = frozenset(get_args(Wait))


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
def _last_names(waits: frozenset[Wait]) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name, wait in blocking().items() if wait in waits)


class _Mentions(NamedTuple):
    """Words in a text that show a possible call of a package's function, fully qualified or not."""

    by_package: re.Pattern[bytes]
    imported: re.Pattern[bytes]
    by_name: re.Pattern[bytes]


@cache
def _functions(waits: frozenset[Wait]) -> dict[bytes, list[str]]:
    """Return the functions that wait for such things, by their package."""
    functions = sorted(
        name
        for name, wait in blocking().items()
        # Imports alone do not say what an object is.
        if wait in waits and not name.split(".")[-2][:1].isupper()
    )
    by_package = groups_of(functions, lambda name: name.partition(".")[0].encode())
    return {package: names for package, names in by_package.items() if package != b"builtins"}


@cache
def _mentions_of(package: bytes, waits: frozenset[Wait]) -> _Mentions:
    name = package.decode()
    last = "|".join(sorted({name.rpartition(".")[2] for name in _functions(waits)[package]}))
    called = rf"(?:{last}){_CALL}"
    return _Mentions(
        re.compile(rf"\b{name}(?:\.\w+)*\.{called}".encode()),
        re.compile(rf"\bfrom[ \t]+{name}\b|\b{name}(?:\.\w+)*[ \t]+as\b".encode()),
        re.compile(rf"\b(?:{called}|(?:{last})[ \t]+as\b)".encode()),
    )


class _CallsOfMethods(NamedTuple):
    """The words of method calls that ``_method`` decides: the call itself, and its receiver."""

    called: re.Pattern[bytes]
    receiver: re.Pattern[bytes]


@cache
def _calls_of_methods() -> _CallsOfMethods:
    names = "|".join(sorted(_last_names(_ALL)))
    return _CallsOfMethods(
        # The pattern begins with a dot, because that search is faster than one for many names.
        re.compile(rf"\.[\s\\]*({names}){_CALL}".encode()),
        re.compile(rf"(?i:{_RECEIVERS.pattern})\w*[\s\\)]*\Z".encode()),
    )


def _calls_method(text: bytes) -> bool:
    called, receiver = _calls_of_methods()
    return any(
        match[1].decode() in _READS_PATHS
        or receiver.search(text, max(0, match.start() - _LONGEST_RECEIVER), match.start())
        for match in called.finditer(text)
    )


def may_be_in_functions(text: bytes) -> bool:
    """Whether ``calls_in_functions`` may find something in a file: asked before it is parsed."""
    return _calls_method(text) or _may_call(text, _FOLLOWED)


def may_be_in_coroutines(text: bytes) -> bool:
    """Whether ``calls_in_coroutines`` may find something in a file: asked before it is parsed."""
    if b"async def" not in text:
        return False
    is_told = b"open(" in text or _calls_method(text)
    return is_told or _may_call(text, _ALL)


def _may_call(text: bytes, waits: frozenset[Wait]) -> bool:
    for package in _functions(waits):
        if package not in text:
            continue
        mentions = _mentions_of(package, waits)
        if mentions.by_package.search(text):
            return True
        if mentions.imported.search(text) and mentions.by_name.search(text):
            return True
    return False


def calls_in_coroutines(project: Project, module: Module) -> Iterator[BlockingCall]:
    """Yield the blocking calls of ``module`` that a coroutine makes by itself."""
    names = project.names_in(module.path, _last_names(_ALL))
    for node in module.nodes(ast.Call):
        if (
            last_name(node.func) in names
            and not isinstance(module.parent(node), ast.Await)
            and module.enclosing_coroutine(node) is not None
        ):
            name = _named_text(project, module, node) or _method(project, module, node)
            if name is not None:
                yield BlockingCall(node, name, blocking()[name])


def calls_in_functions(project: Project, module: Module) -> Iterator[BlockingCall]:
    """Yield the first blocking call of each plain function of ``module``.

    Only calls that are told by imports, or by how their objects are called, and that take their
    time.
    """
    functions: set[ast.FunctionDef] = set()
    names = project.names_in(module.path, _last_names(_FOLLOWED))
    for node in module.nodes(ast.Call):
        if last_name(node.func) not in names:
            continue
        function = module.enclosing_function(node)
        if not isinstance(function, ast.FunctionDef) or function in functions:
            continue
        name = _named_text(project, module, node) or _method(project, module, node)
        if name is not None and blocking()[name] in _FOLLOWED:
            functions.add(function)
            yield BlockingCall(node, name, blocking()[name])


def _named_text(project: Project, module: Module, call: ast.Call) -> str | None:
    """Return what ``call`` calls, if imports tell it and it blocks."""
    name = project.qualified_name(module, call.func)
    name = None if name is None else knowledge().canonical(name)
    if name not in blocking() or _returns_at_once(module, call):
        return None
    is_file = blocking()[name] == "file"
    return None if is_file and _is_in_memory(project, module, call) else name


def _method(project: Project, module: Module, call: ast.Call) -> str | None:
    """Return the method that ``call`` calls, if its object is known and it blocks."""
    if not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr not in _READS_PATHS and not _RECEIVERS.search(last_name(call.func.value)):
        return None
    if not project.files_with(_words_of_owners(call.func.attr)):
        return None  # the program has no object of a package that it does not mention
    names = set(project.effects.library_functions(module, call))
    if len(names) != 1 or not names <= blocking().keys() or _returns_at_once(module, call):
        return None
    return names.pop()


@cache
def _words_of_owners(method: str) -> tuple[bytes, ...]:
    """Return the packages whose objects may have a method that blocks and is called like this."""
    known = knowledge()
    owners = {name.rpartition(".")[0] for name in blocking() if name.endswith(f".{method}")}
    made = [*owners, *(maker for maker, owner in known.instances.items() if owner in owners)]
    if any(owner.startswith("sqlalchemy.") for owner in owners):
        made += [*known.types, *known.calls, *known.attributes, *known.managers]
    return tuple(sorted({name.partition(".")[0].encode() for name in made}))


def _is_in_memory(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether what ``call`` opens or reads is an object in memory, and no file."""
    if not project.files_with((b"BytesIO", b"StringIO")):
        return False
    file = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg in _FILES)]
    return any(
        classes and set(classes) <= _IN_MEMORY
        for classes in (project.instance_of(module, node) for node in file)
    )


def _returns_at_once(module: Module, call: ast.Call) -> bool:
    """Whether an argument says that the call does not wait."""
    arguments = arguments_of(call)
    if any("WNOHANG" in module.text_of(argument) for argument in arguments):
        return True
    timeout = keyword_of(call, "timeout")
    if last_name(call.func) in {"join", "result", "wait"} and timeout is None and call.args:
        timeout = call.args[0]
    return isinstance(timeout, ast.Constant) and timeout.value == 0
