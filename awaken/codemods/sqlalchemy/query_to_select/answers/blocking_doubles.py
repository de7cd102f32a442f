"""Test doubles: the queries that they block, and their messages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.answers.mocks_with_queries import stand_in
from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Decided
from awaken.codemods.sqlalchemy.query_to_select.manual import manual
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import (
    Recognised,
    recognise_either,
)
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Constraints, Place
from awaken.kit.sites import SHOWN, joined_words
from awaken.project.frameworks.testing import QueryUse, configured_mark, use_of
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.query_to_select.answers.mocks_with_queries import Together
    from awaken.project import Project
    from awaken.project.source.modules import Module

TRIGGERS = (b'"query"', b"'query'", b"def query(", b"AlchemyMagicMock")
"""What a file with a double holds that holds no query itself."""


def without_doubles(
    project: Project, module: Module, found: Iterable[Recognised]
) -> Iterator[Recognised]:
    """Yield the queries of a file, those that tests answer by doubles as refused.

    The configuration of a mock looks like a query, but is not.
    """
    in_tests = is_around_tests(module.path)
    for item in found:
        query = item.root.func if isinstance(item.root, ast.Call) else item.root
        if in_tests and isinstance(query, ast.Attribute) and configured_mark(module, query):
            continue
        # Sites that stay for another reason keep that reason.
        yield (
            item if item.refused else replace(item, refused=_blocked(project, module, item, query))
        )


def _blocked(project: Project, module: Module, item: Recognised, query: ast.expr) -> Refused | None:
    """Return the refusal of a query that something else answers than a session."""
    double = project.doubles.double_of(module, query)
    if double is not None:
        return _mocked(double.place, double.name)
    return stand_in(project, module, item.root) or _replaced_class(project, module, query)


def _replaced_class(project: Project, module: Module, query: ast.expr) -> Refused | None:
    """Return the refusal of ``User.query`` where a test puts something else in place of `User`.

    `select()` takes another mapped class, and no mock.
    """
    match query:
        case ast.Attribute(value=ast.Name() | ast.Attribute() as mapped, attr="query"):
            pass
        case _:
            return None
    qualified = project.qualified_name(module, mapped)
    if qualified is None or project.orm.mapped_class(qualified) is None:
        return None
    here = f"{module.name}.{mapped.id}" if isinstance(mapped, ast.Name) else qualified
    for replaced in project.replaced_names.of_name(here):
        if project.orm.mapped_class(replaced.class_name) is None:
            shown = (home.excerpt(node) for home, node in project.expressions_at(replaced.place))
            return _mocked(replaced.place, next(shown, qualified))
    return None


def _mocked(place: Place, shown: str) -> Refused:
    because = Place(place.path, place.span, "the mock")
    return Refused(reasons.TEST_DOUBLE, shown, because=(because,))


def decided_doubles(
    project: Project, path: str, rule: str, together: Together, constraints: Constraints
) -> Iterator[Decided]:
    """Yield the rewrites of the mocks in a test file that answer or stop a query."""
    doubles = project.doubles.in_file(path)
    module = project.module(path) if doubles else None
    places: dict[QueryUse, tuple[Place, ...]] = {}
    for double in doubles if module is not None else ():
        for use in double.uses:
            rewrite = together.rewrite(use)
            if rewrite is not None:
                yield from rewrite.findings(rule, constraints.excluded).values()
            if use not in places:
                places[use] = () if rewrite is not None else tuple(_held_queries(project, use))
        held = [use for use in double.uses if places[use]]
        if module is None or not (held or double.unseen):
            continue
        node = next(module.nodes_at({double.place.span}))
        refused = Refused(reasons.UNSEEN_DOUBLE, double.name)
        if held:
            names = _listed_text(list(dict.fromkeys(use.function for use in held)))
            because = tuple(place for use in held for place in places[use])
            refused = Refused(reasons.DOUBLE_OF_QUERY, names, because=because)
        yield manual(rule, module, node, refused), None


def _held_queries(project: Project, use: QueryUse) -> Iterator[Place]:
    """Yield the queries that stay because of ``use``."""
    module = project.module(use.path)
    if module is None:
        return
    reader = Reader(project, module)
    for node in module.nodes(ast.Attribute):
        if node.attr != "query":
            continue
        if use_of(module, node) == use:
            query = recognise_either(reader, module.call_of(node) or node)
            # Sites that stay for another reason do not wait for the mock.
            if query is not None and query.refused is None:
                yield Place(use.path, module.span(node), "this query stays unchanged")


def _listed_text(names: list[str]) -> str:
    shown = [f"`{name}`" for name in names[:SHOWN]]
    more = len(names) - len(shown)
    if more:
        shown.append(f"{more} more function{'s' if more > 1 else ''}")
    return joined_words(shown)
