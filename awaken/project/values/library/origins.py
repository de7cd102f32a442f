"""The origins of objects: the options of the statements that load them, and what is followed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of
from awaken.project.source.worklist import LONGEST_PATH
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    External,
    InstanceOf,
    Origin,
    Unknown,
    Values,
    instances_in,
    values_inside,
    with_parts,
)

_OF_ATTRIBUTES = set(library_names().lazy_collections.values())
_STATEMENTS = {"sqlalchemy.orm.Query", "sqlalchemy.orm.AppenderQuery", "sqlalchemy.Select"}
_STATEMENTS |= {"flask_sqlalchemy.BaseQuery", "flask_sqlalchemy.query.Query"}
Origins = tuple[Origin, ...]
# A longer way names no load that a rule could write; a loop over parents has no end.


def loaded_results(found: Values, function: External, module: Module, node: ast.Call) -> Values:
    """Return the result of a call with what the call adds to where it comes from.

    That are the loader options which it gives to a statement. ``merge`` loads an object itself,
    unless the session has what it is given.
    """
    places = tuple(module.place(option) for option in _options(function, node))
    owner, _, name = function.qualified.rpartition(".")
    if name == "merge" and owner.startswith("sqlalchemy."):
        origin = Origin(module.place(node), places)
        return _each(found, lambda all_: _few((*all_, origin)))
    if not places:
        return found
    return _each(
        found, lambda all_: tuple(replace(item, options=(*item.options, *places)) for item in all_)
    )


def _options(function: External, node: ast.Call) -> list[ast.expr]:
    """Return the loader options among the arguments of a call."""
    owner, _, name = function.qualified.rpartition(".")
    if name == "options" and owner in _STATEMENTS:
        return node.args
    if name not in library_names().by_key or not owner.startswith("sqlalchemy."):
        return []
    given = keyword_of(node, "options")
    if isinstance(given, ast.List | ast.Tuple):
        return given.elts
    return [] if given is None else [given]


def from_parameter(found: Values, place: Place, is_mapped: Callable[[str], bool]) -> Values:
    """Return what a parameter may be, with ``place`` where nothing says what loaded it."""
    origins = (Origin(place, kind="parameter"),)
    return _each(found, lambda origin: origin, origins, lambda origin: is_mapped(origin.qualified))


def begun_values(found: Values, name: str, place: Place) -> Values:
    """Return what the attribute ``name`` at ``place`` gives; if it is a statement, it begins there.

    As `User.query` is one, and `user.posts` of a relationship that is loaded by statements alone.
    """
    origins = (Origin(place),)
    return tuple(
        _each((value,), lambda each: each, origins)[0]
        if isinstance(value, InstanceOf) and (name == "query" or value.qualified in _OF_ATTRIBUTES)
        else value
        for value in found
    )


def related_objects(found: Values, owner: InstanceOf, name: str) -> Values:
    """Return what the relationship ``name`` of ``owner`` holds, with where ``owner`` comes from.

    An object that is loaded by a statement of its own does not come from there.
    """
    if any(isinstance(value, InstanceOf) and value.qualified in _OF_ATTRIBUTES for value in found):
        return found
    if owner.origins is None or any(len(origin.way) >= LONGEST_PATH for origin in owner.origins):
        return found
    step = f"{owner.qualified}.{name}"
    origins = tuple(replace(origin, way=(*origin.way, step)) for origin in owner.origins)
    return _each(found, lambda origin: origin, origins)


def parameters_in(values: Values) -> set[Place]:
    """Return the parameters of which objects in ``values`` are said to come from their callers."""
    origins = (origin for value in instances_in(values) for origin in value.origins or ())
    return {origin.place for origin in origins if origin.kind == "parameter"}


def origins_in(values: Values, is_mapped: Callable[[str], bool]) -> Origins | None:
    """Return where the mapped objects in ``values`` come from; None if it is not known of all.

    They are of one class: else it would not be known which of them is meant.
    """
    origins: list[Origin] = []
    classes = set[str]()
    waiting = [*values]
    while waiting:
        value = waiting.pop()
        match value:
            case Unknown():
                return None
            case InstanceOf() if not value.parameters and is_mapped(value.qualified):
                if value.origins is None:
                    return None
                classes.add(value.qualified)
                origins += value.origins
            case _:
                waiting += values_inside(value)
    return tuple(dict.fromkeys(origins)) if len(classes) == 1 else None


def passed_on(found: Values, given: Mapping[Place, Origins]) -> Values:
    """Return ``found`` with what is given to parameters in their place, as a call gives it.

    Where that is too much, as of a function that calls itself, it is not known.
    """

    def change(origins: Origins) -> Origins | None:
        changed: dict[Origin, None] = {}
        for origin in origins:
            passed = given.get(origin.place) if origin.kind == "parameter" else None
            for each in (origin,) if passed is None else passed:
                way = origin.way if passed is None else (*each.way, *origin.way)
                changed[replace(each, way=way)] = None
        fits = all(len(x.way) <= LONGEST_PATH for x in changed)
        return _few(tuple(changed)) if fits else None

    return _each(found, change)


def _few(origins: Origins) -> Origins | None:
    """Return ``origins`` unless they are too many to be looked at one by one."""
    return origins if len(origins) <= MOST_ALTERNATIVES else None


def _each(
    found: Values,
    change: Callable[[Origins], Origins | None],
    fresh: tuple[Origin, ...] | None = None,
    gets_fresh: Callable[[InstanceOf], bool] = lambda _: True,
) -> Values:
    """Return ``found`` with all origins changed; values without one get ``fresh`` if they may."""
    changed: Values = ()
    for value in found:
        result = with_parts(value, lambda part: _each(part, change, fresh, gets_fresh))
        # A container does not come from the source of its objects.
        if isinstance(result, InstanceOf) and not result.parameters:
            own = None if result.origins is None else change(result.origins)
            if own is None and fresh is not None and gets_fresh(result):
                own = fresh
            result = replace(result, origins=own)
        changed = (*changed, result)
    return changed
