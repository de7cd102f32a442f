"""Sites that a comment or a setting suppresses: excluded, counted apart, decided by the rule."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from rules_for_tests import (
    Downwards,
    FirstStep,
    OneByOne,
    OverFiles,
    RequiresBase,
    SecondStep,
    Upwards,
    WithHelper,
)
from suppression_cases import (
    AllOrNothing,
    PerFile,
    Preview,
    advice,
    changed,
    found,
    run,
    suppressed,
    text_of,
    write,
)
from transaction_cases import TRANSACTIONS

from awaken import api
from awaken.contract import Level
from awaken.engine.planning import rule_planning
from awaken.engine.report import SuppressedBy
from awaken.engine.suppressing import suppressed as suppressing
from awaken.settings.model import Override


@pytest.fixture
def root(tmp_path):
    return tmp_path / "project"


def test_a_held_site_keeps_its_level_and_place_and_is_no_finding(root):
    write(
        root, {"a.py": "single(1)\nsingle(2)  # awaken: ignore[one-by-one] why\nsingle(3, k=4)\n"}
    )

    report = run(root, OneByOne)

    assert found(report) == [("safe", "single(1)"), ("manual", "single(3, k=4)")]
    (one,) = report.suppressed
    assert (one.finding.level, text_of(report, one.finding)) == (Level.SAFE, "single(2)")
    assert (one.by, one.note) == (SuppressedBy.COMMENT, "# awaken: ignore[one-by-one]")
    source = report.sources["a.py"].text[one.place.span.start : one.place.span.end]
    assert source.decode() == one.note
    assert changed(report)["a.py"].splitlines()[:2] == [
        "double(1)",
        "single(2)  # awaken: ignore[one-by-one] why",
    ]


def test_a_manual_site_can_be_held(root):
    write(root, {"a.py": "single(3, k=4)  # awaken: ignore[one-by-one]\n"})

    report = run(root, OneByOne)

    assert report.findings == ()
    assert [one.finding.level for one in report.suppressed] == [Level.MANUAL]


@pytest.mark.parametrize("name", ["one-by-one", "tests", "nothing, tests"])
def test_a_family_stands_for_its_rules(root, name):
    write(root, {"a.py": f"single(1)  # awaken: ignore[{name}]\n"})

    assert suppressed(run(root, OneByOne)) == [("comment", "single(1)")]


def test_the_name_of_another_rule_holds_nothing(root):
    write(root, {"a.py": "single(1)  # awaken: ignore[over-files]\n"})

    report = run(root, OneByOne, OverFiles)

    assert changed(report) == {"a.py": "double(1)  # awaken: ignore[over-files]\n"}
    assert advice(report) == ["`# awaken: ignore[over-files]` suppresses nothing"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_rules_planned_in_other_processes_are_held_as_well(root, jobs, monkeypatch):
    monkeypatch.setattr(rule_planning, "_SECONDS_PER_BYTE", 1.0)
    files = {f"m{n}.py": f"each({n})\neach(0)  # awaken: ignore[per-file]\n" for n in range(5)}
    write(root, files)

    report = run(root, PerFile, jobs=jobs)

    assert suppressed(report) == [("comment", "each(0)")] * 5
    assert changed(report) == {
        name: text.replace("each", "every", 1) for name, text in files.items()
    }
    assert report.diagnostics == ()


def test_a_group_goes_on_without_its_held_site(root):
    write(root, {"a.py": "alpha(1)  # awaken: ignore[over-files]\n", "b.py": "alpha(2)\n"})

    report = run(root, OverFiles)

    assert changed(report) == {"b.py": "beta(2)\n"}
    assert suppressed(report) == [("comment", "alpha(1)")]
    assert [change.sites for change in report.changes] == [(report.findings[0].site,)]


def test_a_rule_may_decide_that_nothing_of_a_group_is_done(root):
    write(root, {"a.py": "whole(1)  # awaken: ignore[all-or-nothing]\nwhole(2)\n"})

    report = run(root, AllOrNothing)

    assert changed(report) == {}
    assert [one.message for one in report.findings] == ["one of them stays"]
    assert [one.finding.level for one in report.suppressed] == [Level.SAFE]


def test_the_engine_drops_a_change_whose_rule_does_not_see_to_held_sites(root):
    class Stubborn(OverFiles):
        regroups = False

    write(root, {"a.py": "alpha(1)  # awaken: ignore[over-files]\nalpha(2)\n"})

    report = run(root, Stubborn)

    assert changed(report) == {}
    assert suppressed(report) == [("comment", "alpha(1)")]
    (finding,) = report.findings
    assert (finding.level, finding.reason) == (Level.MANUAL, "engine/held-back")
    assert "(comment: # awaken: ignore[over-files])" in finding.message


@pytest.mark.parametrize("regroups", [False, True])
def test_what_requires_a_held_change_is_held_back_with_it(root, regroups):
    class Dependants(RequiresBase):
        pass

    Dependants.regroups = regroups
    write(root, {"a.py": "dependant(1)  # awaken: ignore[requires-base]\ndependant(2)\n"})

    report = run(root, Dependants)

    assert changed(report) == {}
    assert [one.reason for one in report.findings] == ["engine/held-back"]


def test_a_site_of_a_later_phase_is_held_where_its_comment_then_stands(root):
    text = (
        '"""Doc."""\n\nx = [\n    step_one(1),  # awaken: ignore[second-step]\n]\ny = step_two(2)\n'
    )
    write(root, {"a.py": text})

    report = run(root, FirstStep, SecondStep)

    after = changed(report)["a.py"]
    assert "    step_two(1),  # awaken: ignore[second-step]\n" in after
    assert "y = step_three(2)\n" in after
    (one,) = report.suppressed
    assert (one.by, text_of(report, one.finding)) == (SuppressedBy.COMMENT, "step_one(1)")
    assert advice(report) == []
    assert report.diagnostics == ()


def test_a_comment_holds_what_its_line_holds_after_lines_moved(root):
    text = "step_one(1)  # awaken: ignore[second-step]\nstep_one(2)\n"
    write(root, {"a.py": text})

    report = run(root, FirstStep, SecondStep)

    after = changed(report)["a.py"]
    assert "step_two(1)  # awaken: ignore[second-step]\nstep_three(2)\n" in after
    (one,) = report.suppressed
    span = one.place.span
    assert text.encode()[span.start : span.end].decode() == one.note
    assert advice(report) == []


def test_a_comment_inside_of_what_a_change_rewrites_is_known_as_used(root):
    text = (
        "step_one(\n    1,  # awaken: ignore[second-step]\n"
        "    2,  # awaken: ignore[second-step, over-files]\n)\n"
    )
    write(root, {"a.py": text})

    report = run(root, FirstStep, SecondStep, OverFiles)

    assert len(report.suppressed) == 1
    assert advice(report) == ["`# awaken: ignore[second-step, over-files]` suppresses nothing"]


def test_what_is_made_a_site_by_a_change_stays_held_when_planned_again(root):
    write(root, {"a.py": "up(1)  # awaken: ignore[upwards]\n"})

    report = run(root, Upwards, Downwards)

    assert changed(report) == {"a.py": "down(1)  # awaken: ignore[upwards]\n"}
    assert report.diagnostics == ()


def test_a_held_equal_beside_a_rewritten_one_is_not_found_again(root):
    text = "def f():\n    single(1)\n    single(1)  # awaken: ignore[one-by-one]\n"
    write(root, {"a.py": text})

    report = run(root, OneByOne)

    assert changed(report) == {"a.py": text.replace("single", "double", 1)}
    assert report.diagnostics == ()
    api.apply(_whole(root, OneByOne), state=root.parent / "state")
    again = run(root, OneByOne)
    assert (again.files, again.findings, len(again.suppressed)) == ((), (), 1)


def _whole(root, *rules):
    return api.run([root], api.Options(jobs=1, use_cache=False), rules=[rule() for rule in rules])


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_a_program_with_a_comment_on_every_site_changes_nothing(root, name):
    transaction = TRANSACTIONS[name]
    transaction.write(root)
    rules = ", ".join(rule.name for rule in transaction.rules)
    for path in root.glob("*.py"):
        lines = path.read_text().splitlines()
        marked = [f"{line}  # awaken: ignore[{rules}]" if "(" in line else line for line in lines]
        path.write_text("\n".join(marked) + "\n")
    before = {path: path.read_bytes() for path in root.iterdir()}

    report = api.run(
        [root], api.Options(jobs=1, use_cache=False), rules=transaction.rule_instances()
    ).roots[0]

    sites = [one for one in report.findings if one.rule != "unused-suppression"]
    assert (sites, report.changes, report.pending, report.files) == ([], (), (), ())
    assert report.diagnostics == ()
    assert report.suppressed
    assert {path: path.read_bytes() for path in root.iterdir()} == before


def test_skip_file_holds_every_site_of_the_file(root):
    write(root, {"a.py": "# awaken: skip-file generated\nsingle(1)\n", "b.py": "single(2)\n"})

    report = run(root, OneByOne)

    assert suppressed(report) == [("comment", "single(1)")]
    assert changed(report) == {"b.py": "double(2)\n"}
    assert report.suppressed[0].note == "# awaken: skip-file"


def test_no_change_of_other_files_edits_a_skipped_one(root):
    class Grouped(OverFiles):
        regroups = False

    write(root, {"a.py": "# awaken: skip-file\nalpha(1)\n", "b.py": "alpha(2)\n"})

    report = run(root, Grouped)

    assert suppressed(report) == [("comment", "alpha(1)"), ("comment", "alpha(2)")]
    assert changed(report) == {}


def test_skip_file_reports_nothing_of_its_comments(root):
    write(root, {"a.py": "# awaken: skip-file\nx = 1  # awaken: ignore[one-by-one]\n"})

    report = run(root, OneByOne)

    assert report.findings == ()
    assert [one.finding.rule for one in report.suppressed] == ["unused-suppression"]


def test_a_comment_of_its_own_comes_before_skip_file(root):
    text = "# awaken: skip-file\nsingle(1)  # awaken: ignore[one-by-one]\n"
    write(root, {"a.py": text})

    report = run(root, OneByOne)

    assert [one.note for one in report.suppressed] == ["# awaken: ignore[one-by-one]"]
    assert report.findings == ()


def test_a_held_site_has_the_level_that_the_versions_allow(root):
    class Newer(OneByOne):
        needs = {"httpx": ">=99"}  # noqa: RUF012  as rules declare it

    write(root, {"a.py": "single(1)  # awaken: ignore[one-by-one]\n"})
    (root / "pyproject.toml").write_text('[project]\nname="a"\ndependencies=["httpx<1"]\n')

    (one,) = run(root, Newer).suppressed

    assert (one.finding.level, one.finding.reason) == (Level.MANUAL, "engine/needs-other-versions")


def test_settings_hold_the_sites_of_paths(root):
    write(root, {"old/a.py": "single(1)\n", "new/b.py": "single(2)\n"})

    report = run(root, OneByOne, overrides=(Override(paths=("old/",), ignore=("one-by-one",)),))

    assert suppressed(report) == [("settings", "single(1)")]
    assert changed(report) == {"new/b.py": "double(2)\n"}


def test_a_comment_comes_before_a_setting(root):
    write(root, {"a.py": "single(1)  # awaken: ignore[one-by-one]\n"})

    report = run(root, OneByOne, overrides=(Override(paths=("*.py",), ignore=("one-by-one",)),))

    assert suppressed(report) == [("comment", "single(1)")]
    assert advice(report) == []


def test_only_selected_paths_are_reported(root):
    site = "single(1)  # awaken: ignore[one-by-one]\n"
    idle = "x = 1  # awaken: ignore[one-by-one]\n"
    write(root, {"a.py": site + idle, "b.py": site + idle})

    report = run(root, OneByOne, paths=[root / "a.py"])

    assert [one.finding.place.path for one in report.suppressed] == ["a.py"]
    assert [one.place.path for one in report.findings] == ["a.py"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "x = 1  # awaken: ignore[one-by-one]\n",
            "`# awaken: ignore[one-by-one]` suppresses nothing",
        ),
        ("x = 1  # awaken: ignore[tests]\n", "`# awaken: ignore[tests]` suppresses nothing"),
        (
            "single(1)  # awaken: ignore[one-by-one, over-files]\n",
            "`over-files` in `# awaken: ignore[one-by-one, over-files]` suppresses nothing",
        ),
        (
            "single(1)  # awaken: ignore[one-by-two]\n",
            "[one-by-two]` names no rule or family 'one-by-two'; did you mean 'one-by-one'?",
        ),
        (
            "x = 1  # awaken: ignore[zzzzzzz]\n",
            "names no rule or family 'zzzzzzz'; `awaken rules` lists them all",
        ),
        ("single(1)  # awaken: ignore\n", "`# awaken: ignore` names no rule in brackets"),
        ("# awaken: ignore[one-by-one]\n\nsingle(1)\n", "is not above a statement"),
        ("x = 1  # awaken: skip-file\n", "`# awaken: skip-file` follows code"),
    ],
)
def test_a_comment_that_does_nothing_is_advice(root, text, said):
    write(root, {"a.py": text})

    report = run(root, OneByOne, OverFiles)

    (finding,) = [one for one in report.findings if one.rule == "unused-suppression"]
    assert said in finding.message
    assert (finding.level, finding.reason, finding.change) == (Level.ADVICE, None, None)
    assert finding.help
    assert text_of(report, finding).startswith("# awaken:")
    assert "a.py" in report.sources


@pytest.mark.parametrize(
    ("text", "select"),
    [
        ("single(1)  # awaken: ignore[one-by-one]\n", None),
        ("x = 1  # awaken: ignore[over-files]\n", ("one-by-one",)),
        ("x = 1  # awaken: ignore[tests]\n", ("one-by-one",)),
        ("x = 1  # awaken: ignore[in-preview]\n", None),
        ("# awaken: skip-file\nx = 1\n", None),
        ("x = 1  # awaken: ignore[one-by-one, unused-suppression]\n", None),
        ("# awaken: ignore[unused-suppression]\n# awaken: ignore[one-by-one]\nx = 1\n", None),
        ("def f(:\n    x = 1  # awaken: ignore[one-by-one]\nsingle(\n", None),
    ],
)
def test_a_comment_that_may_do_something_is_left_alone(root, text, select):
    write(root, {"a.py": text})

    assert advice(run(root, OneByOne, OverFiles, Preview, select=select)) == []


def test_a_family_is_unused_though_a_rule_of_it_is_in_preview(root):
    write(root, {"a.py": "x = 1  # awaken: ignore[tests]\nearly(1)  # awaken: ignore[tests]\n"})

    assert len(advice(run(root, OneByOne, Preview))) == 2
    assert len(advice(run(root, OneByOne, Preview, select=("tests", "in-preview")))) == 1


def test_a_rule_that_failed_makes_no_comment_unused(root):
    class Failing(OneByOne):
        def plan(self, project, constraints):
            raise ValueError(project, constraints)

    write(root, {"a.py": "single(1)  # awaken: ignore[one-by-one]\n"})

    report = run(root, Failing)

    assert report.diagnostics
    assert report.findings == ()


def test_a_file_in_which_a_rule_failed_has_no_unused_comments(root):
    class Failing(PerFile):
        def plan(self, project, constraints):
            if project.site_files(self.triggers) == ["bad.py"]:
                raise ValueError(constraints)
            return super().plan(project, constraints)

    text = "each(1)\nx = 1  # awaken: ignore[per-file]\n"
    write(root, {"bad.py": text, "good.py": text})

    report = run(root, Failing)

    assert [one.path for one in report.diagnostics] == ["bad.py"]
    unused = [one for one in report.findings if one.rule == "unused-suppression"]
    assert [one.place.path for one in unused] == ["good.py"]


def test_equal_comments_that_do_nothing_are_sites_of_their_own(root):
    write(root, {"a.py": "x = 1  # awaken: ignore[one-by-one]\n" * 3})

    report = run(root, OneByOne)

    assert len({one.site for one in report.findings}) == 3


def test_files_without_the_mark_are_not_read_for_comments(root, monkeypatch):
    read = []
    real = suppressing.suppressions_in
    monkeypatch.setattr(
        suppressing, "suppressions_in", lambda source: read.append(source.path) or real(source)
    )
    write(root, {"a.py": "single(1)\n", "b.py": "single(2)  # awaken: ignore[one-by-one]\n"})

    run(root, OneByOne, OverFiles, FirstStep, SecondStep)

    assert read == ["b.py"]


def test_where_nothing_is_held_a_rule_plans_once(root):
    plans = []

    class Counting(WithHelper):
        def plan(self, project, constraints):
            plans.append(constraints.excluded)
            return super().plan(project, constraints)

    write(root, {"a.py": "single(1)\nx = 1  # awaken: ignore[one-by-one]\n"})
    run(root, Counting)

    assert plans == [frozenset()]


def test_a_rule_that_never_settles_is_asked_a_few_times_only(root):
    plans = []

    class Endless(OneByOne):
        def plan(self, project, constraints):
            """Find another site each time."""
            plans.append(len(constraints.excluded))
            plan = super().plan(project, constraints)
            number = len(plans)
            findings = tuple(
                replace(one, site=f"{one.site}{number}", level=Level.ADVICE, change=None)
                for one in plan.findings
            )
            return type(plan)(findings)

    write(root, {"a.py": "single(1)  # awaken: ignore[one-by-one]\n"})

    report = run(root, Endless)

    assert 2 < len(plans) < 20
    assert report.files == ()
