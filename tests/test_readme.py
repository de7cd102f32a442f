"""What the README claims is so: its diffs, its commands, its numbers."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from page_program import BESIDE, make_repository, write

from awaken import api
from awaken.cli import main
from awaken.contract import Status

HERE = Path(__file__).parent.parent
README = (HERE / "README.md").read_text("utf-8")
MIGRATIONS = re.findall(
    r"### (.+)\n\n```console\n(awaken .+)\n```\n((?:\n```diff \S+\n(?:.*\n)*?```\n)+)", README
)
DIFF = re.compile(r"```diff (\S+)\n((?:.*\n)*?)```")
CONSOLE = re.findall(r"```console\n((?:.*\n)*?)```", README)
COMMANDS = sorted(
    {
        words.strip()
        for text in (*CONSOLE, *re.findall(r"`(awaken [^`]+)`", README))
        for words in re.findall(r"\bawaken ([a-z]+(?: [^#|\\\n]+)?)", text)
        if not words.startswith("on ")
    }
)


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))


def test_there_are_six_migrations():
    assert len(MIGRATIONS) == len(re.findall(r"(?m)^### .* to |^### .*`$|^### .*loading$", README))
    assert len(MIGRATIONS) == 6


@pytest.mark.parametrize(
    ("command", "diffs"), [one[1:] for one in MIGRATIONS], ids=[one[0] for one in MIGRATIONS]
)
def test_a_migration_is_what_its_command_makes(tmp_path, monkeypatch, capsys, command, diffs):
    shown = {name: text.splitlines() for name, text in DIFF.findall(diffs)}
    before, after = (
        {
            name: "".join(f"{line[1:]}\n" for line in lines if line[:1] in {"", " ", side})
            for name, lines in shown.items()
        }
        for side in "-+"
    )
    write(tmp_path / "shop", BESIDE | before)
    monkeypatch.chdir(tmp_path / "shop")
    words = shlex.split(command)[1:]

    assert main(["diff", "-U", "99", *words[1:]]) == 0
    printed = capsys.readouterr().out.splitlines()
    heads = ("diff --git ", "--- a/", "+++ b/", "@@ ")
    made = [line.rstrip() for line in printed if not line.startswith(heads)]
    assert made == [line for lines in shown.values() for line in lines]
    assert main([*words, "--quiet"]) == 0
    assert {name: Path(name).read_text("utf-8") for name in after} == after


def test_the_first_diff_is_a_part_of_the_first_migration():
    first = README.partition("```diff\n")[2].partition("```")[0]

    assert "+" in first
    assert first in MIGRATIONS[0][2]


def test_what_is_tried_first_has_changes(monkeypatch, capsys):
    (line,) = [one for one in README.splitlines() if "awaken diff examples/bookshop" in one]
    monkeypatch.chdir(HERE)

    assert main(shlex.split(line.partition(" awaken ")[2])) == 0
    assert capsys.readouterr().out.startswith("diff --git a/examples/bookshop/")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.sampled(3)
def test_each_command_runs(tmp_path, monkeypatch, command):
    users = "def named(session, name):\n    return session.query(User).filter_by(name=name).all()\n"
    lines = "from models import User\n\n\n" + "x = 1\n" * 12
    write(tmp_path / "shop", BESIDE | {"app.py": lines + f"\n\n{users}"})
    shutil.copytree(HERE / "examples/bookshop", tmp_path / "shop/examples/bookshop")
    monkeypatch.chdir(tmp_path / "shop")
    if command == "undo":
        assert main(["apply", "app.py"]) == 0
    if command.endswith("--commit") or command.startswith("verify"):
        # A commit needs a repository, and so does a test.
        shutil.rmtree("examples")
        Path("test_app.py").write_text("def test_app():\n    import models\n", "utf-8")
        make_repository()
    if command == "batch run":
        assert main(["batch", "init", str(tmp_path / "campaign")]) == 0
        (tmp_path / "campaign/repos.txt").write_text(f"{tmp_path}/gone\n", "utf-8")
        monkeypatch.chdir(tmp_path / "campaign")
    if command == "trust":
        shutil.copytree(HERE / "examples/passes", tmp_path / "passes")
        monkeypatch.chdir(tmp_path / "passes")

    assert main(shlex.split(command)) in {0, 1}


def test_each_rule_that_is_named_exists_and_none_is_called_planned():
    rules = {rule.name for rule in api.rules()}
    named = set(re.findall(r"docs/rules/([a-z-]+)\.md", README))
    selected = {
        name
        for words in re.findall(r"--(?:select|unsafe) ([a-z,-]+)", README)
        for name in words.split(",")
    }

    assert selected >= {"query-to-select", "session-to-async"}
    assert named | selected <= rules
    assert "planned" not in README


def test_the_counts_of_rules_are_those_of_the_rules():
    counts = Counter(rule.status for rule in api.rules())

    assert f"There are {counts.total()} [rules]" in README
    assert f"{counts[Status.DEFAULT]} run by default" in README
    assert f"{counts[Status.OPT_IN]} are opt-in" in README
    assert f"{counts[Status.PREVIEW]} are in preview" in README


def test_the_counts_of_queries_are_those_that_ci_holds():
    held = tomllib.loads((HERE / "benchmarks/yield.toml").read_text("utf-8"))
    rows = [rows["query-to-select"] for rows in held.values() if "query-to-select" in rows]
    safe, unsafe, manual = (sum(row[level] for row in rows) for level in rows[0])
    planned = sum("session-to-async" in rows for rows in held.values())

    assert (
        f"{safe + unsafe + manual:,} queries in {len(rows)} programs: "
        f"{safe:,} safe, {unsafe:,} unsafe, {manual:,} manual"
    ) in README
    assert f"`session-to-async` | {planned} programs" in README


@pytest.mark.parametrize(
    ("claim", "page", "said"),
    [
        ("87 registrations of 34 applications", "docs/rules/on-event-to-lifespan.md", None),
        ("295 of 438 awaited gathers", "docs/rules/gather-to-taskgroup.md", "Of 438 gathers"),
        ("295 of 438 awaited gathers", "docs/rules/gather-to-taskgroup.md", "295 are rewritten"),
        (
            "movies (176)",
            "benchmarks/third_attack/suites.md",
            "176 passed: original, before, after",
        ),
        ("crossbill (255)", "benchmarks/third_attack/suites.md", "255 passed: original and after"),
        ("posts (44)", "benchmarks/third_attack/suites.md", "44 passed: original and after"),
        ("wearables (1,988 tests)", "benchmarks/third_attack/suites.md", "1,988 passed, 2 skipped"),
    ],
)
def test_a_number_is_in_the_page_that_it_comes_from(claim, page, said):
    text = " ".join((HERE / page).read_text("utf-8").split())

    assert claim in README
    assert (said or claim) in text
