"""The ``__init__`` that ``dataclass`` writes for a class, as a definition in the program."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from awaken.knowledge.library_names import library_names
from awaken.project.names.classes import Classes, ClassFacts, declared_kind
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module

_DATACLASS = "dataclasses.dataclass"
_FIELD = "dataclasses.field"
_PLAIN_BASES = library_names().plain_bases | library_names().protocols


class GeneratedInit(ast.FunctionDef):
    """The generated method: its place is that of its class, ``owner``.

    It is no part of the tree, so what asks for its parent finds nothing.
    """

    owner: ast.ClassDef


class _Field(NamedTuple):
    parameter: ast.arg
    default: ast.expr | None
    is_keyword: bool


def generated_init(names: Names, classes: Classes, qualified: str) -> GeneratedInit | None:
    """Return the ``__init__`` of a class that nothing but ``dataclass`` makes, or None.

    That is one without an own ``__init__`` and with only its own fields. It inherits nothing of the
    program, and nothing inherits it.
    """
    facts = classes.facts(qualified)
    ancestors = classes.ancestors(qualified)
    module, node = classes.node(qualified) or (None, None)
    if facts is None or ancestors is None or module is None or node is None:
        return None

    def make() -> GeneratedInit | None:
        is_alone = (
            dataclass_makes_init(facts, node) is True
            and not facts.keywords
            and not {"__init__", "__new__", "__setattr__"} & facts.members
            and len(ancestors.inside) == 1
            and not ancestors.unresolved
            and _PLAIN_BASES.issuperset(ancestors.outside)
            and not classes.subclasses(qualified)
        )
        return _made_generated_init(names, module, node) if is_alone else None

    return module.memoize(("generated init", node), make)


def dataclass_makes_init(facts: ClassFacts, node: ast.ClassDef) -> bool | None:
    """Whether ``dataclass`` writes an ``__init__`` for a class that has none of its own.

    None where a class has other decorators, or a setting of unknown value.
    """
    if not facts.decorators:
        return False
    settings = _settings(node.decorator_list[0]) if facts.decorators == (_DATACLASS,) else None
    return None if settings is None else settings.get("init", True)


def _made_generated_init(names: Names, module: Module, node: ast.ClassDef) -> GeneratedInit | None:
    settings = _settings(node.decorator_list[0]) or {}
    fields = list(_fields(names, module, node, are_keywords=settings.get("kw_only", False)))
    if any(field is None for field in fields):
        return None
    known = [field for field in fields if field is not None]
    plain = [field for field in known if not field.is_keyword]
    named = [field for field in known if field.is_keyword]
    first = ast.copy_location(ast.arg("self"), node)
    result = GeneratedInit(
        name="__init__",
        args=ast.arguments(
            posonlyargs=[],
            args=[first, *(field.parameter for field in plain)],
            vararg=None,
            kwonlyargs=[field.parameter for field in named],
            kw_defaults=[field.default for field in named],
            kwarg=None,
            defaults=[field.default for field in plain if field.default is not None],
        ),
        body=[],
        decorator_list=[],
    )
    result.owner = node
    return ast.copy_location(result, node)


def _settings(decorator: ast.expr) -> dict[str, bool] | None:
    """Return the settings of a decorator or of ``field``; None if not all are constants."""
    settings: dict[str, bool] = {}
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        match keyword:
            case ast.keyword(arg=str() as name, value=ast.Constant(value=bool() as value)):
                settings[name] = value
            case _:
                return None
    return settings


def _fields(
    names: Names, module: Module, node: ast.ClassDef, *, are_keywords: bool
) -> Iterator[_Field | None]:
    """Yield the fields that ``__init__`` takes; None for one that cannot be read."""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=declared, value=value):
                kind = declared_kind(declared)
                if kind == "ClassVar":
                    continue
                if kind == "KW_ONLY":
                    are_keywords = True
                    continue
                parameter = ast.copy_location(ast.arg(name, declared), statement.target)
                is_field = isinstance(value, ast.Call) and (
                    names.qualified_name(module, value.func) == _FIELD
                )
                if isinstance(value, ast.Call) and is_field:
                    yield from _of_field(parameter, value, are_keywords=are_keywords)
                else:
                    yield _Field(parameter, value, are_keywords)
            case ast.If() | ast.With() | ast.Try() | ast.For() | ast.While():
                yield None  # it may hold fields


def _of_field(parameter: ast.arg, call: ast.Call, *, are_keywords: bool) -> Iterator[_Field | None]:
    """Yield the field that ``field(...)`` says, if ``__init__`` takes it."""
    default: ast.expr | None = None
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="default", value=value):
                default = value
            case ast.keyword(arg="default_factory", value=value):
                default = ast.copy_location(ast.Call(value, [], []), value)
            case ast.keyword(arg="init", value=ast.Constant(value=bool() as given)):
                if not given:
                    return
            case ast.keyword(arg="kw_only", value=ast.Constant(value=bool() as given)):
                are_keywords = given
            case ast.keyword(arg=None | "init" | "kw_only"):
                yield None
                return
    yield _Field(parameter, default, are_keywords)
