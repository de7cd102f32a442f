"""Bases that a call makes and no file defines: ``Base = declarative_base()``."""

from __future__ import annotations

from awaken.project.names.classes import Ancestors, ClassFacts
from awaken.project.values.domain import DeclarativeBase, Value, Values
from awaken.project.values.questions import Questions


def made_bases(evaluator: Questions, facts: ClassFacts, index: int) -> Values:
    """Return the values of the base of a class at ``index``; none if the class is there twice."""
    module, node = evaluator.classes.node(facts.qualified) or (None, None)
    return () if module is None or node is None else evaluator.values(module, node.bases[index])


def hidden_base(evaluator: Questions, ancestors: Ancestors, name: str) -> str | None:
    """Return a base, as written, that awaken cannot follow, and that may have ``name``.

    A base that SQLAlchemy makes has the methods of its ``cls``, and no others.
    """
    for facts, index in ancestors.unresolved:
        bases = made_bases(evaluator, facts, index)
        if not bases or any(_may_have(evaluator, base, name) for base in bases):
            return facts.bases_text[index]
    return None


def _may_have(evaluator: Questions, base: Value, name: str) -> bool:
    if not isinstance(base, DeclarativeBase) or not base.complete or base.automap:
        return True
    if base.parent is None:
        return False
    line = evaluator.classes.ancestors(base.parent)
    is_whole = line is not None and not line.outside and not line.unresolved
    return not is_whole or evaluator.classes.has_own(base.parent, name)
