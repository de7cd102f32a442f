"""The baseline suppresses what it lists, lists what is there, and reads well in a diff."""

from __future__ import annotations

import json

import pytest
from rules_for_tests import FirstStep, OneByOne, OverFiles, SecondStep
from suppression_cases import PerFile, changed, found, run, suppressed, write
from transaction_cases import TRANSACTIONS

from awaken import api
from awaken.contract import SiteId, UserError
from awaken.engine.baseline import BaselineEntry, read_baseline, write_baseline
from awaken.engine.report import SuppressedBy
from awaken.settings import Settings

NAME = "awaken-baseline.json"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "project"


def write_for(root, *rules, paths=None, select=None, baseline=None):
    """Write the baseline of ``root``, and return what is held after that and how many sites."""
    settings = Settings(select=select, baseline=baseline)
    options = api.Options(settings=settings, jobs=1, use_cache=False)
    return api.write_baseline(paths or [root], options, rules=[rule() for rule in rules])


def entries(file):
    return [(one["path"], one["rule"]) for one in json.loads(file.read_text())["sites"]]


def test_after_writing_nothing_is_found_and_everything_is_held(root):
    write(root, {"a.py": "single(1)\nsingle(2, k=1)\n", "b/c.py": "alpha(3)\n"})

    report, written = write_for(root, OneByOne, OverFiles)

    assert report.roots[0].findings == ()
    assert [(one.file, one.sites) for one in written] == [(root / NAME, 3)]
    again = run(root, OneByOne, OverFiles)
    assert (again.findings, again.files, again.notes) == ((), (), ())
    assert suppressed(again) == [
        ("baseline", "single(1)"),
        ("baseline", "single(2, k=1)"),
        ("baseline", "alpha(3)"),
    ]
    assert {one.note for one in again.suppressed} == {NAME}


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_every_program_is_empty_after_its_baseline(root, name):
    transaction = TRANSACTIONS[name]
    transaction.write(root)
    options = api.Options(jobs=1, use_cache=False)

    api.write_baseline([root], options, rules=transaction.rule_instances())
    report = api.run([root], options, rules=transaction.rule_instances()).roots[0]

    assert (report.findings, report.files, report.diagnostics, report.notes) == ((), (), (), ())


def test_new_sites_count_and_the_group_goes_on_without_the_old(root):
    write(root, {"a.py": "alpha(1)\n"})
    write_for(root, OverFiles)
    write(root, {"a.py": "x = 1\nalpha(1)\nalpha(2)\n"})

    report = run(root, OverFiles)

    assert found(report) == [("safe", "alpha(2)")]
    assert changed(report) == {"a.py": "x = 1\nalpha(1)\nbeta(2)\n"}


def test_sites_of_a_later_phase_are_listed_as_they_are_with_the_earlier_held(root):
    write(root, {"a.py": "x = step_one(1)\ny = step_two(2)\n"})

    write_for(root, FirstStep, SecondStep)

    assert entries(root / NAME) == [("a.py", "first-step"), ("a.py", "second-step")]


def test_the_file_is_one_sorted_line_per_site_without_numbers_of_lines(root):
    write(root, {"b.py": "def f():\n    single(1)\n", "a.py": "single(2)\nsingle(1)\n"})
    write_for(root, OneByOne)
    text = (root / NAME).read_text()

    lines = [json.loads(line.strip().rstrip(",")) for line in text.splitlines()[3:-2]]

    assert [(line["path"], line["rule"], line["scope"]) for line in lines] == [
        ("a.py", "one-by-one", "<module>"),
        ("a.py", "one-by-one", "<module>"),
        ("b.py", "one-by-one", "f"),
    ]
    assert lines == sorted(lines, key=lambda line: (line["path"], line["scope"], line["site"]))
    write(root, {"a.py": "# moved\n\n\nsingle(2)\nsingle(1)\n"})
    write_for(root, OneByOne)
    assert (root / NAME).read_text() == text


def test_entries_that_match_nothing_are_a_note_and_go_when_it_is_written_again(root):
    write(root, {"a.py": "single(1)\nsingle(2)\nsingle(3)\n"})
    write_for(root, OneByOne)
    write(root, {"a.py": "single(3)\n"})

    (note,) = run(root, OneByOne).notes

    assert note == (
        f"2 entries of {NAME} no longer match anything; "
        "write it again with awaken check --write-baseline"
    )
    write_for(root, OneByOne)
    assert len(entries(root / NAME)) == 1
    assert run(root, OneByOne).notes == ()


