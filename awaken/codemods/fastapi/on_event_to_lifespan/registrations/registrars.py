"""Functions that register all handlers of the applications that they are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan.obstacles import Owned
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home, registrar_of
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.web.applications import Application
from awaken.project.frameworks.web.registrations import Registration
from awaken.project.source.bindings import Scope
from awaken.project.source.trees import Function

_Key = tuple[str, int]


class Group(Struct, frozen=True):
    """Applications whose handlers are all registered by one function, which makes none of them."""

    applications: tuple[Application, ...]
    owned: tuple[Owned, ...]
    home: Home


def registrars(groups: Mapping[Application, Sequence[Owned]]) -> Iterator[Group]:
    """Yield the functions that give their applications all of their handlers, and only they do."""
    result: dict[_Key, list[Application]] = {}
    for application, owned in groups.items():
        keys = {_function_of(registration) for registration in owned}
        if len(keys) == 1 and None not in keys:
            result.setdefault(next(iter(keys)) or ("", 0), []).append(application)
    for applications in result.values():
        owned = tuple(dict.fromkeys(group for app in applications for group in groups[app]))
        served = {
            app for registration in owned for app in registration.registration.to.applications
        }
        home = _home(applications[0], owned)
        # One that has handlers from elsewhere too would lose those.
        if home is not None and served == set(applications):
            makes = any(_is_made_in(home, app) for app in applications)
            unknown = any(candidate.registration.to.unknown is not None for candidate in owned)
            if not makes and not unknown:
                yield Group(tuple(applications), owned, home)


def _function_of(owned: Owned) -> _Key | None:
    """Return the function in which a handler is registered."""
    scope = _scope_of(owned.registration)
    if owned.via or not isinstance(scope.node, Function):
        return None
    module = owned.registration.module
    return module.path, module.span(scope.node).start


def _scope_of(registration: Registration) -> Scope:
    node: ast.AST = registration.function or registration.node
    return registration.module.scopes.scope_of(node)


def _is_made_in(home: Home, application: Application) -> bool:
    function = home.function
    if function is None or application.made.path != home.module.path:
        return False
    return home.module.span(function).contains(application.made.span)


def _home(application: Application, owned: Sequence[Owned]) -> Home | None:
    """Return the function, if it calls its application by one name all over."""
    first = min(owned, key=lambda item: item.registration.place.span.start).registration
    receivers = {_receiver(registration.registration) for registration in owned}
    # Nodes differ at each registration; their text tells whether they name one thing.
    texts = {None if node is None else ast.unparse(node) for node in receivers}
    receiver = _receiver(first)
    statement = first.function or first.module.statement_of(first.node)
    if len(texts) != 1 or receiver is None or statement is None:
        return None
    return registrar_of(application, first.module, statement, receiver)


def _receiver(registration: Registration) -> ast.expr | None:
    """Return what is registered on: a name, or an attribute of one."""
    node = registration.node
    while isinstance(node, ast.Call):
        node = node.func
    result: ast.expr | None = node
    # `app.router.on_startup.append(f)` registers on `app`.
    while isinstance(result, ast.Attribute) and result.attr in _METHODS:
        result = result.value
    plain = isinstance(result, ast.Name) or (
        isinstance(result, ast.Attribute) and isinstance(result.value, ast.Name)
    )
    return result if plain else None


_METHODS = name_list("registering") | library_names().adding_methods.keys()
