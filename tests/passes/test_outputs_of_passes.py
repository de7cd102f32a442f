"""What users see of passes, and how they hold them back: every form, settings, questions."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from in_this_process import InThisProcess

from awaken import api
from awaken.cli import main
from awaken.engine.asking.answers import Answer, ask_about_all
from awaken.engine.machine import foreign_code
from awaken.preview.choices import Form, View
from awaken.preview.show import show
from awaken.preview.streams.output import Staged
from awaken.settings import Settings

HERE = Path(__file__).parent
PASSES = """
[project]
name = "shop"

[[tool.awaken.pass]]
libcst = "codemods.RenameCommand"
arguments = { old = "User", new = "Person", loud = true }
name = "person"
phase = "queries"

[[tool.awaken.pass]]
libcst = "codemods.RemovesCommentsCommand"
name = "bare"
per-hunk = true
"""
SHOP = """\
# ours
everyone = User


def find():
    # theirs
    return User
"""
TRUSTED = ("--trust-passes", "--unsafe-fixes", "--select", "person,bare")
LOST = "nothing of it is proved; the comment # {} is lost"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Return the root of a program that two passes change."""
    monkeypatch.setattr(foreign_code, "ForeignCode", InThisProcess)
    monkeypatch.syspath_prepend(str(HERE))
    (tmp_path / "pyproject.toml").write_text(PASSES)
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "other.py").write_text("other = User\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def concise(capsys, *words):
    """Return what ``check`` prints with these words, a line for each finding."""
    main(["check", *words, "--output-format", "concise"])
    # What a codemod prints comes in between where it runs in this process.
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if not line.startswith("renamed in")]


def rules_of(lines):
    """Return the paths and rules of findings, without advice."""
    words = [line.split() for line in lines]
    return {(one[0].partition(":")[0], one[2]) for one in words if one[1] != "advice"}


# ---------------------------------------------------------------------------- forms of output
SAYS = {
    Form.FULL: r"bare unsafe: .*\n +--> shop\.py:2:1\n(?:.*\n)* += may change: {comment}\n",
    Form.CONCISE: r"shop\.py:2:1: unsafe bare .*{lost}\n",
    Form.GROUPED: r"shop\.py:\n(?:  .*\n)*  2:1 +unsafe bare .*{lost}\n",
    Form.GITHUB: r"::warning title=bare%3A unsafe,file=shop\.py,line=2,.*{lost}%0A",
    Form.MARKDOWN: r"### Unsafe: `bare`, 2 places\n(?:.*\n)*- \[ \] `shop\.py:2` .*{lost}\n",
}
"""Where each form for people has the pass, its level and the comment that it loses."""


@pytest.fixture
def shown(shop, capsys):
    """Return the report in each form, and what was said beside it."""
    settings = Settings(select=("person", "bare"), trust_passes=True)
    found = api.run_staged([shop], api.Options(settings=settings, use_cache=False))
    texts = {}
    for form in Form:
        show(found.report, "check", View(form=form), lambda *_: "", Staged(found.files_of, None))
        texts[form] = capsys.readouterr().out
    show(found.report, "check", View(statistics=True), lambda *_: "")
    return {**texts, "statistics": capsys.readouterr().out}


def test_every_form_names_the_pass_its_level_and_what_is_lost(shown):
    lost = re.escape(LOST.format("ours"))
    comment = re.escape(LOST.format("ours").partition("; ")[2])

    assert not [
        form
        for form, says in SAYS.items()
        if not re.search(says.format(lost=lost, comment=comment), shown[form])
    ]
    document = json.loads(shown[Form.JSON])
    lines = [json.loads(line) for line in shown[Form.JSON_LINES].splitlines()]
    for findings in (document["findings"], [one for one in lines if one["kind"] == "finding"]):
        found = {(one["rule"], one["line"]): (one["level"], one["message"]) for one in findings}
        level, message = found["bare", 2]
        assert (level, message.endswith(LOST.format("ours"))) == ("unsafe", True)
        # With --per-hunk each change loses its own.
        assert found["bare", 5][1].endswith(LOST.format("theirs"))
    assert "bare" in shown["statistics"]
    assert "unsafe" in shown["statistics"]


def test_sarif_has_the_page_of_a_pass(shown):
    (run,) = json.loads(shown[Form.SARIF])["runs"]
    person, bare = run["tool"]["driver"]["rules"]
    (result,) = [
        one
        for one in run["results"]
        if one["ruleId"] == "bare" and "ours" in one["message"]["text"]
    ]

    assert (person["id"], bare["id"]) == ("person", "bare")
    assert "Every change is *unsafe*" in bare["help"]["markdown"]
    assert "`codemods.RemovesCommentsCommand`" in bare["shortDescription"]["text"]
    assert result["properties"]["applicability"] == "unsafe"
    assert result["level"] == "warning"
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["replacements"][0]["deletedRegion"]["startLine"] == 1


