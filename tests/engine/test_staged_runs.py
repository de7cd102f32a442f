"""Each change of a run by itself, over every transaction and every fixture."""

from __future__ import annotations

import ast
import tempfile
from functools import cache
from pathlib import Path

import libcst
import pytest
from fixture_cases import CASES, costly
from msgspec.structs import replace
from rules_for_tests import FirstStep, OneByOne, OverFiles, RequiresBase
from transaction_cases import MANIFEST, TRANSACTIONS, shown

from awaken import api
from awaken.contract import CreateFile, Level
from awaken.settings import Settings
from awaken.testing.running import options, with_pass, write_project


class Program:
    """One root run in stages, and short ways to ask about it."""

    def __init__(self, root, chosen, rules=None):
        self.root = root.resolve()
        self.staged_report = api.run_staged([root], chosen, rules=rules)
        (self.report,) = self.staged_report.report.roots

    def in_order(self):
        """Return the identities of the changes that were made, phase by phase."""
        return [change.id for change in self.report.changes]

    def files_of(self, change, made=()):
        return {one.path: one for one in self.staged_report.files_of(self.root, change, made)}


def transaction(name, root):
    chosen = TRANSACTIONS[name]
    chosen.write(root)
    return Program(root, api.Options(jobs=1, use_cache=False), chosen.rule_instances())


def fixture(name, root):
    case = CASES[name]
    write_project(root, case.before)
    return Program(root, options(case), with_pass(case, None, root))


@cache
def staged(name):
    """Return the program of a transaction or a fixture; a staged run needs no disk any more."""
    with tempfile.TemporaryDirectory(prefix="awaken-staged-") as directory:
        make = transaction if name in TRANSACTIONS else fixture
        return make(name, Path(directory))


@pytest.fixture(params=[*TRANSACTIONS, *map(costly, CASES)])
def program(request):
    return staged(request.param)


def with_rules(root, files, *rules, **chosen):
    for path, text in {"pyproject.toml": MANIFEST, **files}.items():
        (root / path).write_text(text)
    return Program(root, api.Options(jobs=1, use_cache=False, **chosen), rules)


MOST_SHOWN = 8
"""Of a longer program the last changes are shown, after all others."""


@pytest.mark.sampled(4)
def test_changes_shown_one_after_the_other_add_up_to_what_is_written(program):
    changes = program.in_order()
    made, last = changes[:-MOST_SHOWN], {}
    for change in changes[-MOST_SHOWN:]:
        for path, file in program.files_of(change, made).items():
            before = last.get(path)
            assert before is None or file.before.text == before.text
            last[path] = file.after
        made.append(change)

    written = {file.path: file.after.raw().decode() for file in program.report.files}
    if len(changes) > MOST_SHOWN:
        written = {path: text for path, text in written.items() if path in last}
    assert {path: source.raw().decode() for path, source in last.items()} == written


@pytest.mark.sampled(4)
def test_each_change_alone_is_a_program_and_touches_its_files_only(program):
    for change in program.report.changes:
        files = program.files_of(change.id)
        own = set(program.staged_report.with_required(program.root, change.id))
        assert files.keys() >= set(change.paths)
        for path, file in files.items():
            assert file.before is None or file.before.text != file.after.text
            assert {finding.change for finding in file.findings} <= own
            if path.endswith(".py"):
                ast.parse(file.after.text)


def test_changes_in_different_files_are_the_whole_when_each_is_made_alone(tmp_path):
    files = {"a.py": "single(1)\n", "b.py": "single(2)\n", "c.py": "x = single(3)\n"}
    program = with_rules(tmp_path, files, OneByOne())

    alone = {}
    for change in program.in_order():
        for path, file in program.files_of(change).items():
            assert path not in alone
            alone[path] = file.after.raw().decode()

    assert alone == shown(program.staged_report.report)
    assert alone.keys() == files.keys()


def test_a_change_over_files_is_shown_whole(tmp_path):
    program = with_rules(tmp_path, {"a.py": "alpha(1)\n", "b.py": "alpha(2)\n"}, OverFiles())

    files = program.files_of("over-files-0")

    assert {path: file.after.text for path, file in files.items()} == {
        "a.py": b"beta(1)\n",
        "b.py": b"beta(2)\n",
    }
    assert [len(file.findings) for file in files.values()] == [2, 2]


def test_what_a_change_requires_is_made_with_it(tmp_path):
    files = {"a.py": "dependant(1)\n", "b.py": "dependant(2)\n", "c.py": "dependant(3)\n"}
    program = with_rules(tmp_path, files, RequiresBase())
    first, _, third = program.in_order()

    assert program.staged_report.with_required(program.root, third) == (first, third)
    assert program.files_of(third).keys() == {"a.py", "c.py"}
    assert program.files_of(third, made=[first]).keys() == {"c.py"}
    assert program.files_of(first).keys() == {"a.py"}


