"""``--since``: only sites that touch lines changed since a commit count."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from git_repository import Repository
from rules_for_tests import FirstStep, OneByOne, OverFiles, RequiresBase, SecondStep
from suppression_cases import MANIFEST, changed, found, run, suppressed

from awaken import api
from awaken.contract import Span, UserError
from awaken.engine.suppressing.changed_lines import changed_lines

LINES = "".join(f"single({number})\n" for number in range(1, 8))


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "project")
    made.write("pyproject.toml", MANIFEST)
    made.commit(a=LINES, same="single(0)\n")
    return made


def sites(repository, *rules, since="HEAD", **options):
    """Return the source of each site that counts."""
    report = run(repository.path, *(rules or (OneByOne,)), since=since, **options)
    return [text for _, text in found(report)]


def test_nothing_changed_is_nothing_found_and_all_held(repository):
    report = run(repository.path, OneByOne, since="HEAD")

    assert (report.findings, report.files) == ((), ())
    assert suppressed(report) == [("since", f"single({number})") for number in (*range(1, 8), 0)]
    assert {one.note for one in report.suppressed} == {"HEAD"}


@pytest.mark.parametrize(
    ("text", "counting"),
    [
        (LINES.replace("(3)", "(33)"), ["single(33)"]),
        ("# new\n" + LINES, []),
        (LINES.replace("single(4)", "x = 1\nsingle(4)"), []),
        (LINES.replace("single(4)\n", ""), []),
        (LINES + "single(8)\n", ["single(8)"]),
        (LINES + "single(8)", ["single(8)"]),
        (LINES.removesuffix("\n"), ["single(7)"]),
        (LINES.replace("(2)", "(\n    2\n)"), ["single(\n    2\n)"]),
        (LINES.replace("single(5)\n", "single(5)  # five\n"), ["single(5)"]),
        # Line ends change no code, and are often not the same in a working tree.
        (LINES.replace("\n", "\r\n"), []),
        (LINES.replace("\n", "\r\n").replace("(3)", "(33)"), ["single(33)"]),
        (
            LINES.replace("single(1)\n", "++ b/same.py\n-- a/x\nsingle(1)\n").replace("++", "+ +"),
            [],
        ),
    ],
)
def test_a_site_counts_if_it_touches_a_changed_line(repository, text, counting):
    repository.write("a.py", text)

    assert sites(repository) == counting


def test_lines_that_look_like_headers_of_a_diff_are_content(repository):
    text = 'x = """\n++ b/same.py\n@@ -1 +1 @@\n\\ No newline\n"""\nsingle(1)\n'
    repository.commit(a=text.replace("++ b/", "-- a/"))
    repository.write("a.py", text + "single(2)\n")

    assert sites(repository) == ["single(2)"]


def test_a_line_deleted_inside_a_site_touches_it(repository):
    repository.commit(a="single(\n    1,\n    2,\n)\nsingle(3)\n")
    repository.write("a.py", "single(\n    1,\n)\nsingle(3)\n")

    assert sites(repository) == ["single(\n    1,\n)"]


def test_committed_staged_and_unstaged_changes_count(repository):
    repository("switch", "--quiet", "--create", "work")
    repository.commit(a=LINES.replace("(1)", "(11)"))
    repository.write("a.py", LINES.replace("(1)", "(11)").replace("(2)", "(22)"))
    repository("add", "a.py")
    text = LINES.replace("(1)", "(11)").replace("(2)", "(22)").replace("(3)", "(33)")
    repository.write("a.py", text)

    assert sites(repository, since="main") == ["single(11)", "single(22)", "single(33)"]


def test_what_the_other_branch_did_since_does_not_count(repository):
    repository("switch", "--quiet", "--create", "work")
    repository.commit(a=LINES.replace("(1)", "(11)"))
    repository("switch", "--quiet", "main")
    repository.commit(a=LINES.replace("(7)", "(77)"))
    repository("switch", "--quiet", "work")

    assert sites(repository, since="main") == ["single(11)"]
    assert sites(repository, since="main~0") == ["single(11)"]


def test_untracked_and_ignored_files_are_new_as_a_whole(repository):
    repository.write("new.py", "single(9)\n")
    repository.write("ignored.py", "single(10)\n")
    repository.write(".git/info/exclude", "ignored.py\n")

    assert sites(repository) == ["single(9)"]
    assert sites(repository, respect_gitignore=False) == ["single(10)", "single(9)"]


def test_a_new_file_that_is_staged_counts_as_a_whole(repository):
    repository.write("new.py", "single(8)\nsingle(9)\n")
    repository("add", "new.py")

    assert sites(repository) == ["single(8)", "single(9)"]


def test_of_a_renamed_file_only_its_changed_lines_count(repository):
    repository("mv", "a.py", "b.py")
    assert sites(repository) == []

    repository.write("b.py", LINES.replace("(3)", "(33)"))
    assert sites(repository) == ["single(33)"]


@pytest.mark.parametrize("name", ["a b.py", "é.py", 'a"b.py', "a\\b.py", "b/c d/é.py", "-x.py"])
def test_names_that_git_writes_in_other_ways(repository, name):
    repository.write(name, LINES)
    repository.commit()
    repository.write(name, LINES.replace("(3)", "(33)"))

    assert sites(repository) == ["single(33)"]


@pytest.mark.parametrize(
    "setting",
    [
        "diff.noprefix=true",
        "diff.mnemonicPrefix=true",
        "diff.external=false",
        "diff.relative=true",
        "diff.interHunkContext=9",
        "color.ui=always",
        "core.quotePath=true",
        "diff.renames=false",
    ],
)
def test_the_users_settings_of_git_do_not_matter(repository, setting):
    repository("config", *setting.split("="))
    repository("mv", "a.py", "é.py")
    repository.write("é.py", LINES.replace("(3)", "(33)").replace("(5)", "(55)"))

    assert sites(repository) == ["single(33)", "single(55)"]


def test_inside_a_hook_the_repository_is_still_the_one_around_the_root(repository, monkeypatch):
    repository.write("a.py", LINES.replace("(3)", "(33)"))
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", "elsewhere")
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=5")

    assert sites(repository) == ["single(33)"]


def test_git_and_its_index_are_left_as_they_are(repository):
    repository.write("a.py", LINES)  # as it was, but later
    os.utime(repository.path / "a.py", (1, 1))
    index = (repository.path / ".git/index").read_bytes()

    sites(repository)

    assert (repository.path / ".git/index").read_bytes() == index


def test_several_roots_in_subdirectories_of_one_repository(tmp_path):
    repository = Repository(tmp_path / "mono")
    repository("config", "diff.relative", "true")
    for name in ("one", "two"):
        repository.write(f"{name}/pyproject.toml", MANIFEST)
        repository.write(f"{name}/a.py", LINES)
    repository.commit()
    repository.write("two/a.py", LINES.replace("(3)", "(33)"))

    options = api.Options(jobs=1, use_cache=False, since="HEAD")
    report = api.run([repository.path], options, rules=[OneByOne()])

    assert {root.root.name: found(root) for root in report.roots} == {
        "mono": [],
        "one": [],
        "two": [("safe", "single(33)")],
    }


def test_a_change_counts_as_a_whole(repository):
    repository.commit(a="alpha(1)\n", b="alpha(2)\n", c="single(3)\n")
    repository.write("b.py", "alpha(22)\n")

    report = run(repository.path, OverFiles, OneByOne, since="HEAD")

    assert found(report) == [("safe", "alpha(1)"), ("safe", "alpha(22)")]
    assert changed(report) == {"a.py": "beta(1)\n", "b.py": "beta(22)\n"}


def test_what_a_changed_site_requires_counts_too(repository):
    repository.commit(a="dependant(1)\ndependant(2)\ndependant(3)\n")
    repository.write("a.py", "dependant(1)\ndependant(2)\ndependant(33)\n")

    report = run(repository.path, RequiresBase, since="HEAD")

    assert changed(report) == {"a.py": "depended(1)\ndependant(2)\ndepended(33)\n"}


def test_a_group_that_loses_its_changed_site_to_a_comment_is_held(repository):
    repository.commit(a="alpha(1)\nalpha(2)\n")
    repository.write("a.py", "alpha(1)\nalpha(22)  # awaken: ignore[over-files]\n")

    report = run(repository.path, OverFiles, since="HEAD")

    assert suppressed(report) == [("since", "alpha(1)"), ("comment", "alpha(22)")]
    assert changed(report) == {}


def test_a_later_phase_looks_at_the_lines_on_disk(repository):
    text = "step_one(1)\nx = [\n    step_two(2),\n    step_two(3),\n]\n"
    repository.commit(a=text)
    repository.write("a.py", text.replace("one(1)", "one(11)").replace("two(3)", "two(33)"))

    report = run(repository.path, FirstStep, SecondStep, since="HEAD")

    after = changed(report)["a.py"]
    assert "step_three(11)" in after
    assert "    step_two(2),\n    step_three(33),\n" in after
    assert suppressed(report) == [("since", "step_two(2)")]
    assert report.diagnostics == ()


def test_manual_sites_and_advice_on_other_lines_are_held(repository):
    idle = "x = 1  # awaken: ignore[one-by-one]\n"
    repository.commit(a=f"single(1, k=2)\n{idle}")
    repository.write("a.py", f"single(1, k=2)\n{idle}y = 1  # awaken: ignore[one-by-one]\n")

    report = run(repository.path, OneByOne, since="HEAD")

    assert [one.finding.level.value for one in report.suppressed] == ["manual", "advice", "safe"]
    assert [one.rule for one in report.findings] == ["unused-suppression"]


@pytest.mark.parametrize(
    ("given", "counting"),
    [
        (LINES, []),
        (LINES.replace("(3)", "(33)"), ["single(33)"]),
        ("# new\n" + LINES, []),
        (LINES.replace("single(3)\n", ""), []),
        (LINES.replace("(3)", "(\n3)"), ["single(\n3)"]),
    ],
)
def test_text_from_stdin_is_compared_as_it_is(repository, given, counting):
    file = repository.write("a.py", LINES.replace("(5)", "(55)"))

    found = sites(repository, overlay={file: given.encode()}, paths=[file])

    assert found == counting


@pytest.mark.parametrize(
    ("given", "counting"),
    [
        ("single(\n    1,\n)\nsingle(3)\n", ["single(\n    1,\n)"]),
        ("single(\n    1,\n    2,\n)\n", []),
        ("single(\n    1,\n    2,\n)\nx = (\n    single(3))\n", ["single(3)"]),
    ],
)
def test_lines_that_text_from_stdin_lacks_touch_what_spans_the_gap(repository, given, counting):
    repository.commit(a="single(\n    1,\n    2,\n)\nsingle(3)\n")
    file = repository.path / "a.py"

    assert sites(repository, overlay={file: given.encode()}, paths=[file]) == counting


def test_text_from_stdin_for_a_new_file_counts_as_a_whole(repository):
    file = repository.path / "new.py"
    file.write_text("")

    assert sites(repository, overlay={file: b"single(9)\n"}, paths=[file]) == ["single(9)"]


def test_deleted_files_and_other_kinds_of_changes_are_no_trouble(repository):
    repository.write("binary.bin", b"\0\1\2" * 99)
    repository.commit()
    (repository.path / "same.py").unlink()
    repository.write("binary.bin", b"\0\1\3" * 99)
    (repository.path / "a.py").chmod(0o755)

    assert sites(repository) == []


@pytest.mark.parametrize(
    ("since", "words"),
    [
        ("nowhere", "git knows no commit 'nowhere'"),
        ("-p", "git knows no commit '-p'"),
        ("--output=x", "git knows no commit '--output=x'"),
        ("", "git knows no commit ''"),
        ("HEAD:a.py", "git knows no commit 'HEAD:a.py'"),
        ("HEAD..HEAD", "git knows no commit"),
    ],
)
def test_an_unknown_commit_is_one_sentence(repository, since, words):
    with pytest.raises(UserError, match=r"^--since: ") as raised:
        sites(repository, since=since)

    message = str(raised.value)
    assert words in message
    assert str(repository.path) in message
    assert "\n" not in message
    assert not (repository.path / "x").exists()


def test_a_commit_without_a_common_one_is_one_sentence(repository):
    repository("switch", "--quiet", "--orphan", "other")
    repository.commit(b="x = 1\n")
    repository.write("pyproject.toml", MANIFEST)

    with pytest.raises(UserError, match="'main' and HEAD have no common commit"):
        sites(repository, since="main")


def test_a_repository_without_commits_is_one_sentence(tmp_path):
    repository = Repository(tmp_path / "empty")
    repository.write("pyproject.toml", MANIFEST)

    with pytest.raises(UserError, match="git knows no commit 'HEAD'"):
        sites(repository)


def test_no_repository_is_one_sentence(tmp_path):
    (tmp_path / "pyproject.toml").write_text(MANIFEST)

    with pytest.raises(UserError, match=r"needs a git repository around .*, and there is none"):
        run(tmp_path, OneByOne, since="HEAD")


def test_no_git_is_one_sentence(repository, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(
        UserError, match="--since needs git, and there is none on the PATH outside the project"
    ):
        sites(repository)


def test_a_shallow_clone_says_what_to_do(repository, tmp_path):
    repository.commit(a=LINES + "single(8)\n")
    first = repository("rev-parse", "HEAD~1")
    git = shutil.which("git")
    subprocess.run(
        [git, "clone", "--quiet", "--depth=1", f"file://{repository.path}", tmp_path / "clone"],
        check=True,
        capture_output=True,
    )

    with pytest.raises(UserError, match="fetch it first if the clone is shallow"):
        run(tmp_path / "clone", OneByOne, since=first)


def test_lines_are_those_that_git_counts(repository):
    # \r and form feeds end no line for git, whatever Python makes of them
    text = b"a = 1\rb = 2\n\x0csingle(1)\nsingle(2)\n"
    repository.write("a.py", text)
    repository.commit()
    repository.write("a.py", text.replace(b"(2)", b"(22)"))

    changes = changed_lines(repository.path, "HEAD", {})

    after = text.replace(b"(2)", b"(22)")
    for name, expected in ((b"single(1)", False), (b"single(22)", True)):
        start = after.index(name)
        assert changes.touches("a.py", after, Span(start, start + len(name))) is expected
