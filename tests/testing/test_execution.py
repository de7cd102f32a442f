"""Running both sides on a database: what counts as a difference, and what is left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from two_sides import program_in, two_sides

from awaken.testing import Executor, assert_same_behaviour
from awaken.testing.cases import Loads

LIBRARY = Path(__file__).parents[2] / "fixtures" / "sqlalchemy" / "_programs" / "library"
PROGRAM = program_in(LIBRARY)
HEAD = """\
from models import Base, Cart, Post, User
from sqlalchemy import Column, Integer, func, select, text
from sqlalchemy.orm import joinedload


def case_it(session):
    return {}
"""


def result(before, after, head=HEAD, program=PROGRAM, **settings):
    sides = (head.replace("{}", side) for side in (before, after))
    return two_sides(*sides, program, **settings)


@pytest.fixture(scope="module")
def executor():
    with Executor() as executor:
        yield executor


EQUAL = [
    (
        "session.query(User).options(joinedload(User.posts)).limit(2).all()",
        "session.scalars(select(User).options(joinedload(User.posts)).limit(2)).unique().all()",
    ),
    ("session.query(User).all()", "session.scalars(select(User)).all()"),
    ("session.query(User.id).all()", "session.execute(select(User.id)).all()"),
    ("session.query(User).one()", "session.scalars(select(User)).one()"),
    ("{u.name for u in session.query(User)}", "{u.name for u in session.scalars(select(User))}"),
    ("(u for u in session.query(User))", "(u for u in session.scalars(select(User)))"),
    ("dict(session.query(User.id, User))", "dict(session.execute(select(User.id, User)).all())"),
]


@pytest.mark.parametrize(("before", "after"), EQUAL)
def test_equal_sides_are_equal(executor, before, after):
    assert assert_same_behaviour(result(before, after), executor) is None


DIFFERENT = {
    "row-ness": ("session.query(User.id).all()", "session.scalars(select(User.id)).all()", "value"),
    "fields": (
        "session.query(User.id.label('a')).all()",
        "session.execute(select(User.id.label('b'))).all()",
        "value",
    ),
    "container": ("session.query(User).all()", "tuple(session.scalars(select(User)))", "value"),
    "duplicates": (
        "session.query(User).join(User.posts).all()",
        "session.scalars(select(User).join(User.posts)).all()",
        "value",
    ),
    "entity": ("session.query(User).first()", "session.query(Post).first()", "value"),
    "loaded state": (
        "session.query(User).options(joinedload(User.posts)).all()",
        "session.scalars(select(User)).all()",
        "value",
    ),
    "type": ("session.query(User).count()", "float(session.query(User).count())", "value"),
    "exception": ("session.query(User).one()", "session.scalars(select(User)).first()", "value"),
    "count": (
        "[session.query(User).first(), session.query(User).first()][0]",
        "session.query(User).first()",
        "number of statements",
    ),
    "parameters": (
        "len(session.query(User).filter(User.id == 1).all())",
        "len(session.query(User).filter(User.id == 2).all())",
        "parameters",
    ),
    "SQL": (
        "len(session.query(User).filter(User.id > 0).all())",
        "len(session.query(User).filter(User.id >= 0).all())",
        "SQL",
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_differences_are_found(executor, what):
    before, after, word = DIFFERENT[what]
    with pytest.raises(AssertionError, match=f"case_it does not do the same:\n{word}"):
        assert_same_behaviour(result(before, after), executor)


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_difference_that_is_declared_must_be_there(executor, what):
    before, after, _ = DIFFERENT[what]
    assert assert_same_behaviour(result(before, after, differs=("case_it",)), executor) is None


def test_a_difference_declared_in_vain_is_an_error(executor):
    with pytest.raises(AssertionError, match="said to differ, and does not"):
        assert_same_behaviour(result("1", "1", differs=("case_it",)), executor)


def test_a_declared_difference_names_a_function(executor):
    with pytest.raises(AssertionError, match="case_other"):
        assert_same_behaviour(result("1", "1", differs=("case_other",)), executor)


def test_sql_may_be_excused(executor):
    before, after, _ = DIFFERENT["SQL"]
    assert assert_same_behaviour(result(before, after, other_sql=("case_i*",)), executor) is None


POSTS = "[len(user.posts) for user in session.query(User){}]"
AHEAD = POSTS.replace("{}", ".options(selectinload(User.posts))")
LOADS = {
    "statements": (AHEAD, POSTS.replace("{}", ""), "no more", "no more statements than 2"),
    "as many": (AHEAD, AHEAD, "fewer", "fewer statements than 2"),
    "rows": ("session.get(User, 1).id", "session.query(User).all()[0].id", "no more", "rows"),
    "value": (POSTS.replace("{}", ""), f"{AHEAD}[1:]", "fewer", "value"),
}


def test_loads_ahead_may_send_fewer_statements(executor):
    head = HEAD.replace("joinedload", "selectinload")
    sides = result(POSTS.replace("{}", ""), AHEAD, head, loads=Loads(statements="fewer"))
    assert assert_same_behaviour(sides, executor) is None
    alike = Loads(statements="fewer", same=("case_i*",))
    assert assert_same_behaviour(result(AHEAD, AHEAD, head, loads=alike), executor) is None


@pytest.mark.parametrize("what", LOADS)
def test_loads_ahead_cost_neither_statements_nor_rows(executor, what):
    before, after, wanted, word = LOADS[what]
    head = HEAD.replace("joinedload", "selectinload")
    sides = result(before, after, head, loads=Loads(statements=wanted))
    with pytest.raises(AssertionError, match=f"case_it does not do the same:\n{word}"):
        assert_same_behaviour(sides, executor)


def test_nothing_to_run_is_an_error(executor):
    with pytest.raises(AssertionError, match="no function case_"):
        assert_same_behaviour(result("1", "1", head="x = {}\n"), executor)


def test_a_function_that_is_gone_is_an_error(executor):
    gone = result("1", "1")
    gone.files["case.py"] = b""
    with pytest.raises(AssertionError, match="not the same"):
        assert_same_behaviour(gone, executor)


def test_every_call_starts_from_the_same_rows(executor):
    text = "[session.add(User(name='new')), session.commit(), session.query(User).count()][2]"
    case = result(text, text)
    seen = [executor.observe(case.case, case.files)["case_it"].value for _ in range(3)]
    assert seen == [("int", 5)] * 3


def test_models_of_its_own_are_imported_afresh_for_each_side(executor):
    head = HEAD.replace(
        "def case_it",
        "class Own(Base):\n    __tablename__ = 'own'\n    id = Column(Integer, primary_key=True)\n"
        "\n\ndef case_it",
    )
    own = result("session.query(Own).all()", "session.scalars(select(Own)).all()", head=head)
    assert assert_same_behaviour(own, executor) is None
    assert assert_same_behaviour(own, executor) is None


def test_a_case_without_a_program_brings_base_and_seed(executor):
    head = (
        "from sqlalchemy import Column, Integer, select\n"
        "from sqlalchemy.orm import declarative_base\n"
        "Base = declarative_base()\n"
        "class Own(Base):\n    __tablename__ = 'own'\n    id = Column(Integer, primary_key=True)\n"
        "def seed(session):\n    session.add(Own(id=7))\n"
        "def case_it(session):\n    return {}\n"
    )
    own = result("session.query(Own.id).all()", "session.query(Own.id).all()", head, {})
    assert assert_same_behaviour(own, executor) is None
    value = executor.observe(own.case, own.files)["case_it"].value
    assert value == ("list", (("Row", ("id",), (("int", 7),)),))


def test_a_case_without_models_runs_by_itself(executor):
    head = "def case_it():\n    return {}\n"
    assert assert_same_behaviour(result("1 + 1", "2", head, {}), executor) is None
    with pytest.raises(AssertionError, match="value"):
        assert_same_behaviour(result("1 + 1", "3", head, {}), executor)
    with pytest.raises(AssertionError, match="value"):
        assert_same_behaviour(result("1 / 0", "1", head, {}), executor)


def test_no_module_and_no_path_is_left_behind(executor):
    path = list(sys.path)
    one = result("1", "1")
    executor.observe(one.case, one.files)
    assert not {"models", "database", "case"} & sys.modules.keys()
    assert sys.path == path


def test_a_module_of_the_same_name_comes_back(executor, monkeypatch):
    monkeypatch.setitem(sys.modules, "models", sys)
    one = result("1", "1")
    executor.observe(one.case, one.files)
    assert sys.modules["models"] is sys


def test_a_program_may_warn(executor):
    text = "[__import__('warnings').warn('old'), 1][1]"
    assert assert_same_behaviour(result(text, text), executor) is None


def test_a_program_may_warn_when_it_is_imported(executor):
    head = "import warnings\n" + HEAD.replace(
        "def case_it", "warnings.warn('old')\n\n\ndef case_it"
    )
    assert assert_same_behaviour(result("1", "1", head=head), executor) is None
