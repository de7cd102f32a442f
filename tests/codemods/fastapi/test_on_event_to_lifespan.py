"""What the rule proves of a program after its change, however that came about."""

from __future__ import annotations

from textwrap import dedent

import pytest

from awaken.codemods.fastapi.on_event_to_lifespan import OnEventToLifespan
from awaken.codemods.fastapi.on_event_to_lifespan.payload import LifespanCode, Part
from awaken.contract import Change, ChangeId, Constraints, InsertStatements, Level, SiteId, Span
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

AFTER = """
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    def start(): ...
    def create():
        made = 1
        def stop(): ...
    @asynccontextmanager
    async def lifespan(app):
        start()
        yield
    app = FastAPI(lifespan=lifespan)
"""


def proved(text: str, *calls: str, condition: str = "") -> list[str]:
    """Return what is wrong with a program whose new lifespan has these calls."""
    source = decode("main.py", dedent(text).encode())
    parts = tuple(Part(code=call, condition=condition) for call in calls)
    code = LifespanCode(
        name="lifespan", parameter="app", annotation="", returns="", startup=parts, shutdown=()
    )
    site = SiteId("site")
    insertion = InsertStatements(
        path="main.py",
        at=Span(0, 0),
        where="before",
        rewriter="write-lifespan",
        data=code,
        site=site,
    )
    change = Change(
        id=ChangeId("change"), rule="on-event-to-lifespan", title="", level=Level.SAFE,
        sites=(site,), edits=(insertion,),
    )  # fmt: skip
    project = Project(Snapshot({"main.py": source}), None)
    return [problem.message for problem in OnEventToLifespan().prove(project, [change])]


@pytest.mark.parametrize(
    "left",
    [
        "app.on_event('startup')(start)",
        "app.router.on_shutdown.append(start)",
        "other = FastAPI(lifespan=lifespan, on_startup=[start])",
        (
            "other = FastAPI()\nother.router.lifespan_context = lifespan\n"
            "@other.on_event('startup')\ndef again(): ..."
        ),
    ],
)
def test_no_handler_is_left_on_an_application_with_a_lifespan(left):
    assert proved(AFTER, "start()") == []
    found = proved(f"{dedent(AFTER)}\n{left}\n", "start()")
    assert found == ["a handler remains on an application that has a lifespan"]


@pytest.mark.parametrize(
    ("call", "condition", "missing"),
    [
        ("start()", "", []),
        ("await start(app)", "", []),
        ("[start(one) for one in range(2)]", "", []),
        ("start(made)", "", ["the lifespan would not find `made`"]),
        ("await stop()", "", ["the lifespan would not find `stop`"]),
        ("start()", "made", ["the lifespan would not find `made`"]),
    ],
)
def test_a_lifespan_finds_every_name_that_it_calls(call, condition, missing):
    assert proved(AFTER, call, condition=condition) == missing


def test_an_application_is_left_alone_with_all_its_handlers():
    text = """
        from fastapi import FastAPI
        public = FastAPI()
        @public.on_event("startup")
        def start(): ...
        @public.on_event("shutdown")
        def stop(): ...
    """
    project = Project(Snapshot({"main.py": decode("main.py", dedent(text).encode())}), Targets())
    rule = OnEventToLifespan()
    plan = rule.plan(project, Constraints())
    assert [finding.level for finding in plan.findings] == [Level.SAFE, Level.SAFE]
    assert len(plan.changes) == 1
    first, second = (finding.site for finding in plan.findings)
    plan = rule.plan(project, Constraints(excluded=frozenset({first})))
    assert not plan.changes
    reasons = {finding.site: finding.reason for finding in plan.findings}
    assert reasons[second] == "on-event-to-lifespan/beside-left-out"