@pytest.mark.usefixtures("shop")
def test_what_a_codemod_warns_of_is_said_with_its_line_by_whoever_writes(capsys):
    warned = "shop.py:7:5: advice person the codemod warns: User is gone from shop\n"

    assert warned in "\n".join(concise(capsys, *TRUSTED)) + "\n"
    main(["diff", *TRUSTED])
    assert warned in capsys.readouterr().err
    main(["apply", *TRUSTED])
    assert warned in capsys.readouterr().err
    # Nobody can ask again: what was warned of is done.
    assert not [line for line in concise(capsys, *TRUSTED) if "warns" in line]


# --------------------------------------------------------------------------------- holding back
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--select", "person"], {("shop.py", "person"), ("other.py", "person")}),
        (["--select", "libcst", "--ignore", "person"], {("shop.py", "bare")}),
        (["--ignore", "libcst"], set()),
        (["--extend-select", "bare", "--ignore", "person"], {("shop.py", "bare")}),
    ],
)
@pytest.mark.usefixtures("shop")
def test_passes_are_chosen_by_name_and_family(capsys, words, found):
    assert rules_of(concise(capsys, "--trust-passes", *words)) == found


@pytest.mark.parametrize(
    ("override", "held", "written"),
    [
        ('ignore = ["person"]', "person", False),
        ('ignore = ["libcst"]', "person", False),
        ('ignore = ["bare"]', "bare", True),
        ("unsafe-fixes = false", "", False),
    ],
)
def test_overrides_hold_for_the_files_they_name(shop, capsys, override, held, written):
    more = f'\n[[tool.awaken.overrides]]\npaths = ["shop.py"]\n{override}\n'
    (shop / "pyproject.toml").write_text(PASSES + more)

    found = rules_of(concise(capsys, *TRUSTED))
    main(["apply", *TRUSTED])

    assert (("shop.py", held) in found) is False
    assert ("Person" in (shop / "shop.py").read_text()) is written
    assert (shop / "other.py").read_text() == "other = Person\n"
    # With `unsafe-fixes` a place is found all the same.
    assert held or ("shop.py", "bare") in found


def test_since_a_commit_only_changes_that_touch_its_lines_are_made(shop, capsys):
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        names = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *names, *words], check=True, cwd=shop)
    (shop / "shop.py").write_text(SHOP + "\n\nlast = 1  # User\n")
    nothing = rules_of(concise(capsys, *TRUSTED, "--since", "HEAD"))
    (shop / "shop.py").write_text(SHOP + "\n\nlast = User\n")
    main(["apply", *TRUSTED, "--ignore", "bare", "--since", "HEAD", "--allow-dirty"])

    assert nothing == set()
    # What a codemod does in one file belongs together.
    changed = SHOP.replace("User", "Person") + "\n\nlast = Person\n"
    assert (shop / "shop.py").read_text() == changed
    assert (shop / "other.py").read_text() == "other = User\n"


# ------------------------------------------------------------------------------------ questions
def test_each_change_of_a_pass_is_asked_about(shop):
    settings = Settings(select=("person", "bare"), unsafe_fixes=True, trust_passes=True)
    asked = []

    def run_staged(excluded):
        options = api.Options(settings=settings, use_cache=False, excluded_in=excluded)
        return api.run_staged([shop], options)

    def ask(question):
        asked.append((question.change.rule, question.path, question.findings[0].place.span.start))
        return Answer.NO if question.change.rule == "bare" and len(asked) == 4 else Answer.YES

    agreed = ask_about_all(run_staged, ask)

    assert [one[:2] for one in asked] == [
        ("person", "other.py"),
        ("person", "shop.py"),
        ("bare", "shop.py"),
        ("bare", "shop.py"),
    ]
    (root,) = agreed.report.roots
    texts = {one.path: one.after.text.decode() for one in root.files}
    assert texts == {
        "other.py": "other = Person\n",
        "shop.py": SHOP.replace("User", "Person").replace("# ours\n", ""),
    }
    assert agreed.declined == 1


def test_a_file_that_is_declined_stays_and_the_other_is_changed(shop):
    settings = Settings(select=("person",), unsafe_fixes=True, trust_passes=True)

    def run_staged(excluded):
        options = api.Options(settings=settings, use_cache=False, excluded_in=excluded)
        return api.run_staged([shop], options)

    agreed = ask_about_all(
        run_staged, lambda one: Answer.YES if one.path == "other.py" else Answer.NO
    )

    (root,) = agreed.report.roots
    assert [one.path for one in root.files] == ["other.py"]