def test_a_site_that_is_held_by_a_comment_matches_its_entry(root):
    write(root, {"a.py": "single(1)\n"})
    write_for(root, OneByOne)
    write(root, {"a.py": "single(1)  # awaken: ignore[one-by-one]\n"})

    report = run(root, OneByOne)

    assert suppressed(report) == [("comment", "single(1)")]
    assert report.notes == ()


def test_what_a_run_is_not_about_stays_in_the_file(root):
    write(root, {"a.py": "single(1)\nalpha(2)\n", "b.py": "single(3)\n"})
    write_for(root, OneByOne, OverFiles)
    write(root, {"a.py": "x = 1\n", "b.py": "single(4)\n"})

    write_for(root, OneByOne, OverFiles, paths=[root / "b.py"], select=("one-by-one",))

    assert entries(root / NAME) == [
        ("a.py", "one-by-one"),
        ("a.py", "over-files"),
        ("b.py", "one-by-one"),
    ]
    assert run(root, OneByOne, select=("one-by-one",), paths=[root / "b.py"]).notes == ()
    assert "2 entries" in run(root, OneByOne, OverFiles).notes[0]


def test_entries_of_rules_that_did_not_run_are_not_called_stale(root):
    write(root, {"a.py": "single(1)\nalpha(2)\n"})
    write_for(root, OneByOne, OverFiles)
    write(root, {"a.py": "single(1)\n"})

    assert run(root, OneByOne, OverFiles, select=("one-by-one",)).notes == ()
    assert "1 entry" in run(root, OneByOne, OverFiles).notes[0]


def test_a_listed_site_stays_though_its_equal_is_rewritten(root):
    write(root, {"a.py": "single(1)\nsingle(1)\n"})
    write_for(root, OneByOne)
    baseline = read_baseline(root / NAME, root)
    second = run(root, OneByOne).suppressed[1].finding
    write_baseline(root / NAME, [baseline.entry_of(second)])

    report = run(root, OneByOne)

    # the rewrite of the first makes the second the first of its kind
    assert changed(report) == {"a.py": "double(1)\nsingle(1)\n"}
    assert suppressed(report) == [("baseline", "single(1)")]
    assert report.diagnostics == ()


def test_a_file_that_does_not_parse_keeps_its_entries(root):
    write(root, {"a.py": "each(1)\n", "b.py": "each(2)\n"})
    write_for(root, PerFile)
    write(root, {"a.py": "each(1\n"})

    report, _ = write_for(root, PerFile)

    assert entries(root / NAME) == [("a.py", "per-file"), ("b.py", "per-file")]
    assert report.roots[0].notes == ()


def test_each_root_has_its_own_by_default(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name, {"a.py": "single(1)\n"})
    roots = [tmp_path / "one", tmp_path / "two"]

    _, written = write_for(roots[0], OneByOne, paths=roots)

    assert [one.file for one in written] == [root / NAME for root in roots]
    assert entries(roots[1] / NAME) == [("a.py", "one-by-one")]


def test_one_file_may_serve_several_roots_by_paths_from_its_directory(tmp_path):
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        write(root, {"a.py": "single(1)\n"})
    shared = tmp_path / "shared.json"

    _, written = write_for(roots[0], OneByOne, paths=roots, baseline=str(shared))

    assert [(one.file, one.sites) for one in written] == [(shared, 2)]
    assert entries(shared) == [("one/a.py", "one-by-one"), ("two/a.py", "one-by-one")]
    for root in roots:
        report = run(root, OneByOne, baseline=str(shared))
        assert (report.findings, report.notes) == ((), ())
    write(roots[0], {"a.py": "single(2)\n"})
    write_for(roots[0], OneByOne, paths=roots, baseline=str(shared))
    assert entries(shared) == [("one/a.py", "one-by-one"), ("two/a.py", "one-by-one")]
    write(roots[0], {"a.py": "x = 1\n"})
    write_for(roots[0], OneByOne, baseline=str(shared))
    assert entries(shared) == [("two/a.py", "one-by-one")]
    assert run(roots[1], OneByOne, baseline=str(shared)).findings == ()


