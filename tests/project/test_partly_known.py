"""What a value may be where it is not all known: what is known of it is said all the same."""

from __future__ import annotations

import pytest
from programs import MODELS, last, module_of, program

from awaken.project.values.domain import InstanceOf, TupleOf


def known(files: dict[str, str], text: str = "x") -> tuple[set[str], bool]:
    """Return the classes of which the last ``text`` in m.py may be, and whether those are all."""
    project = program({"models.py": MODELS, **files})
    module = module_of(project, "m.py")
    found = project.values.of(module, last(module, text))
    names = {one.qualified for one in found.alternatives if isinstance(one, InstanceOf)}
    return names, found.is_known


@pytest.mark.parametrize(
    "read",
    [
        "session.query(User).filter(User.id == 1).first()",
        "session.get(User, 1)",
        "session.scalars(select(User)).first()",
        "session.execute(select(User)).scalar_one()",
        "session.exec(sqlmodel.select(User)).first()",
        "await (await session.stream_scalars(select(User))).first()",
    ],
)
def test_a_call_that_is_given_a_mapped_class_may_be_one_of_a_session(read):
    text = (
        "import sqlmodel\nfrom sqlalchemy import select\nfrom models import User\n"
        "from pecan import request\nsession = request.context.get('context').session\n"
        f"async def f():\n    x = {read}\n    x\n"
    )

    assert known({"m.py": text}) == ({"models.User"}, False)


@pytest.mark.parametrize("read", ["session.query(Note).first()", "session.get('User', 1)"])
def test_a_call_that_is_given_something_else_is_unknown(read):
    text = f"from models import Note, User\ndef f(session):\n    x = {read}\n    x\n"

    assert known({"m.py": text}) == (set(), False)


@pytest.mark.parametrize("mock", ["mock", "unittest.mock"])
def test_a_mock_that_tests_pass_hides_nothing(mock):
    text = "from models import User\ndef f(x):\n    x\ndef g():\n    f(User())\n"
    tests = f"from {mock} import MagicMock\nfrom m import f\ndef test_f():\n    f(MagicMock())\n"

    assert known({"m.py": text, "test_m.py": tests})[0] == {"models.User"}


def test_what_some_callers_pass_is_known_where_others_are_not_in_sight():
    text = "from models import User\ndef f(x):\n    x\nf(User())\nhand_on(f)\n"

    assert known({"m.py": text}) == ({"models.User"}, False)


def test_a_base_that_is_made_of_a_class_gives_its_methods():
    text = (
        "from sqlalchemy.orm import declarative_base\nclass Model: pass\n"
        "class Above:\n    def as_model(self):\n        return Model()\n"
        "Base = declarative_base(cls=Above)\nclass Row(Base):\n    __tablename__ = 'rows'\n"
        "def f(row: Row):\n    x = row.as_model()\n    x\n"
    )

    assert known({"m.py": text}) == ({"m.Model"}, True)


def test_of_what_holds_too_many_things_the_outermost_are_known():
    rows = [f"x{level} = ({', '.join([f'x{level - 1}'] * 7)})\n" for level in range(1, 4)]
    project = program({"m.py": f"x0 = 1\n{''.join(rows)}x3\n"})
    module = module_of(project, "m.py")

    (found,) = project.values.of(module, last(module, "x3")).alternatives

    assert isinstance(found, TupleOf)
    assert len(found.items) == 7


def test_of_too_many_things_the_rows_are_known():
    classes = "".join(f"class C{number}: pass\n" for number in range(12))
    made = "".join(f"    if n == {number}: x = C{number}()\n" for number in range(12))
    text = f"from models import User\n{classes}def f(n):\n    x = User()\n{made}    x\n"

    assert known({"m.py": text}) == ({"models.User"}, False)


def test_a_list_that_numbers_its_items_holds_what_a_relationship_leads_to():
    models = """
        from sqlalchemy import ForeignKey, Integer
        from sqlalchemy.ext.orderinglist import ordering_list
        from sqlalchemy.orm import declarative_base, mapped_column, relationship
        Base = declarative_base()
        class Step(Base):
            __tablename__ = "steps"
            id = mapped_column(Integer, primary_key=True)
            plan_id = mapped_column(ForeignKey("plans.id"))
            position = mapped_column(Integer)
        class Plan(Base):
            __tablename__ = "plans"
            id = mapped_column(Integer, primary_key=True)
            steps = relationship(Step, collection_class=ordering_list("position"))
    """
    text = "from rows import Plan\ndef f(plan: Plan):\n    for x in plan.steps:\n        x\n"

    assert known({"rows.py": models, "m.py": text}) == ({"rows.Step"}, True)


_SHAPES = "class Shape: pass\n" + "".join(f"class Shape{n}(Shape): pass\n" for n in range(10))


def _chosen(*classes: str) -> str:
    choices = "".join(f"    if number == {n}: x = {one}()\n" for n, one in enumerate(classes))
    return f"def f(number):\n    x = None\n{choices}    x\n"


def test_instances_of_too_many_classes_are_instances_of_what_all_inherit():
    shapes = [f"Shape{number}" for number in range(10)]

    assert known({"m.py": _SHAPES + _chosen(*shapes)}) == ({"m.Shape"}, True)
    assert known({"m.py": _SHAPES + _chosen(*shapes[:4])}) == (
        {f"m.{one}" for one in shapes[:4]},
        True,
    )
    # One that inherits from nothing of the sort, and one of which nothing is known.
    for other in ("class Other: pass\n", "from library import Other\n"):
        assert known({"m.py": other + _SHAPES + _chosen(*shapes, "Other")}) == (set(), False)


def test_rows_of_too_many_classes_are_not_one_of_their_base():
    rows = [f"Row{number}" for number in range(10)]
    classes = "".join(
        f"class {one}(Base):\n    __tablename__ = '{one}'\n    id = Column(Integer)\n"
        for one in rows
    )
    text = "from models import Base\nfrom sqlalchemy import Column, Integer\n" + classes

    assert known({"m.py": text + _chosen(*rows)}) == (set(), False)


def test_a_fixture_is_what_it_gives_where_its_annotation_says_nothing():
    text = (
        "import pytest\nfrom typing import Any\nfrom models import User\n\n\n"
        "@pytest.fixture\ndef user() -> Any:\n    {given}\n\n\n"
        "def test_user(user: Any):\n    x = user\n    x\n"
    )

    assert known({"test_m.py": "", "m.py": text.format(given="yield User()")})[0] == {"models.User"}
    assert known({"m.py": text.format(given="return made()")}) == (set(), False)


@pytest.mark.parametrize("made", ["psycopg.connect('')", "psycopg2.connect('')"])
def test_a_connection_of_a_driver_is_itself_where_it_is_entered(made):
    text = f"import psycopg, psycopg2\ndef f():\n    with {made} as x:\n        x\n"

    names, is_known = known({"m.py": text})
    assert is_known
    assert all(one.startswith("psycopg") for one in names)
