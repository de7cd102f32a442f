"""Loader options as trees: read from the code, and written again with more in them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from awaken.contract import Edit, NeedImport
from awaken.kit.eager_loads.reasons import NO_NAME
from awaken.kit.names_here import name_here
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import chained_calls, is_constant, last_name
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project

LOADING = library_names().joined_loaders | library_names().separate_loaders
"""They load the relationship with the object, or directly after it."""
BLOCKING = library_names().blocking_loaders
_RELATIONSHIPS = LOADING | BLOCKING | {"defaultload"}
_OTHERS = library_names().column_loaders | {"selectin_polymorphic", "with_loader_criteria"}
# From SQLAlchemy 1.3: `joinedload_all("posts.author")`.
_WHOLE_PATHS = {f"{name}_all": name for name in ("joinedload", "subqueryload", "eagerload")}
_FUNCTIONS = _RELATIONSHIPS | _OTHERS | {"Load", *_WHOLE_PATHS}
_BEFORE_PROPAGATE = 4  # parameters of `with_loader_criteria` before `propagate_to_loaders`
WILDCARD = "*"


class Option(Struct):
    """An option, with those that go on from what it loads.

    ``name`` is the function, ``prefix`` what it is an attribute of, ``args`` the code of its
    arguments. ``key`` is the relationship, None where it is about something else; ``owner`` the
    expression of the class in front of it. ``modifiers`` are calls on the same object, of columns
    for example. One that is ``new`` is not in the code yet.
    """

    name: str
    args: str
    key: str | None = None
    owner: ast.expr | None = None
    prefix: str = ""
    modifiers: list[str] = field(default_factory=list)
    children: list[Option] = field(default_factory=list)
    new: bool = False
    changed: bool = False

    def walk(self) -> Iterator[Option]:
        """Yield this option and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def is_of_statement(self) -> bool:
        """Whether it holds for what the statement loads itself, and not for later loads."""
        if self.name != "with_loader_criteria":
            return False
        call = ast.parse(f"f({self.args})", mode="eval").body
        if not isinstance(call, ast.Call):
            return True
        given = [node.value for node in call.keywords if node.arg in {"propagate_to_loaders", None}]
        given += call.args[_BEFORE_PROPAGATE:][:1]
        return any(not (is_constant(node, value=True)) for node in given)

    @property
    def is_changed(self) -> bool:
        """Whether it, or one below it, is not in the code as it is here."""
        return any(option.new or option.changed for option in self.walk())


class Given(Struct):
    """An argument of ``options(...)``: its options, and whether they may be rewritten.

    ``node`` is the argument in its file. ``options`` is None where they are unknown.
    """

    module: Module
    node: ast.expr
    options: list[Option] | None
    is_plain: bool = True


def given_at(project: Project, module: Module, node: ast.expr) -> Given:
    """Return the options that an argument of ``options(...)`` gives."""
    match node:
        case ast.Name():
            value = module.scopes.only_value(node)
            is_known = not isinstance(value, ast.Name) and not _is_changed(module, node)
            inner = [(module, value)] if value is not None and is_known else None
        case ast.Starred():
            inner = [(module, node.value)]
        case ast.List() | ast.Tuple():
            inner = [(module, element) for element in node.elts]
        case ast.Call() if last_name(node.func) not in _FUNCTIONS and not any(
            last_name(call.func) in _FUNCTIONS for call in chained_calls(node)
        ):
            inner = _returned_pairs(project, module, node)
        case _:
            read = _read(module, node)
            is_plain = "#" not in module.text_of(node) and bool(read and read[1])
            return Given(module, node, None if read is None else [read[0]], is_plain)
    options = None if inner is None else _join_options(project, inner)
    return Given(module, node, options, is_plain=False)


def _join_options(
    project: Project, inner: Sequence[tuple[Module, ast.expr]]
) -> list[Option] | None:
    result = [given_at(project, *pair).options for pair in inner]
    known = [candidate for candidate in result if candidate is not None]
    return [option for item in known for option in item] if len(known) == len(result) else None


def _is_changed(module: Module, name: ast.Name) -> bool:
    """Whether a method of a variable is called: a list may get more options."""
    return any(
        isinstance(module.parent(node), ast.Attribute) for node in module.scopes.reads_of(name)
    )


def _returned_pairs(
    project: Project, module: Module, call: ast.Call
) -> list[tuple[Module, ast.expr]] | None:
    """Return what the function of the program that ``call`` calls returns."""
    callee = project.calls.function_called(module, call)
    if isinstance(callee, Unknown):
        return None
    return [(callee.module, value) for value in callee.module.returned_by(callee.function)]


def _read(module: Module, node: ast.expr) -> tuple[Option, bool] | None:
    """Return the option that an expression makes, and whether it may be written again.

    None for an unknown option.
    """
    calls = [*chained_calls(node)][::-1]
    name = last_name(calls[0].func) if calls else ""
    if name not in _FUNCTIONS:
        return None
    first = calls[0]
    prefix = f"{module.text_of(first.func.value)}." if isinstance(first.func, ast.Attribute) else ""
    made = _made_options(module, first, name, prefix)
    root, last = made[0], made[-1]
    plain = len(made) == 1 and name not in _WHOLE_PATHS
    for call in calls[1:]:
        name = last_name(call.func)
        if name == "options":
            for argument in call.args:
                inner = _read(module, argument)
                if inner is None:
                    return None
                plain = plain and inner[1]
                last.children.append(inner[0])
        elif name in _RELATIONSHIPS:
            made = _made_options(module, call, name, prefix)
            plain = plain and len(made) == 1
            last.children.append(made[0])
            last = made[-1]
        elif name in _OTHERS:
            last.modifiers.append(f".{name}({_arguments(module, call)})")
        else:
            return None
    return root, plain


