"""Where objects come from: the options of the statements that load them, and what is followed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.values.domain import External, InstanceOf, Origin, Producer, TupleOf, Values

_OF_ATTRIBUTES = {"sqlalchemy.orm.AppenderQuery", "sqlalchemy.orm.WriteOnlyCollection"}
_STATEMENTS = {"sqlalchemy.orm.Query", "sqlalchemy.orm.AppenderQuery", "sqlalchemy.Select"}
_STATEMENTS |= {"flask_sqlalchemy.BaseQuery", "flask_sqlalchemy.query.Query"}
_GETS = {"get", "get_one"}
# A longer way names no load that a rule could write; a loop over parents has no end.
_LONGEST_WAY = 4


def with_options(found: Values, function: External, module: Module, node: ast.Call) -> Values:
    """Return the result of a call with the loader options that the call gives to a statement."""
    places = tuple(module.place(one) for one in _options(function, node))
    if not places:
        return found
    return _each(found, lambda one: replace(one, options=(*one.options, *places)))


def _options(function: External, node: ast.Call) -> list[ast.expr]:
    """Return the loader options among the arguments of a call."""
    owner, _, name = function.qualified.rpartition(".")
    if name == "options" and owner in _STATEMENTS:
        return node.args
    if name not in _GETS or not owner.startswith("sqlalchemy."):
        return []
    given = next((one.value for one in node.keywords if one.arg == "options"), None)
    if isinstance(given, ast.List | ast.Tuple):
        return given.elts
    return [] if given is None else [given]


def from_parameter(found: Values, place: Place, is_mapped: Callable[[str], bool]) -> Values:
    """Return what a parameter may be, with ``place`` where nothing says what loaded it."""
    origins = (Origin(place, kind="parameter"),)
    return _each(found, lambda one: one, origins, lambda one: is_mapped(one.qualified))


def begun(found: Values, name: str, place: Place) -> Values:
    """Return what the attribute ``name`` at ``place`` gives; if it is a statement, it begins there.

    As `User.query` is one, and `user.posts` of a relationship that is loaded by statements alone.
    """
    origins = (Origin(place),)
    return tuple(
        _each((one,), lambda each: each, origins)[0]
        if isinstance(one, InstanceOf) and (name == "query" or one.qualified in _OF_ATTRIBUTES)
        else one
        for one in found
    )


def followed(found: Values, owner: InstanceOf, name: str) -> Values:
    """Return what the relationship ``name`` of ``owner`` holds, with where ``owner`` comes from.

    What is loaded by a statement of its own does not come from there.
    """
    if any(isinstance(one, InstanceOf) and one.qualified in _OF_ATTRIBUTES for one in found):
        return found
    if owner.origins is None or any(len(one.way) >= _LONGEST_WAY for one in owner.origins):
        return found
    step = f"{owner.qualified}.{name}"
    origins = tuple(replace(one, way=(*one.way, step)) for one in owner.origins)
    return _each(found, lambda one: one, origins)


def _each(
    found: Values,
    change: Callable[[Origin], Origin],
    fresh: tuple[Origin, ...] | None = None,
    gets_fresh: Callable[[InstanceOf], bool] = lambda _: True,
) -> Values:
    """Return ``found`` with each origin changed; what has none is given ``fresh`` if it may."""
    changed: Values = ()
    for one in found:
        match one:
            case InstanceOf():
                inner = tuple(_each(part, change, fresh, gets_fresh) for part in one.parameters)
                own = None if one.origins is None else tuple(map(change, one.origins))
                if own is None and fresh is not None and not inner and gets_fresh(one):
                    own = fresh
                # What holds objects does not come from where they do.
                own = one.origins if inner else own
                changed = (*changed, replace(one, parameters=inner, origins=own))
            case Producer():
                changed = (
                    *changed,
                    replace(one, inner=_each(one.inner, change, fresh, gets_fresh)),
                )
            case TupleOf():
                items = tuple(_each(part, change, fresh, gets_fresh) for part in one.items)
                changed = (*changed, TupleOf(items))
            case _:
                changed = (*changed, one)
    return changed
