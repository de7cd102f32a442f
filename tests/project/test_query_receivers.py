from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from programs import MODELS, last, module_of, program
from session_programs import DB, asked

from awaken.project.values.domain import Unknown


def used(text: str, call: str = "s.query(User)", **files: str):
    others = {f"{name}.py": body for name, body in files.items()}
    project = program({"db.py": DB, "models.py": MODELS, **others, "m.py": text})
    module = module_of(project, "m.py")
    node = last(module, call)
    assert isinstance(node, ast.Call)
    return project.orm.sessions.by_use(module, node)


IMPORTS = "from models import User, Note\nfrom sqlalchemy import distinct, func, select\n"


@pytest.mark.parametrize(
    "argument",
    [
        "User",
        "User.id",
        "Note, User",
        "func.count(), User.id",
        "User.id.label('n')",
        "func.avg(User.id)",
        "func.max(User.id, type_=None)",
        "func.count(User.id).label('n')",
        "func.count(func.distinct(User.id))",
        "distinct(User.id)",
        "User.id + 1",
        "(User.id > 1).label('old')",
    ],
)
def test_querying_a_mapped_class_proves_the_receiver(argument):
    call = f"s.query({argument})"
    found = used(f"{IMPORTS}def f(s): {call}", call)

    assert found.by_use
    assert found.kind == "session"
    assert found.places[0].path == "m.py"


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("def f(s): s.query(Note)", "s.query(Note)"),
        ("def f(s): s.query(Note.id)", "s.query(Note.id)"),
        ("def f(s): s.query(User.nothing)", "s.query(User.nothing)"),
        ("def f(s): s.query(Note.id.label('n'))", "s.query(Note.id.label('n'))"),
        ("def f(s): s.query(User.find('n'))", "s.query(User.find('n'))"),
        ("def f(s): s.query(User.query.text())", "s.query(User.query.text())"),
        ("def f(s): s.query(select(User))", "s.query(select(User))"),
        ("def f(s): s.query(make(User.id))", "s.query(make(User.id))"),
        ("def f(s): s.query(func.now())", "s.query(func.now())"),
        ("def f(s): s.query('select')", "s.query('select')"),
        ("def f(s): s.query()", "s.query()"),
        ("def f(s, User): s.query(User)", "s.query(User)"),
        ("def f(s): s.search(User)", "s.search(User)"),
        ("def f(): query(User)", "query(User)"),
        ("def f(s: str): s.query(User)", "s.query(User)"),
        ("from unittest.mock import Mock\ns = Mock()\ns.query(User)", "s.query(User)"),
        ("from db import AsyncSession\ndef f(s: AsyncSession): s.query(User)", "s.query(User)"),
        ("class R:\n  def query(self, model): ...\ndef f(s: R): s.query(User)", "s.query(User)"),
    ],
)
def test_a_query_that_proves_nothing(text, call):
    assert used(IMPORTS + text, call) is None


def test_a_project_with_a_query_method_of_its_own_needs_a_receiver_called_session():
    repository = "class Repository:\n  def query(self, model): return self.s.query(model)\n"
    session = (
        "from sqlalchemy.orm import Session\nclass Mine(Session):\n  def query(self, *a): ...\n"
    )
    text = IMPORTS + "def f(repo, session):\n  repo.query(User)\n  session.query(User)\n"

    assert used(text, "repo.query(User)").by_use
    assert used(text, "repo.query(User)", repository=repository) is None
    assert used(text, "session.query(User)", repository=repository).by_use
    assert used(text, "session.query(User)", mine=session) is None


def test_a_query_method_that_takes_anything_is_one_of_its_own():
    text = IMPORTS + "def f(repo): repo.query(User)\n"

    def own(parameters):
        return used(text, "repo.query(User)", own=f"class R:\n  def query({parameters}): ...\n")

    assert own("self, *models") is None
    assert own("self").by_use


def test_a_parameter_that_is_proven_once_is_proven_everywhere_in_its_function():
    text = IMPORTS + dedent("""
        def f(s, column):
            s.query(User)
            def inner():
                return s.query(column)
            return s
        def g(s):
            return s.query(x)
        def h(s):
            s.query(User)
            s = other()
            return s.query(y)
        def i(factory):
            with factory() as t:
                t.query(User)
                return t.query(z)
    """)

    assert "awaken sees no definition of `other`" in asked(text, "s", models=MODELS).why
    project = program({"db.py": DB, "models.py": MODELS, "m.py": text})
    module = module_of(project, "m.py")

    def receiver(call):
        return project.orm.session_of(module, last(module, call).func.value)

    assert receiver("s.query(column)").by_use
    assert isinstance(receiver("s.query(x)"), Unknown)
    assert isinstance(receiver("s.query(y)"), Unknown)
    assert receiver("t.query(z)").by_use
