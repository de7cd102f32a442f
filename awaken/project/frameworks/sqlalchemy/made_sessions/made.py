"""The session that a call makes: its class and its factory."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, structs

from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import item_at, keyword_of
from awaken.project.values.domain import ClassOf, InstanceOf, Producer, Session, Value, Values

SESSION = "sqlalchemy.orm.Session"
ASYNC_SESSION = "sqlalchemy.ext.asyncio.AsyncSession"
_ENGINES = {"sqlalchemy.Engine", "sqlalchemy.ext.asyncio.AsyncEngine"}
_MAKERS = library_names().engine_makers | {"sqlalchemy.ext.asyncio.create_async_engine"}
_ENDS = {"__aenter__", "__aexit__", "__enter__", "__exit__", "aclose", "close"}


class MadeSession(Struct, frozen=True):
    """A session that a call gives.

    ``source`` says what is called: a ``factory`` or a ``class``, which make a new one each time, a
    ``registry``, which gives that of the thread or task, or a ``function`` of the program, which
    may give any. ``place`` is where the factory or the session is made. ``own_ends`` is the class
    of the program that closes itself, or enters ``with``, in a way of its own; empty for none.
    ``may_share`` says that it may be given a connection, and be part of its transaction.
    """

    is_async: bool
    source: Literal["factory", "class", "registry", "function"]
    place: Place
    own_ends: str = ""
    may_share: bool = False


def made_session(evaluator: ProgramEvaluator, module: Module, call: ast.Call) -> MadeSession | None:
    """Return the session that ``call`` gives; None where that is not proven."""
    values = evaluator.values(module, call)
    source = _source(evaluator.values(module, call.func))
    if len(values) != 1 or source is None:
        return None
    match values[0]:
        case Session(kind="session" | "async" as kind, place=place, unless=""):
            result = MadeSession(kind == "async", source, place or module.place(call))
        case InstanceOf(qualified=name):
            ends, ancestors = own_ends(evaluator, name), evaluator.classes.ancestors(name)
            if ends is None or ancestors is None:
                return None
            is_async = ASYNC_SESSION in ancestors.outside
            result = MadeSession(is_async, source, module.place(call), ends)
        case _:
            return None
    return structs.replace(result, may_share=_may_share(evaluator, module, call, source))


def _may_share(evaluator: ProgramEvaluator, module: Module, call: ast.Call, source: str) -> bool:
    """Whether a call gives the session something to work on that may be no engine."""
    bind = keyword_of(call, "bind")
    if bind is None and source == "class":
        bind = next(iter(call.args), None)
    if bind is None:
        # A factory knows its engine, unless the call says more than can be seen.
        return any(keyword.arg is None for keyword in call.keywords)
    return not _is_engine(evaluator, module, bind)


def _is_engine(evaluator: ProgramEvaluator, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is an engine: by its class, or as the variable that one is assigned to."""
    values = evaluator.values(module, node)
    if all(isinstance(value, InstanceOf) and value.qualified in _ENGINES for value in values):
        return True
    home, bindings = _bindings(evaluator, module, node)
    made = [binding.value for binding in bindings]
    return bool(made) and all(
        isinstance(part, ast.Call) and evaluator.names.qualified_name(home, part.func) in _MAKERS
        for part in made
    )


def _bindings(
    evaluator: ProgramEvaluator, module: Module, node: ast.expr
) -> tuple[Module, list[Binding]]:
    """Return what assigns the variable ``node``, be it of this file or of another."""
    at_top = evaluator.names.bindings_at(evaluator.names.qualified_name(module, node))
    if at_top is not None:
        return at_top
    return module, module.scopes.bindings_of(node)


def _source(
    called: tuple[Value, ...],
) -> Literal["factory", "class", "registry", "function"] | None:
    match called:
        case (Producer(how="factory"),):
            return "factory"
        case (ClassOf(),):
            return "class"
        case (Session(kind="scoped"),):
            return "registry"
        case (_,):
            return "function"
    return None


def own_ends(evaluator: ProgramEvaluator, name: str) -> str | None:
    """Return the class that gives sessions of a class ends of its own; None for no sessions.

    Empty for none. Code that cannot be followed may have such ends as well.
    """
    ancestors = evaluator.classes.ancestors(name)
    outside = () if ancestors is None else ancestors.outside
    if ancestors is None or (SESSION in outside) is (ASYNC_SESSION in outside):
        return None
    ends = [facts.qualified for facts in ancestors.inside if _ENDS.intersection(facts.members)]
    unknown = [name] if ancestors.unresolved or len(outside) > 1 else []
    return next(iter([*ends, *unknown]), "")


def closes(statement: ast.stmt, name: str, *, is_async: bool | None = None) -> bool:
    """Whether ``statement`` closes the session ``name`` and does nothing else.

    ``is_async`` asks for one that is awaited, or is not.
    """
    call = statement.value if isinstance(statement, ast.Expr) else None
    is_awaited = isinstance(call, ast.Await)
    if isinstance(call, ast.Await):
        call = call.value
    if is_async not in {None, is_awaited}:
        return False
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method), args=[]):
            return owner == name and method in {"aclose", "close"} and not call.keywords
    return False


class MadeOtherwise(Struct, frozen=True):
    """Results of a call other than plain sessions.

    ``own_ends`` is a class of sessions that closes, or enters ``with``, in a way of its own;
    ``others`` are the classes of what is no session.
    """

    own_ends: str = ""
    others: tuple[str, ...] = ()


def made_otherwise(evaluator: ProgramEvaluator, module: Module, call: ast.Call) -> MadeOtherwise:
    """Return what ``call``, which makes a session, may give instead.

    ``evaluator`` takes no declaration's word. Subclasses and what makes the factory are asked, too.
    """
    ends, others = "", []
    for value in _given_values(evaluator, module, call):
        if not isinstance(value, InstanceOf):
            continue
        own = own_ends(evaluator, value.qualified)
        if own is None and not isinstance(evaluator.as_session(value), Session):
            others.append(value.qualified.rpartition(".")[2])
        ends = ends or own or ""
    return MadeOtherwise(ends, tuple(dict.fromkeys(others)))


def _given_values(evaluator: ProgramEvaluator, module: Module, call: ast.Call) -> Values:
    """Return what a call gives, of every subclass of its receiver, and by every factory."""
    result = evaluator.values(module, call)
    method = call.func if isinstance(call.func, ast.Attribute) else None
    for owner in evaluator.values(module, method.value) if method is not None else ():
        if method is None or not isinstance(owner, InstanceOf | ClassOf):
            continue
        for name in evaluator.classes.all_subclasses(owner.qualified):
            below = InstanceOf(name) if isinstance(owner, InstanceOf) else ClassOf(name)
            functions = evaluator.attribute(below, method.attr, module, call)
            result += evaluator.call_results(functions, module, call)
    return (*result, *(value for each in result for value in _of_factory(evaluator, each)))


def _of_factory(evaluator: ProgramEvaluator, session: Value) -> Iterator[Value]:
    """Yield what the calls at the place of a session give that make its factory, or registry."""
    place = session.place if isinstance(session, Session) else None
    for home, call in () if place is None else evaluator.calls_at(place):
        factory = keyword_of(call, "session_factory") or next(iter(call.args), None)
        if factory is not None:
            yield from evaluator.call_results(evaluator.values(home, factory), home, call)
        for options in (keyword.value for keyword in call.keywords if keyword.arg is None):
            for value in evaluator.values(home, item_at(options, "class_")):
                if isinstance(value, ClassOf):
                    yield InstanceOf(value.qualified)