def test_a_nested_project_keeps_its_entries_in_a_shared_file(tmp_path):
    outer, shared = tmp_path / "outer", tmp_path / "shared.json"
    write(outer, {"a.py": "single(1)\n"})
    write(outer / "inner", {"b.py": "single(2)\n"})

    report, _ = write_for(outer, OneByOne, baseline=str(shared))

    assert entries(shared) == [("outer/a.py", "one-by-one"), ("outer/inner/b.py", "one-by-one")]
    assert [root.notes for root in report.roots] == [(), ()]


def test_an_equal_site_of_another_root_is_not_listed(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name, {"a.py": "single(1)\n"})
    shared = tmp_path / "shared.json"
    write_for(tmp_path / "one", OneByOne, baseline=str(shared))

    assert len(run(tmp_path / "two", OneByOne, baseline=str(shared)).findings) == 1


def test_nothing_to_list_makes_no_file_but_empties_one(root):
    write(root, {"a.py": "x = 1\n"})

    _, written = write_for(root, OneByOne)

    assert (written, (root / NAME).exists()) == ((), False)
    write(root, {"a.py": "single(1)\n"})
    write_for(root, OneByOne)
    write(root, {"a.py": "x = 1\n"})
    _, written = write_for(root, OneByOne)
    assert [one.sites for one in written] == [0]
    assert entries(root / NAME) == []


def test_an_empty_file_lists_nothing(root):
    write(root, {"a.py": "single(1)\n", "none.json": "\n"})
    write_for(root, OneByOne)

    assert found(run(root, OneByOne, baseline=str(root / "none.json"))) == [("safe", "single(1)")]


def test_a_baseline_that_is_asked_for_must_exist(root):
    write(root, {"a.py": "single(1)\n"})

    with pytest.raises(UserError, match=r"^--baseline: the baseline .*no\.json does not exist"):
        run(root, OneByOne, baseline=str(root / "no.json"))


GOOD = '{"path": "a.py", "rule": "r", "scope": "s", "site": "1"}'


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('{\n  "version": 1,\n  "sites": [\n', 4, "is not JSON"),
        ('{\n  "version": 1,\n  "sites": [\n   {},\n  ]\n}\n', 5, "is not JSON"),
        (
            f'{{"version": 1, "sites": [\n{GOOD},\n{{"path": 3}}\n]}}',
            3,
            "expected `str`, got `int`",
        ),
        (f'{{"version": 1, "sites": [\n{GOOD},\n\n{{"path": "a"}}]}}', 4, "missing required field"),
        ('{"version": 1,\n"sites": [\n1]}', 3, "expected `object`, got `int`"),
        ('\n{\n"version": "1", "sites": []}', 3, "expected `int`, got `str`"),
        ('{"version": 1}', 1, "missing required field `sites`"),
        ("[]", 1, "expected `object`, got `array`"),
        ('{"sites": []}', 1, "missing required field `version`"),
        ('{\n\n"version": 2, "sites": {}}', 3, "version 2, and this awaken reads version 1"),
        (f'{{"version": 1, "sites": [\n{GOOD},\n<<<<<<< HEAD\n', 3, "contains a merge conflict"),
        (b'{\n"version": \xff', 2, "is not UTF-8"),
    ],
)
def test_a_broken_file_is_one_sentence_with_its_line(root, content, line, words):
    root.mkdir()
    file = root / NAME
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(UserError) as raised:
        read_baseline(file, root)

    message = str(raised.value)
    assert message.startswith(f"{file}:{line}: ")
    assert words in message
    assert "\n" not in message
    assert file.read_bytes()  # and it is left as it was


def test_a_broken_file_is_not_written_over(root):
    write(root, {"a.py": "single(1)\n", NAME: "{"})

    report, written = write_for(root, OneByOne)

    assert [one.path for one in report.diagnostics] == [str(root / NAME)]
    assert "is not JSON" in report.diagnostics[0].message
    assert (report.roots, written) == ((), ())
    assert (root / NAME).read_text() == "{"


def test_writing_keeps_the_mode_and_follows_a_link(root):
    write(root, {"kept/real.json": ""})
    (root / "kept/real.json").chmod(0o640)
    (root / NAME).symlink_to("kept/real.json")

    write_baseline(root / NAME, [BaselineEntry(path="a.py", rule="r", scope="s", site=SiteId("1"))])

    assert (root / NAME).is_symlink()
    assert (root / "kept/real.json").stat().st_mode & 0o777 == 0o640
    assert entries(root / NAME) == [("a.py", "r")]
    assert sorted(path.name for path in (root / "kept").iterdir()) == ["real.json"]


