"""``session.get()`` as a ``select()``: it loads also for an object that the session holds.

`get()` gives such an object as it is, whatever its options say (SQLAlchemy, `Session.get`). A
``select()`` loads what the object has not loaded yet, and changes nothing else of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Edit
from awaken.kit.eager_loads.loader_options import Given, NamesHere
from awaken.kit.eager_loads.loading_statements import Entity
from awaken.kit.eager_loads.reasons import NO_KEY
from awaken.kit.sites import Refused, Site
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_RESULTS = {"get": "one_or_none", "get_one": "one"}
GETS_BY_KEY = frozenset({*_RESULTS, "get_or_404"})
"""Methods of sessions and queries that give an object of the session as it is."""

_ATOMS = ast.Attribute | ast.Call | ast.Constant | ast.Name | ast.Subscript
"""What binds closer than a comparison."""


class SelectByKey(Struct, frozen=True):
    """A ``select()`` of the object that has a key.

    ``execute`` is the method that sends it, ``result`` are those that fetch the object. ``keys``
    are the attributes that have the parts of the key.
    """

    execute: str
    keys: tuple[str, ...]
    result: str

    def code(
        self, names: NamesHere, model: str, values: Iterable[str], options: Iterable[str]
    ) -> list[str]:
        """Return the code that sends the ``select()``, and the calls that fetch the object."""
        equal = (f"{model}.{key} == {value}" for key, value in zip(self.keys, values, strict=True))
        statement = (
            f"{names.function('select', 'sqlalchemy', 'sqlmodel')}({model})"
            f".where({', '.join(equal)})"
            f".options({', '.join(options)})"
        )
        return [f"{self.execute}({statement})", f".{self.result}()"]


class GetByKey(Struct, frozen=True):
    """A ``session.get()``: its call, awaited or not, its ``value``, and the ``select()`` for it."""

    module: Module
    call: ast.Call
    value: ast.expr
    select: SelectByKey

    def edits(
        self,
        site: Site[ast.expr],
        names: NamesHere,
        changed: Iterable[tuple[Given, str]],
        added: Sequence[str],
    ) -> Iterator[Edit]:
        """Yield the edit that writes the ``select()``, with ``changed`` and ``added`` options."""
        texts = dict[ast.expr, str]((given.node, text) for given, text in changed)
        options = [texts.get(node, self.module.text_of(node)) for node in self._options()]
        model, value = (self.module.text_of(node) for node in (self.call.args[0], self.value))
        if not isinstance(self.value, _ATOMS):
            value = f"({value})"
        sent, fetched = self.select.code(names, model, [value], (*options, *added))
        above = self.module.parent(self.call)
        if isinstance(above, ast.Await):
            yield site.replace(above, f"(await {sent}){fetched}")
        else:
            yield site.replace(self.call, f"{sent}{fetched}")

    def _options(self) -> Iterator[ast.expr]:
        for keyword in self.call.keywords:
            if isinstance(keyword.value, ast.List):
                yield from keyword.value.elts


def get_by_key(
    project: Project, module: Module, call: ast.Call, entities: Sequence[Entity]
) -> GetByKey:
    """Return what a call of ``get()`` asks for. Raises Refused where no column is its whole key."""
    match call:
        case ast.Call(func=ast.Attribute(value=session, attr=name), args=[_, value]):
            is_one = not isinstance(value, ast.Tuple | ast.List | ast.Dict | ast.Starred)
            is_plain = is_one and name in _RESULTS and all(map(_is_option_list, call.keywords))
            if is_plain and len(entities) == 1:
                select = select_by_key(
                    project, module, session, entities[0].qualified, _RESULTS[name]
                )
                if select is not None and len(select.keys) == 1:
                    return GetByKey(module, call, value, select)
    raise Refused(NO_KEY, module.excerpt(call))


def select_by_key(
    project: Project, module: Module, session: ast.expr, model: str, fetching: str = "one"
) -> SelectByKey | None:
    """Return how ``session`` selects an object of a mapped class by its key.

    None if its key is unknown. ``fetching`` is the method that fetches the object.
    """
    mapped = project.orm.mapped_class(model)
    columns = mapped.columns.items() if mapped is not None and mapped.complete else ()
    keys = tuple(name for name, column in columns if column.primary_key)
    if not keys:
        return None
    method = _executing(project, module, session)
    links = ["scalars()"] if method == "execute" else []
    links += ["unique()"] if project.orm.eager.needs_unique(model) is not False else []
    execute = f"{module.text_of(session)}.{method}"
    return SelectByKey(execute, keys, ".".join([*links, fetching]))


def _is_option_list(keyword: ast.keyword) -> bool:
    return keyword.arg == "options" and isinstance(keyword.value, ast.List)


def _executing(project: Project, module: Module, session: ast.expr) -> str:
    """Return the method of a session that executes the statement: SQLModel has its own.

    In SQLAlchemy 1.4 not all sessions have ``scalars()``.
    """
    text = module.text_of(session)
    calls = (node for node in module.nodes(ast.Attribute) if node.attr == "exec")
    if any(module.text_of(node.value) == text for node in calls):
        return "exec"
    return "execute" if project.targets.admits("sqlalchemy", "<2.0") else "scalars"