def _made_options(module: Module, call: ast.Call, name: str, prefix: str) -> list[Option]:
    """Return the options of one call, each below the one before it: old ones take whole paths."""
    if name not in _RELATIONSHIPS | set(_WHOLE_PATHS):
        return [Option(name, _arguments(module, call), prefix=prefix)]
    steps: list[tuple[str | None, ast.expr | None]] = []
    for argument in call.args:
        steps += _steps(argument)
    single = _WHOLE_PATHS.get(name, name)
    before = single if name in _WHOLE_PATHS else "defaultload"
    result: list[Option] = []
    for at, (key, owner) in enumerate(steps or [(None, None)]):
        is_last = at >= len(steps) - 1
        text = _arguments(module, call) if len(steps) < len("ab") else ""
        option = Option(single if is_last else before, text, key, owner, prefix)
        if result:
            result[-1].children.append(option)
        result.append(option)
    return result


def _steps(node: ast.expr) -> list[tuple[str | None, ast.expr | None]]:
    """Return the relationships that an argument names, each with the expression of its class."""
    match node:
        case ast.Constant(value=str(text)):
            return [(line, None) for line in text.split(".")]
        case ast.Call(func=ast.Attribute(value=inner, attr="of_type" | "and_")):
            return _steps(inner)
        case ast.Attribute(value=owner, attr=name):
            return [(name, owner)]
    return [(None, None)]


def _arguments(module: Module, call: ast.Call) -> str:
    parts = [module.text_of(argument) for argument in call.args]
    for keyword in call.keywords:
        value = module.text_of(keyword.value)
        parts.append(f"**{value}" if keyword.arg is None else f"{keyword.arg}={value}")
    return ", ".join(parts)


# ---------------------------------------------------------------------------------------- writing
def written_code(option: Option, function: Callable[[str], str]) -> str:
    """Return the code of an option; ``function`` gives the name of one as the file has it."""
    name = f"{option.prefix}{option.name}" if option.prefix else function(option.name)
    return f"{name}({option.args}){_text_behind(option, function)}"


def _text_behind(option: Option, function: Callable[[str], str]) -> str:
    """Return what is called on an option: one that goes on is chained, several are a list."""
    text = "".join(option.modifiers)
    chained = [child for child in option.children if child.name not in _OTHERS]
    if len(option.children) == 1 and chained:
        only = chained[0]
        return f"{text}.{only.name}({only.args}){_text_behind(only, function)}"
    if not option.children:
        return text
    inner = ", ".join(written_code(_as_function(child), function) for child in option.children)
    return f"{text}.options({inner})"


def _as_function(option: Option) -> Option:
    """Return an option that may have been a method so far, and is a function now."""
    return Option(
        option.name,
        option.args,
        modifiers=option.modifiers,
        children=option.children,
        prefix=option.prefix,
        new=True,
    )


def path_text(options: Sequence[Option]) -> str:
    """Return the code of options one below the other, for people to read."""
    return ".".join(f"{option.name}({option.args})" for option in options)


_HOME = "sqlalchemy.orm"


class NamesHere:
    """Writes names at one place; ``edits`` are the imports that these need."""

    def __init__(self, project: Project, site: Site[ast.expr], beside: ast.expr) -> None:
        self._project = project
        self._site = site
        self._beside = beside
        self.edits: dict[Edit, None] = {}

    def function(self, name: str, *homes: str) -> str:
        """Return how to write a loader function, or another function of SQLAlchemy."""
        known = name_here(self._site.module, self._site.node, name, homes or [_HOME], "orm_")
        if known.needs is not None:
            self._add(*known.needs)
        return known.text

    def class_of(self, qualified: str) -> str:
        """Return how to write a mapped class; raises Refused where it cannot be named."""
        module, node = self._site.module, self._site.node
        home, _, simple = qualified.rpartition(".")
        if "." in qualified.removeprefix(f"{home}.") or not self._is_at_the_top(qualified):
            raise Refused(NO_NAME, qualified)
        way = self._project.name_in_scope(module, node, qualified, self._beside)
        if not isinstance(way, str):
            if way.module is not None:
                self._add(way.module, way.text.partition(".")[0], None)
            return way.text
        raise Refused(NO_NAME, simple, f"{NO_NAME.help} {way[:1].upper()}{way[1:]}.")

    def _add(self, home: str, name: str, alias: str | None) -> None:
        path, site = self._site.module.path, self._site.id
        other = None if alias == name else alias
        self.edits[NeedImport(path=path, module=home, name=name, alias=other, site=site)] = None

    def _is_at_the_top(self, qualified: str) -> bool:
        pair = self._project.class_definition(qualified)
        return pair is not None and pair[0].parent(pair[1]) is pair[0].tree
