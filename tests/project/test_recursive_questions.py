"""Questions that lead to each other look at each part of a program once, and end."""

from __future__ import annotations

import pytest
from growth import steps

from awaken.contract import Constraints
from awaken.engine.planning.rule_discovery import all_rules
from awaken.engine.planning.rule_planning import plan_rule
from awaken.project import Project, Snapshot
from awaken.project.source.memo import recursive, recursive_items
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

_SLACK = 1.25
"""Room for n log n: from n to 4n it grows so much more than n at these sizes."""

_HEAD = """
import asyncio, time, threading
from unittest.mock import MagicMock
from fastapi import FastAPI
from flask import render_template
from marshmallow import Schema, fields
from sqlalchemy import Column, ForeignKey, Integer, select, func, exists
from sqlalchemy.orm import Session, aliased, declarative_base, relationship
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    orders = relationship("Order")
class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
class UserSchema(Schema):
    orders = fields.List(fields.Integer())
    class Meta:
        fields = ("id", "orders")
app = FastAPI()
"""
_ASKED = """
def ask(session: Session, given):
{made}
    time.sleep({last})
    render_template({last}, users=session.query(User).all())
    for user in session.query(User).filter({last}).all():
        getattr(user, {last})
    session.query({last}).all()
    session.query(*{last}).all()
    return UserSchema().dump({last})
async def run(given):
{made}
    await asyncio.gather(*{last})
    await asyncio.gather({last}, {last})
    return [asyncio.create_task(job) for job in {last}]
@app.get("/")
def shown(given, session: Session):
{made}
    rows = session.query({last}.id).all()
    return [row.id for row in rows]
"""


def _twice(number):
    lines = ["    a0 = given", *(f"    a{n} = a{n - 1} + a{n - 1}" for n in range(1, number))]
    return _HEAD + _ASKED.format(made="\n".join(lines), last=f"a{number - 1}")


def _chosen(number):
    lines = ["    a0 = User", *(f"    a{n} = a{n - 1} or a{n - 1}" for n in range(1, number))]
    return _HEAD + _ASKED.format(made="\n".join(lines), last=f"a{number - 1}")


def _listed(number):
    lines = ["    a0 = [User.id]"]
    lines += [f"    a{n} = [*a{n - 1}, *a{n - 1}]" for n in range(1, number)]
    return _HEAD + _ASKED.format(made="\n".join(lines), last=f"a{number - 1}")


def _joined(number):
    lines = [
        "    a0 = 'text'",
        *(f"    a{n} = f'{{a{n - 1}}}{{a{n - 1}}}'" for n in range(1, number)),
    ]
    return _HEAD + _ASKED.format(made="\n".join(lines), last=f"a{number - 1}")


def _returned(number):
    functions = "def f0():\n    return [User.id]\n" + "".join(
        f"def f{n}():\n    if given:\n        return f{n - 1}()\n    return f{n - 1}()\n"
        for n in range(1, number)
    )
    return _HEAD + functions + _ASKED.format(made="    a = given", last=f"f{number - 1}()")


def _passed(number):
    functions = "".join(
        f"def p{n}(session: Session, model):\n    p{n + 1}(session, model)\n"
        f"    p{n + 1}(session, model)\n    return session.query(model).all()\n"
        for n in range(number)
    )
    start = f"def p{number}(session: Session, model):\n    return session.query(model).all()\n"
    use = "def begin(session: Session):\n    return p0(session, User)\n"
    return _HEAD + functions + start + use


def _planned(text):
    """Plan all rules; return how many sites there are."""
    sources = {"main.py": decode("main.py", text.encode())}
    reads = tuple(dict.fromkeys(one for rule in all_rules() for one in rule.reads))
    settings = ProjectSettings(reads=reads)
    sites = 0
    for rule in all_rules():
        project = Project(Snapshot(sources), Targets(), settings=settings)
        planned = plan_rule(rule, project, Constraints())
        assert not planned.diagnostics, planned.diagnostics
        sites += len(planned.plan.findings)
    return sites


@pytest.mark.parametrize("shape", [_twice, _chosen, _listed, _joined, _returned, _passed])
def test_the_work_grows_with_the_text(shape):
    texts = [shape(number) for number in (20, 40, 80)]
    assert _planned(texts[0])
    taken = [steps(lambda text=text: _planned(text)) for text in texts]

    assert taken[2] - taken[1] < _SLACK * 2 * (taken[1] - taken[0]), taken


@pytest.mark.parametrize(
    "made",
    [
        "    a = a + given",
        "    a = b\n    b = a",
        "    a = [*a, *a]",
        "    a = a or a",
        "    a = f'{a}{a}'",
        "    a = {**a, **a}",
        "    a = [a for b in a]",
        "    a = itself(a)",
        "    a = lambda: a",
        "    a = aliased(a)",
        "    a = a.a",
        "    a = a[a]",
        "    a = ~a & a",
        "    a = exists(a)",
        "    a = MagicMock(a).a",
    ],
)
def test_what_leads_back_to_itself_ends(made):
    itself = "def itself(a):\n    return itself(a)\n"

    assert _planned(_HEAD + itself + _ASKED.format(made=made, last="a"))


def test_a_long_chain_ends():
    assert _planned(_chosen(300))


class Numbers:
    def __init__(self):
        self.calls = 0

    @recursive(lambda _, number: -number)
    def below(self, number):
        self.calls += 1
        return number and self.below(number - 1) + self.below(number - 1)

    @recursive()
    def around(self, number):
        return self.around((number + 1) % 3)

    @recursive_items
    def items(self, number):
        yield number
        yield from self.items((number + 1) % 3)

    @recursive()
    def failing(self, number):
        if number == 0:
            raise LookupError
        return self.failing(number - 1)


@pytest.mark.parametrize("number", [10, 20, 40])
def test_each_part_is_looked_at_once(number):
    numbers = Numbers()

    numbers.below(number)

    assert numbers.calls == number + 1


def test_answers_are_of_one_question():
    numbers = Numbers()

    assert numbers.below(3) == numbers.below(3)
    assert numbers.calls == 8


def test_what_leads_back_is_unknown():
    assert Numbers().around(0) is None
    assert Numbers().items(1) == (1, 2, 0)


def test_what_is_too_far_is_unknown():
    assert Numbers().below(100_000) < 0


def test_a_failure_leaves_nothing():
    numbers = Numbers()
    for _ in range(2):
        with pytest.raises(LookupError):
            numbers.failing(5)
    assert numbers.around(0) is None
