"""Values that a call may return instead of the plain session that its declaration promises."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.project.frameworks.sqlalchemy.made_sessions.made import own_ends
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import item_at, keyword_of
from awaken.project.values.domain import ClassOf, InstanceOf, Session, Value, Values


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