def test_a_directory_that_is_missing_is_one_sentence(root):
    root.mkdir()

    with pytest.raises(UserError, match="the baseline cannot be written: No such file"):
        write_baseline(root / "no" / NAME, [])


def test_a_write_that_fails_leaves_the_old_file(root, monkeypatch):
    write(root, {NAME: "old"})

    def fail(_, source, target):
        raise OSError(28, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr("awaken.engine.machine.filesystem.FileSystem.replace", fail)
    with pytest.raises(UserError, match="No space left on device"):
        write_baseline(root / NAME, [])

    assert (root / NAME).read_text() == "old"
    assert sorted(path.name for path in root.iterdir()) == [NAME, "pyproject.toml"]


def test_it_is_part_of_what_is_remembered(tmp_path):
    root = tmp_path / "project"
    text = (
        "from sqlalchemy import func\nfrom sqlalchemy.orm import Session\n\n\n"
        "def now(db: Session):\n    return db.query(func.now()).scalar()\n"
    )
    write(root, {"a.py": text})
    (root / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["sqlalchemy>=2"]\n'
    )

    def check(**settings):
        asked = Settings(cache_dir=str(tmp_path / "cache"), **settings)
        return api.run([root], api.Options(settings=asked, jobs=1)).roots[0]

    assert (len(check().findings), check().suppressed) == (1, ())
    api.write_baseline([root], api.Options(jobs=1, use_cache=False))
    fresh, recalled = check(), check()
    assert fresh.findings == recalled.findings == ()
    assert fresh.suppressed == recalled.suppressed
    assert [one.by for one in recalled.suppressed] == [SuppressedBy.BASELINE]
    assert recalled.sources == fresh.sources
    (root / "a.py").write_text("x = 1\n")
    assert check().notes == check().notes != ()
    (root / NAME).unlink()
    assert check().notes == ()


@pytest.mark.parametrize("place", ["../out.json", "../../out.json"])
def test_a_projects_own_settings_name_no_baseline_out_of_it(root, place):
    write(root, {"a.py": "single(1)\n", "awaken.toml": f"baseline = '{place}'\n"})
    (root / ".git").mkdir()

    (problem,) = write_for(root, OneByOne)[0].diagnostics

    assert "'baseline' must be in the project" in problem.message
    assert [path.name for path in root.parent.rglob("*.json")] == []


@pytest.mark.parametrize("place", ["a/.git/x.json", ".git/config"])
def test_a_projects_own_settings_name_no_baseline_of_git(root, place):
    write(root, {"a.py": "single(1)\n", "awaken.toml": f"baseline = '{place}'\n"})
    (root / "a/.git").mkdir(parents=True)
    (root / ".git").mkdir()

    with pytest.raises(UserError, match="name a baseline outside the project; if you want that"):
        write_for(root, OneByOne)

    assert [path.name for path in root.parent.rglob("*.json")] == []
    assert not (root / ".git/config").exists()


def test_the_user_may_name_any_baseline(root):
    write(root, {"a.py": "single(1)\n", "awaken.toml": "baseline = 'ignored.json'\n"})

    write_for(root, OneByOne, baseline=str(root.parent / "out.json"))

    assert [path.name for path in root.parent.glob("*.json")] == ["out.json"]


@pytest.mark.parametrize("link", [NAME, "kept"])
def test_a_link_that_leads_out_of_the_project_is_not_written_through(root, link):
    write(root, {"a.py": "single(1)\n", "awaken.toml": f"baseline = 'kept/{NAME}'\n"})
    outside = root.parent / "outside"
    outside.mkdir()
    (root / ".git").mkdir()
    victim = outside / NAME
    victim.write_text("")
    if link == "kept":
        (root / "kept").symlink_to(outside)
    else:
        (root / "kept").mkdir()
        (root / "kept" / NAME).symlink_to(victim)

    (problem,) = write_for(root, OneByOne)[0].diagnostics

    assert "outside" in problem.message or "must be in the project" in problem.message
    assert victim.read_text() == ""
