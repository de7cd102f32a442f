"""Files beside Python that a rule asks for by name: what it is given, and what is remembered."""

from __future__ import annotations

import pytest

from awaken import api
from awaken.codemods.sqlalchemy.query_to_select.plan import QueryToSelect
from awaken.contract import Change, Finding, Level, Phase, Place, Plan, Reason, Span, TextEdit
from awaken.engine import run as engine_run
from awaken.kit.rule import Rule
from awaken.settings import Settings
from awaken.workspace.manifests.pytest_settings import PYTEST_READS


class Settled(Rule):
    """Finds one site in the main file, and says in its message which texts it was given."""

    name = "settled"
    family = "tests"
    phase = Phase.TIDY
    triggers = (b"main",)
    reads = ("/pytest.ini", "*.html")
    reasons = (Reason("seen", "{texts}", "Nothing."),)

    def plan(self, project, constraints):
        del constraints
        seen = {
            pattern: [
                *(f"{path}={one.text.decode()}" for path, one in texts.files.items()),
                *(f"{one.path} {one.message}" for one in texts.unread),
            ]
            for pattern in self.reads
            for texts in [project.texts(pattern)]
        }
        finding = Finding(
            site="s",
            rule=self.name,
            level=Level.MANUAL,
            place=Place("main.py", Span(0, 4)),
            scope="",
            message=str(seen),
            reason="settled/seen",
        )
        return Plan((finding,))


class Curious(Settled):
    """Asks for what it did not declare."""

    name = "curious"
    reads = ()

    def plan(self, project, constraints):
        del constraints
        project.texts("/pytest.ini")
        return Plan()


@pytest.fixture
def root(tmp_path):
    directory = tmp_path / "program"
    directory.mkdir()
    (directory / "pyproject.toml").write_text('[project]\nname = "p"\n')
    (directory / "main.py").write_text("main()\n")
    (directory / "pytest.ini").write_text("a")
    (directory / "page.html").write_text("b")
    return directory


@pytest.fixture
def runs(monkeypatch):
    """Count how often the phases really run, and let the rules of this file be remembered."""
    counted = []
    real = engine_run.run_phases

    def counting(*arguments):
        counted.append(1)
        return real(*arguments)

    monkeypatch.setattr(engine_run, "run_phases", counting)
    # Of plug-ins nothing is remembered: their code may change.
    monkeypatch.setattr(Settled, "__module__", "awaken.tests")
    return counted


def run(root, *rules, select=("ALL",)):
    settings = Settings(select=select, cache_dir=str(root.parent / "cache"))
    report = api.run([root], api.Options(settings=settings, jobs=1), rules=rules)
    return report.roots[0]


def message(root):
    (finding,) = run(root, Settled()).findings
    return finding.message


def test_a_rule_is_given_the_files_that_it_asks_for(root):
    (root / "two.html").symlink_to(root / "page.html")

    assert message(root) == str(
        {
            "/pytest.ini": ["pytest.ini=a"],
            "*.html": ["page.html=b", "two.html is a symbolic link"],
        }
    )


def test_a_file_that_no_rule_declares_is_an_error_of_the_rule(root):
    report = run(root, Curious())

    assert "no rule that runs declares '/pytest.ini'" in report.diagnostics[0].message


def test_an_edit_of_a_file_that_a_rule_asked_for_plans_anew(root, runs):
    first, second = message(root), message(root)
    (root / "pytest.ini").write_text("c")
    third = message(root)
    (root / "new.html").write_text("d")
    fourth = message(root)
    (root / "page.html").unlink()
    fifth = message(root)

    assert len(runs) == 4
    assert first == second
    assert len({second, third, fourth, fifth}) == 4


def test_an_edit_of_a_file_that_nobody_asked_for_does_not(root, runs):
    (root / "tox.ini").write_text("a")
    first = message(root)
    (root / "tox.ini").write_text("b")
    (root / "page.txt").write_text("c")

    assert (message(root), len(runs)) == (first, 1)


def test_a_file_that_is_no_longer_read_plans_anew(root, runs):
    first = message(root)
    (root / "pytest.ini").write_bytes(b"\xff")

    assert message(root) != first
    assert len(runs) == 2


def test_files_are_found_for_the_rules_that_run_alone(root, runs):
    run(root, Settled(), QueryToSelect(), select=("query-to-select",))
    (root / "pytest.ini").write_text("c")
    run(root, Settled(), QueryToSelect(), select=("query-to-select",))

    assert len(runs) == 1


class Tested(Settled):
    """Says which mode pytest runs in, and sets another one; says it again a phase later."""

    name = "tested"
    reads = PYTEST_READS

    def plan(self, project, constraints):
        del constraints
        settings = project.pytest
        source = project.snapshot.get("pytest.ini")
        at = -1 if source is None else source.text.find(b"strict")
        finding = Finding(
            site="t",
            rule=self.name,
            level=Level.MANUAL if at < 0 else Level.SAFE,
            place=Place("main.py", Span(0, 4)),
            scope="",
            message=f"{settings.path} {settings.asyncio_mode} {len(settings.unread)}",
            reason="tested/seen" if at < 0 else None,
            change=None if at < 0 else "c",
        )
        if at < 0:
            return Plan((finding,))
        edit = TextEdit(path="pytest.ini", anchor=Span(at, at + 6), text="auto", site="t")
        change = Change(
            id="c", rule=self.name, title="", level=Level.SAFE, sites=("t",), edits=(edit,)
        )
        return Plan((finding,), (change,))


class TestedBefore(Tested):
    """The same in a phase before."""

    name = "tested-before"
    phase = Phase.QUERIES


def said(root, *rules):
    return [one.message for one in run(root, *rules).findings]


def test_what_pytest_is_told_is_a_fact_of_the_project(root):
    (root / "pytest.ini").unlink()
    assert said(root, Tested()) == [" strict 0"]

    (root.parent / ".git").mkdir()
    (root.parent / "tox.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    assert said(root, Tested()) == ["../tox.ini auto 0"]

    (root / "setup.cfg").write_bytes(b"\xff")
    assert said(root, Tested()) == ["../tox.ini auto 1"]

    (root / "pytest.ini").write_text("[pytest]\n")
    assert said(root, Tested()) == ["pytest.ini strict 1"]


def test_later_phases_see_what_earlier_ones_set(root):
    (root / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n")

    report = run(root, TestedBefore(), Tested())

    assert sorted(one.message for one in report.findings) == [
        "pytest.ini auto 0",
        "pytest.ini strict 0",
    ]
    assert report.files[0].after.text == b"[pytest]\nasyncio_mode = auto\n"
