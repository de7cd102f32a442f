"""Registrations of startup and shutdown handlers, and of lifespans, all over a program.

They are found by the words that each of them needs; ``Applications`` follows their receivers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.web.applications import (
    Application,
    Resolved,
    argument_at,
    without_router,
)
from awaken.project.frameworks.web.searched_files import FoundInFiles
from awaken.project.source.expressions.lists import append_call
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, is_none, keyword_of, last_name
from awaken.project.source.worklist import multimap

Event = Literal["startup", "shutdown"]
Form = Literal["decorator", "call", "list", "other"]
_EVENTS: dict[str, Event] = {"startup": "startup", "shutdown": "shutdown"}
_LISTS: dict[str, Event] = {"on_startup": "startup", "on_shutdown": "shutdown"}
_METHODS = {"on_event", "add_event_handler"}
_BY_NAME = {"delattr", "getattr", "object", "setattr", "spy"}
"""Functions, and methods of ``monkeypatch`` and ``patch``, that take an attribute by its name."""
WORDS = (b"on_event", b"add_event_handler", b"on_startup", b"on_shutdown")
LIFESPAN_WORDS = (b"lifespan",)


class Registration(Struct, frozen=True):
    """One handler that is registered, at ``node`` of ``module``.

    ``form`` is ``decorator`` (``function`` is decorated), ``call`` (a statement, also one that
    appends to a list), ``list`` (an element of the constructor's) or
    ``other``: a use of these words that no rewrite understands. ``event`` is None where it is
    unknown. ``handler`` is the expression that is registered.
    """

    module: Module
    node: ast.expr
    form: Form
    event: Event | None
    to: Resolved
    handler: ast.expr | None = None
    function: Function | None = None

    @property
    def place(self) -> Place:
        """Its place."""
        return self.module.place(self.node)


class GivenLifespan(Struct, frozen=True):
    """A lifespan that an application is given at ``node``: as argument, or by assignment."""

    module: Module
    node: ast.AST
    to: Resolved
    assigned: bool


class Registrations(FoundInFiles[Registration]):
    """All registrations and lifespans of a program, found when first asked for."""

    words = WORDS

    @cached_property
    def lifespans(self) -> tuple[GivenLifespan, ...]:
        """Every lifespan that is given, by file and place."""
        return tuple(
            one for module in self._modules(LIFESPAN_WORDS) for one in self._given_lifespans(module)
        )

    def registrations_on(self, application: Application) -> Sequence[Registration]:
        """Return what is registered on an application, or may be, by file and place."""
        return self._by_application.get(application, ())

    def lifespan_of(self, application: Application) -> GivenLifespan | None:
        """Return the first lifespan that is given to an application, or may be."""
        return self._first_lifespans.get(application)

    @cached_property
    def _by_application(self) -> dict[Application, list[Registration]]:
        return multimap(
            (application, registration)
            for registration in self.all
            for application in dict.fromkeys(registration.to.applications)
        )

    @cached_property
    def _first_lifespans(self) -> dict[Application, GivenLifespan]:
        # Backwards: the first one stays.
        return {
            application: lifespan
            for lifespan in reversed(self.lifespans)
            for application in lifespan.to.applications
        }

    def _items_in(self, module: Module) -> Iterator[Registration]:
        for node in module.walk():
            match node:
                case ast.Attribute(attr=name) if name in _METHODS:
                    yield from self._method(module, node)
                case ast.Attribute(attr=name) if name in _LISTS:
                    yield from self._list_use(module, node)
                case ast.Call(func=function, args=[owner, ast.Constant(value=word), *_]) if (
                    last_name(function) in _BY_NAME and (word in _METHODS or word in _LISTS)
                ):
                    yield from self._by_name(module, node, owner)
                case ast.Call():
                    yield from self._registrations_of_constructor(module, node)

    # ---------------------------------------------------------------- on_event, add_event_handler
    def _method(self, module: Module, node: ast.Attribute) -> Iterator[Registration]:
        resolved = self._receiver(module, node.value)
        # Other libraries have methods of these names, with events of their own.
        if resolved is None or (not resolved.applications and self._of_others(module, node)):
            return
        call = module.call_of(node)
        if call is None:
            yield Registration(module, node, "other", None, resolved)
            return
        event, handler = argument_at(call, 0, "event_type"), argument_at(call, 1, "func")
        known = None if event is None else self._event(module, event)
        if node.attr == "add_event_handler":
            # Code that uses the result cannot do without the call.
            form: Form = "call" if isinstance(module.parent(call), ast.Expr) else "other"
            yield Registration(module, call, form, known, resolved, handler)
            return
        yield self._on_event(module, call, known, resolved)

    def _of_others(self, module: Module, node: ast.Attribute) -> bool:
        """Whether a method of something unknown is called, but not with one of our events."""
        call = module.parent(node)
        event = argument_at(call, 0, "event_type") if isinstance(call, ast.Call) else None
        return not (isinstance(event, ast.Constant) and event.value in _EVENTS)

    def _on_event(
        self, module: Module, call: ast.Call, event: Event | None, resolved: Resolved
    ) -> Registration:
        above = module.parent(call)
        if isinstance(above, Function) and any(call is node for node in above.decorator_list):
            return Registration(module, call, "decorator", event, resolved, function=above)
        # ``app.on_event("startup")(handler)``: the decorator is called by hand.
        called = module.call_of(call)
        if called is not None and len(called.args) == 1:
            whole = isinstance(module.parent(called), ast.Expr)
            form: Form = "call" if whole else "other"
            return Registration(module, called, form, event, resolved, called.args[0])
        return Registration(module, call, "other", event, resolved)

    def _event(self, module: Module, node: ast.expr) -> Event | None:
        """Return the event that ``node`` names, by itself or as a constant of the module."""
        if isinstance(node, ast.Constant):
            return _EVENTS.get(node.value) if isinstance(node.value, str) else None
        name = self._evaluator.names.qualified_name(module, node)
        home, value = self._evaluator.names.value_at(name) or (module, None)
        return self._event(home, value) if isinstance(value, ast.Constant) else None

    def _receiver(self, module: Module, node: ast.expr) -> Resolved | None:
        """Return what a handler is registered on; None where that is certainly no application."""
        target = without_router(node)
        resolved = self._applications.applications_of(module, target)
        if resolved.applications or resolved.unknown is not None:
            return resolved
        return None

    def _by_name(self, module: Module, call: ast.Call, owner: ast.expr) -> Iterator[Registration]:
        resolved = self._receiver(module, owner)
        if resolved is not None:
            yield Registration(module, call, "other", None, resolved)

    # ------------------------------------------------------------------ the lists, and constructors
    def _list_use(self, module: Module, node: ast.Attribute) -> Iterator[Registration]:
        resolved = self._receiver(module, node.value)
        # Other classes have an attribute of that name; after `.router` it is Starlette's.
        if resolved is None or (not resolved.applications and not _is_router(node.value)):
            return
        event, added = _LISTS[node.attr], append_call(module, node)
        if added is None:
            yield Registration(module, node, "other", event, resolved)
        else:
            yield Registration(module, added[0], "call", event, resolved, added[1])

    def _registrations_of_constructor(
        self, module: Module, call: ast.Call
    ) -> Iterator[Registration]:
        given = [node for node in call.keywords if node.arg in _LISTS]
        made = self._applications.made_by(module, call) if given else None
        if made is None:
            return
        for keyword in given:
            event = _LISTS[keyword.arg or ""]
            elements = _elements(keyword.value)
            if elements is None:
                form: Form = "other"
                yield Registration(module, keyword.value, form, event, Resolved((made,)))
                continue
            for element in elements:
                yield Registration(module, element, "list", event, Resolved((made,)), element)

    # ---------------------------------------------------------------------------------- lifespans
    def _given_lifespans(self, module: Module) -> Iterator[GivenLifespan]:
        for node in module.walk():
            match node:
                case ast.Call():
                    given = keyword_of(node, "lifespan")
                    # ``lifespan=None`` is the default.
                    if given is None or is_none(given):
                        continue
                    made = self._applications.made_by(module, node)
                    if made is not None:
                        yield GivenLifespan(module, node, Resolved((made,)), assigned=False)
                case ast.Attribute(attr="lifespan_context", ctx=ast.Store()):
                    resolved = self._applications.applications_of(
                        module, without_router(node.value)
                    )
                    yield GivenLifespan(module, node, resolved, assigned=True)


def _elements(node: ast.expr) -> list[ast.expr] | None:
    """Return what a list of handlers holds; None where it is no literal."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            # Unpacked handlers cannot be named one by one.
            starred = any(isinstance(element, ast.Starred) for element in elements)
            return None if starred else elements
        case ast.Constant(value=None):
            return []
    return None


def _is_router(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "router"
