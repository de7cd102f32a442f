"""Files of the program that are loaded as modules by their paths or their names."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Sequence

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of
from awaken.project.values.domain import External, ModuleOf
from awaken.project.values.questions import Questions

MAKING = "importlib.util.module_from_spec"
NAMING = ("importlib.import_module", "builtins.__import__")
REGISTRY = "sys.modules"
_FROM_FILE = "importlib.util.spec_from_file_location"
_LOCATION = 1
"""The position of the path among its arguments."""
_FROM_LIST = 3
"""The position of `fromlist` among the arguments of `__import__`."""

_SAME = name_list("same_path")
_KEEPING = {"absolute", "as_posix", "resolve"}
"""Methods of a path that give the same one."""


def loaded_module(evaluator: Questions, module: Module, node: ast.Call) -> ModuleOf | None:
    """Return the file that ``module_from_spec(spec)`` makes a module of; None if it is unknown."""
    given = _value_of(module, node.args[0]) if node.args else None
    paths = _Paths(evaluator, module)
    if not isinstance(given, ast.Call) or paths.name_of(given.func) != _FROM_FILE:
        return None
    location = keyword_of(given, "location")
    if location is None and len(given.args) > _LOCATION:
        location = given.args[_LOCATION]
    path = None if location is None else paths.path_of(location)
    result = None if path is None else evaluator.load(path)
    return None if result is None else ModuleOf(result.path)


def imported_module(
    evaluator: Questions, module: Module, node: ast.Call, function: str
) -> ModuleOf | External | None:
    """Return the module that a call of one of ``NAMING`` gives; None if it is unknown."""
    names = keyword_of(node, "fromlist") or next(iter(node.args[_FROM_LIST:]), None)
    # Without a list of names `__import__` gives the package at the top.
    is_named = function == NAMING[0] or (isinstance(names, ast.List | ast.Tuple) and names.elts)
    is_absolute = len(node.args) <= _FROM_LIST + 1 and keyword_of(node, "level") is None
    if not node.args or not is_named or not is_absolute:
        return None
    return named_module(evaluator, module, node.args[0])


def named_module(
    evaluator: Questions, module: Module, name: ast.expr
) -> ModuleOf | External | None:
    """Return the module that a text names; None if it is unknown."""
    match name:
        case ast.Constant(value=str() as text) if not text.startswith("."):
            found = evaluator.names.layout.find(text, module.path)
            if found.path is not None:
                return ModuleOf(found.path)
            return None if found.ambiguous or found.namespace else External(text)
    return None


def _value_of(module: Module, node: ast.expr) -> ast.expr | None:
    """Return what a name is bound to that is bound once, and any other expression itself."""
    return module.scopes.only_value(node) if isinstance(node, ast.Name) else node


class _Paths:
    """Works out paths that are written in one file, from the root of the program."""

    def __init__(self, evaluator: Questions, module: Module) -> None:
        self._evaluator = evaluator
        self._module = module

    def name_of(self, node: ast.expr) -> str | None:
        """Return the qualified name of a function."""
        return self._evaluator.names.qualified_name(self._module, node)

    def path_of(self, node: ast.expr) -> str | None:
        """Return the path that an expression is; None if unknown."""
        match node:
            case ast.Constant(value=str() as text):
                # An absolute path may be anywhere: where the program will lie is unknown.
                return None if text.startswith("/") else posixpath.normpath(text)
            case ast.Name(id="__file__"):
                return self._module.path
            case ast.Name():
                value = _value_of(self._module, node)
                return None if value is None else self.path_of(value)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined_text(left, [right])
            case ast.Attribute(value=owner, attr="parent"):
                return self._text_above(owner, 1)
            case ast.Subscript(
                value=ast.Attribute(value=owner, attr="parents"),
                slice=ast.Constant(value=int() as number),
            ) if number >= 0:
                return self._text_above(owner, number + 1)
            case ast.Call():
                return self._called_text(node)
        return None

    def _called_text(self, node: ast.Call) -> str | None:
        name = self.name_of(node.func)
        match node:
            case ast.Call(args=[given], keywords=[]) if name == "os.path.dirname":
                return self._text_above(given, 1)
            case ast.Call(args=[given], keywords=[]) if name in _SAME or (
                self._module.scopes.builtin_called(node) in _SAME
            ):
                return self.path_of(given)
            case ast.Call(args=[first, *others], keywords=[]) if name == "os.path.join":
                return self._joined_text(first, others)
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[]) if (
                method in _KEEPING
            ):
                return self.path_of(owner)
            case ast.Call(func=ast.Attribute(value=owner, attr="joinpath"), args=others):
                return self._joined_text(owner, others)
        return None

    def _joined_text(self, first: ast.expr, others: Sequence[ast.expr]) -> str | None:
        parts = [self.path_of(first), *map(self.path_of, others)]
        known = [part for part in parts if part is not None]
        return posixpath.normpath(posixpath.join(*known)) if len(known) == len(parts) else None

    def _text_above(self, node: ast.expr, steps: int) -> str | None:
        path = self.path_of(node)
        parts = [] if path in {None, "."} else str(path).split("/")
        if len(parts) < steps or parts[0] == "..":
            return None
        return "/".join(parts[:-steps]) or "."
