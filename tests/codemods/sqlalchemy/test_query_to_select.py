"""What holds for query-to-select beside its fixtures: its page, its reasons, its data."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from fixture_cases import CASES, FIXTURES, costly, result_of

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect, reasons
from awaken.contract import Constraints, Level, NodeEdit, TextEdit
from awaken.project import Project, Snapshot
from awaken.testing import Case, load_cases, run_case
from awaken.testing.cases import Settings
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

RULE = "query-to-select"
LIBRARY = {
    path.name: path.read_bytes()
    for path in (FIXTURES / "sqlalchemy/_programs/library").glob("*.py")
}
MINE = [name for name, case in CASES.items() if case.rule == RULE]


def case_of(before, **settings):
    return Case(
        name="example",
        family="sqlalchemy",
        rule=RULE,
        directory=Path(),
        settings=Settings(**settings),
        before={**LIBRARY, "case.py": before.encode()},
        after={},
        program=LIBRARY,
    )


def rewritten(before, **settings):
    return run_case(case_of(before, **settings)).files["case.py"].decode()


def plan_of(before, constraints=Constraints()):  # noqa: B008  frozen
    return plan_of_files({**LIBRARY, "case.py": before.encode()}, constraints)


def plan_of_files(files, constraints=Constraints()):  # noqa: B008  frozen
    files = {path: raw for path, raw in files.items() if path.endswith(".py")}
    snapshot = Snapshot({path: decode(path, raw) for path, raw in files.items()})
    return QueryToSelect().plan(Project(snapshot, Targets()), constraints)


def test_every_reason_has_a_fixture():
    found = {one.reason for name in MINE for one in CASES[name].settings.expect or ()}

    missing = {f"{RULE}/{reason.code}" for reason in QueryToSelect.reasons} - found
    # Hundreds of lines: tests/engine/test_growth.py makes such a program.
    assert missing == {f"{RULE}/{reasons.TOO_LARGE.code}"}


def test_every_reason_is_one_sentence_and_one_cure():
    for reason in QueryToSelect.reasons:
        assert not reason.message.endswith("."), reason.code
        assert reason.help.endswith("."), reason.code
        assert reason.message.count("{}") <= 1, reason.code


def leaves_something_alone(name):
    settings = CASES[name].settings
    levels = [one.level for one in settings.expect or ()]
    return Level.MANUAL in levels or not (levels or settings.level)


def test_two_fifths_of_the_cases_leave_something_alone():
    written = [case.identifier for case in load_cases(FIXTURES) if case.rule == RULE]

    assert sum(map(leaves_something_alone, written)) >= 0.4 * len(written)


@pytest.mark.parametrize("name", [*map(costly, MINE)])
def test_plans_are_plain_data(name):
    for change in plan_of_files(CASES[name].before).changes:
        assert pickle.loads(pickle.dumps(change)) == change
        assert change.sites
        # Doubles are edited as text.
        made = [one for one in change.edits if isinstance(one, NodeEdit | TextEdit)]
        assert len(made) >= len(change.sites)


@pytest.mark.parametrize("name", [*map(costly, MINE)])
def test_an_unsafe_message_says_what_may_change(name):
    for finding in result_of(name).report.findings:
        if finding.level is not Level.MANUAL:
            assert ("; " in finding.message) == (finding.level is Level.UNSAFE), finding.message
        assert (finding.help != "") == (finding.level is Level.MANUAL)


SHARED = """from models import User
from sqlalchemy.orm import Session

def shared(session: Session, young):
    query = session.query(User).filter(User.age < 30) if young else session.query(User)
    return query.all(), query.count()

def alone(session: Session):
    return session.query(User).all()
"""


def test_a_site_left_out_keeps_all_that_share_its_variables():
    whole = plan_of(SHARED)
    excluded = whole.findings[1].site

    plan = plan_of(SHARED, Constraints(frozenset({excluded})))

    assert [len(change.sites) for change in whole.changes] == [2, 1]
    assert [len(change.edits) for change in whole.changes] == [6, 2]
    assert [change.sites for change in plan.changes] == [(whole.findings[2].site,)]
    assert [finding.site for finding in plan.findings] == [one.site for one in whole.findings]
    assert plan.findings[0].reason == f"{RULE}/beside-left-out"


HEAD = "from models import User\nfrom sqlalchemy.orm import Session\n\n"
TWO_SITES = f"""{HEAD}
def both(session: Session):
    return session.query(User).all(), session.query(User).first()
"""


def test_a_site_left_out_keeps_its_finding_and_loses_its_change():
    whole = plan_of(TWO_SITES)
    first = whole.findings[0].site

    rest = plan_of(TWO_SITES, Constraints(excluded=frozenset({first})))

    assert rest.findings == whole.findings
    assert [change.sites for change in rest.changes] == [(whole.findings[1].site,)]


def test_the_place_of_a_site_starts_where_its_query_starts():
    before = TWO_SITES.replace("session.query(User).all()", "(session.query(User)).all()")
    place = plan_of(before).findings[0].place

    text = before.encode()[place.span.start : place.span.end]

    assert text == b"session.query(User)).all()"


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("session.query(User).all().sort()", id="method of the result"),
        pytest.param("[*session.query(User)]", id="unpacked in a list"),
        pytest.param("print(*session.query(User))", id="unpacked in a call"),
        pytest.param("session.query(User).first().name", id="attribute of the result"),
        pytest.param("not session.query(User).first()", id="negated result"),
        pytest.param("None in session.query(User)", id="membership"),
        pytest.param("None not in session.query(User)", id="no membership"),
        pytest.param("next(iter(session.query(User)))", id="iterator"),
        pytest.param("dict(session.query(User.id, User.name))", id="pairs"),
        pytest.param("max(session.query(User.id))", id="greatest"),
        pytest.param("sum(n for n, in session.query(User.id))", id="generator"),
        pytest.param("{u.id: u for u in session.query(User)}", id="dictionary display"),
        pytest.param("list(map(str, session.query(User)))", id="second argument of map"),
        pytest.param("User.id.in_(session.query(User.id))", id="subquery"),
        pytest.param("session.query(User).filter_by(id=1).one", id="not called"),
    ],
)
def test_what_surrounds_a_query_stays(expression):
    after = rewritten(f"{HEAD}def use(session: Session):\n    return {expression}\n")

    if expression.endswith(".one"):
        assert expression in after
    else:
        assert "session.query" not in after
        compile(after, "after", "exec")


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        (">=2.0", "session.scalars(select(User)).all()"),
        (">=1.4.24", "session.scalars(select(User)).all()"),
        (">=1.4", "session.execute(select(User)).scalars().all()"),
        ("1.4.54", "session.scalars(select(User)).all()"),
        (">=1.3", "session.query(User).all()"),
    ],
)
def test_the_declared_versions_decide_what_may_be_written(specifier, expected):
    before = TWO_SITES.replace(", session.query(User).first()", "")

    assert f"return {expected}" in rewritten(before, targets={"sqlalchemy": specifier})


@pytest.mark.parametrize(
    "column",
    [
        'Order.data["a"].astext',
        'Order.data["a", "b"].astext',
        'Order.data["a"]["b"].astext.cast(Integer)',
        'Order.data["a"].astext.label("a")',
    ],
)
def test_the_text_of_a_value_in_json_is_a_column(column):
    before = f"""\
from sqlalchemy import Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders_with_data"
    id: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[dict] = mapped_column(JSONB)


def texts(session: Session):
    return session.query({column}).all()
"""
    after = rewritten(before, unsafe=True)

    assert f"return session.execute(select({column}))" in after
