"""Reading over HTTP: calls that only read, over a client that many tasks may use at once."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaken.kit.rule import ProjectFacts
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.effects.own_nodes import own_nodes, waited_for
from awaken.project.source.memo import recursive
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_VERBS = "describe|download|fetch|find|get|head|list|load|lookup|query|read|retrieve|search"
_READS = re.compile(rf"_*(async_|a)?({_VERBS})(_\w+)?")
_AWAITED = re.compile(rf"=\s*await\s[^\n]*?\b_*(?:async_|a)?(?:{_VERBS})".encode())
_SENDING = {"get", "head", "post", "request", "send"}
_CLIENTS = ("aiohttp.ClientSession.", "httpx.AsyncClient.")
_CLIENT_NAMES = {"client", "http", "httpx", "session", "websession"}
_OF_RESPONSES = {"aread", "json", "raise_for_status", "read", "release", "text"}
_AROUND = name_list("around_requests")
_TRANSPARENT = {"classmethod", "override", "staticmethod"}
_LIBRARIES = (b"httpx", b"aiohttp")


def may_have_a_row(text: bytes) -> bool:
    """Whether a file of this text awaits two calls that are named for reading: most do not."""
    return len(_AWAITED.findall(text)) > 1


def reads_over_http(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether awaiting ``call`` sends requests that read, and does nothing else.

    It is one of a client, or calls functions of the program whose names say that they read, and
    which change nothing that others see.
    """
    if _is_sent(project, module, call):
        return last_name(call.func) in {"get", "head"}
    if _READS.fullmatch(last_name(call.func)) is None:
        return False
    return _Following(project).sends(module, call)


class _Following(ProjectFacts):
    """The functions that one call leads to."""

    def sends(self, module: Module, call: ast.Call) -> bool:
        """Whether ``call`` runs functions of the program that send requests, and only that."""
        functions = self._project.calls.known_functions(module, call)
        return bool(functions) and all(self._function_sends(*each) for each in functions)

    # A recursive call proves nothing.
    @recursive(lambda *_: False)
    def _function_sends(self, module: Module, function: Function) -> bool:
        if _changes_anything(module, function):
            return False
        awaited = [part for node in own_nodes(function.body) for part in waited_for(node)]
        return all(
            self._sends(module, one) or self._is_harmless(module, one) for one in awaited
        ) and any(self._sends(module, node) for node in awaited)

    def _sends(self, module: Module, awaited: ast.expr) -> bool:
        if not isinstance(awaited, ast.Call):
            return False
        if _is_sent(self._project, module, awaited):
            return True
        name = self._project.qualified_name(module, awaited.func)
        if name == "asyncio.wait_for" and awaited.args:
            return self._sends(module, awaited.args[0])
        return self.sends(module, awaited)

    def _is_harmless(self, module: Module, awaited: ast.expr) -> bool:
        """Whether ``awaited`` only serves requests: a client, a deadline, a response."""
        if not isinstance(awaited, ast.Call):
            return False
        if self._project.qualified_name(module, awaited.func) in _AROUND:
            return True
        match awaited.func:
            case ast.Attribute(value=ast.Name(id=owner), attr=method):
                return method in _OF_RESPONSES and owner != "self"
        return False


def _is_sent(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether ``call`` sends a request over a client of httpx or aiohttp."""
    if last_name(call.func) not in _SENDING or not isinstance(call.func, ast.Attribute):
        return False
    text = module.source.text
    if not any(candidate in text for candidate in _LIBRARIES):
        return False
    if last_name(call.func.value).strip("_").split("_")[-1] in _CLIENT_NAMES:
        return b"sqlalchemy" not in text
    names = project.effects.library_functions(module, call)
    return bool(names) and all(name.startswith(_CLIENTS) for name in names)


def may_read(call: ast.Call) -> bool:
    """Whether ``call`` is named for reading."""
    return _READS.fullmatch(last_name(call.func)) is not None


def _changes_anything(module: Module, function: Function) -> bool:
    """Whether ``function`` may change what others see, or hides what it does."""
    if module.is_generator(function) or isinstance(function, ast.FunctionDef):
        return True
    if any(last_name(decorator) not in _TRANSPARENT for decorator in function.decorator_list):
        return True
    for node in ast.walk(function):
        match node:
            case ast.Global() | ast.Nonlocal():
                return True
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                return True
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=ast.Attribute()):
                return True
            case ast.Call(func=ast.Attribute(value=ast.Attribute(), attr=name)):
                if name in library_names().changing_methods:
                    return True
    return False
