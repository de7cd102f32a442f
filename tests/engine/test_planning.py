"""What a rule that decides file by file is asked before its files are planned."""

from __future__ import annotations

import pytest

from awaken.contract import Constraints, Phase, Plan
from awaken.engine.planning.rule_discovery import all_rules
from awaken.engine.planning.rule_planning import plan_rule
from awaken.engine.remembering.known_texts import KnownTexts
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.units.known_units import StageUnits
from awaken.engine.units.unit_planning import UnitPlanner
from awaken.kit.rule import Rule
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode


class Asked(Rule):
    """Notes what it is asked, in order."""

    name = "asked"
    family = "tests"
    phase = Phase.QUERIES
    triggers = (b"call",)
    per_file = True

    def __init__(self):
        self.asked = []

    def prepare(self, *_):
        self.asked.append("prepare")

    def plan(self, project, _):
        self.asked.append(*project.site_files(self.triggers))
        return Plan()


class Failing(Asked):
    def prepare(self, *_):
        raise RuntimeError("no answer")


def project(**files: str) -> Project:
    sources = {f"{name}.py": decode(f"{name}.py", text.encode()) for name, text in files.items()}
    return Project(Snapshot(sources), None)


def test_a_rule_is_prepared_once_before_its_files_are_planned():
    rule = Asked()
    planned = plan_rule(rule, project(a="call()", b="call()", c="other()"), Constraints())
    assert rule.asked == ["prepare", "a.py", "b.py"]
    assert planned.diagnostics == ()


def test_nothing_is_prepared_where_no_file_is_planned():
    rule = Asked()
    plan_rule(rule, project(c="other()"), Constraints())
    assert rule.asked == []


def test_a_failure_is_reported_and_the_files_are_planned():
    rule = Failing()
    planned = plan_rule(rule, project(a="call()"), Constraints())
    assert rule.asked == ["a.py"]
    (diagnostic,) = planned.diagnostics
    assert diagnostic.message.startswith("internal error in asked: RuntimeError: no answer; ")


@pytest.mark.parametrize(("rule", "planned_again"), [(Asked(), []), (Failing(), ["a.py"])])
def test_plans_are_kept_unless_their_shared_facts_failed(rule, planned_again):
    """Else the next run would not tell of the failure."""
    program, known = project(a="call()"), None
    for _ in range(2):
        rule.asked.clear()
        units = StageUnits(known, program.snapshot, b"", {}, KnownTexts(ResultsCache()))
        UnitPlanner(units).plan(rule, program, Constraints())
        known = units.to_keep()
    assert rule.asked == planned_again


DEEP = 350
"""Calls inside of each other; each takes three or more frames of the 1,000 that Python allows."""


def _chain(line: str, last: str) -> str:
    return "\n".join([*(line.format(n=n, next=n + 1) for n in range(DEEP)), last.format(n=DEEP)])


ASYNCHRONOUS = """\
import asyncio
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

make = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))

async def main():
    async with make() as db:
        await asyncio.gather(f0(db), f1(db))

""" + _chain(
    "async def f{n}(db: AsyncSession): return await f{next}(db)",
    "async def f{n}(db: AsyncSession): return await db.commit()",
)
SYNCHRONOUS = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.orm import sessionmaker

make = sessionmaker(create_engine("sqlite://"))

class Base(DeclarativeBase): ...
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list["Order"]] = relationship()
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

def main():
    with make() as db:
        user = db.get(User, 1)
        print(user.orders)
        return f0(db, user)

""" + _chain(
    "def f{n}(db: Session, user: User): return f{next}(db, user)",
    "def f{n}(db: Session, user: User):\n    db.commit()\n    return len(user.orders)\n",
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (ASYNCHRONOUS, "gather-to-taskgroup"),
        (ASYNCHRONOUS, "session-shared-across-tasks"),
        (SYNCHRONOUS, "session-to-async"),
    ],
)
def test_a_chain_of_calls_may_be_long(text, name):
    (rule,) = (rule for rule in all_rules() if rule.name == name)
    settings = ProjectSettings(published=False, reads=rule.reads)
    source = decode("main.py", text.encode())
    deep = Project(Snapshot({"main.py": source}), Targets(), settings=settings)

    assert plan_rule(rule, deep, Constraints()).diagnostics == ()
