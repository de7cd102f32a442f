"""Queries whose kind depends on the branch: a class in some, columns in others.

``Query`` gives objects for the first and rows for the others, which a statement tells itself by
what it selects: ``column_descriptions``, which SQLAlchemy 1.4.33 describes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment
from awaken.codemods.sqlalchemy.query_to_select.components.states import States
from awaken.codemods.sqlalchemy.query_to_select.payload import KindsRewrite, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.query_items import Item, What


def execution_of_kinds(
    fragment: ChainFragment, states: Sequence[States], found: Sequence[object]
) -> KindsRewrite:
    """Return how ``fragment`` is executed, by one of ``found`` for each of ``states``.

    Raises Refused where the selected entities do not decide it.
    """
    ways: dict[QueryRewrite, list[Statement]] = {}
    # The variable is read again for each way, and nothing else may be done twice.
    if fragment.links or not isinstance(fragment.start, ast.Name):
        raise different(states, fragment)
    for item, data in zip(states, found, strict=True):
        is_told = not item.component.project.targets.admits("sqlalchemy", "<1.4.33")
        if not is_told or not isinstance(data, QueryRewrite):
            raise different(states, fragment)
        ways.setdefault(data, []).append(item.required_statement(fragment, executed=True))
    tested, left = [], list(ways.items())
    while len(left) > 1:
        (data, own), *left = left
        test = _test(fragment.start.id, own, [other for _, others in left for other in others])
        if test is None:
            raise different(states, fragment)
        tested.append((test, data))
    return KindsRewrite(ways=tuple(tested), otherwise=left[0][0])


def different(states: Sequence[States], fragment: ChainFragment) -> Refused:
    """Return why ``fragment`` cannot be written for all of ``states`` in the same way."""
    result = (state.required_statement(fragment, executed=False) for state in states)
    asked = (", ".join(ast.unparse(item.node) for item in _lists([entry])[0]) for entry in result)
    return Refused(reasons.DIFFERENT_QUERIES, " or ".join(f"`{text}`" for text in asked))


def _test(name: str, statements: Sequence[Statement], others: Sequence[Statement]) -> str | None:
    """Return what is true of ``statements`` in the variable ``name``, and not of ``others``."""
    if any(statement.changed_items for statement in (*statements, *others)):
        return None
    own, rest = _lists(statements), _lists(others)
    if _all(own, lambda items: len(items) == 1) and _all(rest, _are_several):
        return f"len({name}.column_descriptions) == 1"
    if _all(own, _begins_with_class) and _all(rest, _begins_with_column):
        return f'isinstance({name}.column_descriptions[0]["expr"], type)'
    return None


def _lists(statements: Sequence[Statement]) -> Sequence[Sequence[Item]]:
    return [items for statement in statements for items in statement.lists or (statement.items,)]


def _all(lists: Sequence[Sequence[Item]], holds: Callable[[Sequence[Item]], bool]) -> bool:
    return all(map(holds, lists))


def _are_several(items: Sequence[Item]) -> bool:
    # A Table is one item, and as many columns as it has.
    return len(items) > 1 and not any(item.what is What.UNKNOWN for item in items)


def _begins_with_class(items: Sequence[Item]) -> bool:
    return items[0].what is What.ENTITY and not items[0].aliased


def _begins_with_column(items: Sequence[Item]) -> bool:
    return items[0].what in {What.COLUMN, What.EXPRESSION}


def is_agreed(found: Sequence[object]) -> bool:
    """Whether the same is written on all paths."""
    first, *others = found
    return all(other == first for other in others)