def test_findings_stand_in_the_text_that_a_file_change_starts_from(tmp_path):
    program = transaction("d-sites-after-another-edit", tmp_path)
    (later,) = (one for one in program.in_order() if one == "second-step-0")

    (file,) = program.files_of(later, made=program.in_order()[:1]).values()
    (finding,) = file.findings

    span = finding.place.span
    assert file.before.text[span.start : span.end] == b"step_two(2)"
    assert program.staged_report.phase_of(program.root, later) == 1
    assert program.staged_report.phase_of(program.root, "first-step-0") == 0


def test_findings_move_with_what_was_made_before(tmp_path):
    program = with_rules(tmp_path, {"a.py": "step_one(1)\nstep_one(2)\n"}, FirstStep())
    first, second = program.in_order()

    (file,) = program.files_of(second, made=[first]).values()
    (finding,) = file.findings

    span = finding.place.span
    assert file.before.text.startswith(b"from steps import step_two\n")
    assert file.before.text[span.start : span.end] == b"step_one(2)"


def rename(node, data, surroundings):
    del surroundings
    return node.with_changes(func=libcst.Name(data.name))


class Risky(OneByOne):
    """Every rewrite is unsafe; ``broken`` ones need a file that does not compile."""

    name = "risky"

    def extra_edits(self, site):
        if site.broken:
            yield CreateFile(path="helpers.py", text="def helper(:\n", site=site.id)

    def rewriters(self):
        return {"rename": rename}

    def plan(self, project, constraints):
        plan = super().plan(project, constraints)
        unsafe = {"level": Level.UNSAFE}
        return replace(
            plan,
            findings=tuple(replace(finding, **unsafe) for finding in plan.findings),
            changes=tuple(replace(change, **unsafe) for change in plan.changes),
        )


def test_a_change_that_waits_for_its_level_can_be_shown(tmp_path):
    program = with_rules(tmp_path, {"a.py": "single(1)\n"}, Risky())
    (waiting,) = program.report.pending

    (file,) = program.files_of(waiting.id).values()

    assert (program.report.files, program.report.changes) == ((), ())
    assert file.after.text == b"double(1)\n"


def test_a_waiting_change_that_a_check_would_stop_shows_nothing(tmp_path):
    files = {"a.py": 'def f():\n    single("broken")\n    single(1)\n'}
    program = with_rules(tmp_path, files, Risky())
    broken, sound = program.report.pending

    assert program.files_of(broken.id) == {}
    assert program.files_of(sound.id).keys() == {"a.py"}


def test_a_change_that_was_rolled_back_cannot_be_asked_for(tmp_path):
    program = with_rules(tmp_path, {"a.py": 'single("broken")\nsingle(1)\n'}, OneByOne())

    with pytest.raises(KeyError):
        program.files_of("one-by-one-0")
    assert program.files_of("one-by-one-1").keys() == {"a.py"}


def test_identity_holds_while_the_change_does_the_same(tmp_path):
    files = {"a.py": "single(1)\nsingle(2)\n", "b.py": "alpha(1)\n", "c.py": "alpha(2)\n"}
    rules = OneByOne(), OverFiles()
    program = with_rules(tmp_path, files, *rules)
    group, first, second = (
        program.staged_report.identity(program.root, change)
        for change in ("over-files-0", "one-by-one-0", "one-by-one-1")
    )
    assert len({group, first, second}) == 3

    (one_of_group, *_) = program.report.changes[-1].sites
    excluded = {one_of_group, program.report.changes[0].sites[0]}
    again = with_rules(tmp_path, {"a.py": "\n\nsingle(1)\nsingle(2)\n"}, *rules)
    smaller = with_rules(tmp_path, {}, *rules, excluded=frozenset(excluded))

    assert again.staged_report.identity(again.root, "one-by-one-1") == second
    assert smaller.staged_report.identity(smaller.root, "one-by-one-1") == second
    assert smaller.staged_report.identity(smaller.root, "over-files-0") != group


def test_a_staged_run_reports_what_a_run_does_and_is_never_recalled(tmp_path):
    (tmp_path / "shop").mkdir()
    write_project(tmp_path / "shop", CASES["query-to-select/aggregates"].before)
    remembering = Settings(cache_dir=str(tmp_path / "cache"))
    chosen = api.Options(jobs=1, isolated=True, settings=remembering)
    (run,) = api.run([tmp_path / "shop"], chosen).roots
    assert list((tmp_path / "cache").rglob("*"))

    program = Program(tmp_path / "shop", chosen)

    assert program.report.findings == run.findings
    assert program.report.changes == run.changes
    assert program.in_order()
    assert all(program.files_of(change) for change in program.in_order())
