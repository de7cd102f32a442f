"""Attributes by their names alone: callers need not be asked for the objects that have them."""

from __future__ import annotations

import ast

import pytest
from programs import module_of, program

from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof

_PROGRAM = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.ext.asyncio import AsyncSession

    class Base(DeclarativeBase): ...

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    def users(context):
        return context.session.query(User).all()

    def page(request):
        return users(request.context)
"""
_GIVEN = {
    "nothing": ("", True),
    "a session": ("def start(context): context.session = Session()", True),
    "a mock": ("from unittest.mock import Mock\ndef t(context): context.session = Mock()", True),
    "unknown": ("import other\ndef start(context): context.session = other.make()", True),
    "an AsyncSession": ("def start(context): context.session = AsyncSession()", False),
    "something else": ("class It: ...\ndef start(context): context.session = It()", False),
    "by a tuple": ("class It: ...\ndef start(one): one.session, one.x = It(), 1", False),
    "by a class": ("class Context:\n    session = None", False),
    "by a text": ("def start(context, it): setattr(context, 'session', it)", False),
    "by a file": ("session = {}", False),
}


def _project(given: str) -> Project:
    # At the left, so that lines of several texts have one indentation.
    return program({"app.py": _PROGRAM, "given.py": f"from app import *\n{given}\n"})


@pytest.mark.parametrize(("given", "expected"), _GIVEN.values(), ids=_GIVEN)
def test_only_sessions_need_no_callers(given: str, *, expected: bool) -> None:
    project = _project(given)
    names = project.values._evaluator.attributes_by_name
    assert names.are_only_sessions("session") is expected


@pytest.mark.parametrize("module", ["session.py", "app/session.py"])
def test_a_module_of_the_name_is_something_else(module: str) -> None:
    project = program({"app.py": _PROGRAM, module: "x = 1"})
    names = project.values._evaluator.attributes_by_name
    assert not names.are_only_sessions("session")


@pytest.mark.parametrize(("given", "is_cheap"), [_GIVEN["nothing"], _GIVEN["by a class"]])
def test_callers_are_asked_only_where_they_may_tell_more(given: str, *, is_cheap: bool) -> None:
    project = _project(given)
    module = module_of(project, "app.py")
    (query,) = (
        node
        for node in module.nodes(ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "query"
    )
    proof = project.orm.sessions.by_use(module, query)
    assert isinstance(proof, SessionProof)
    assert proof.by_use
    function = module.enclosing_def(query)
    assert function is not None
    kept = project.values._evaluator.callers._kept
    assert (module.key_of(function) not in kept) is is_cheap
