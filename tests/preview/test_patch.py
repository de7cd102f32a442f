from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import file_change, report, root_report

from awaken.engine.report import FileChange, Report
from awaken.preview.diffs.patch import file_patch, patch
from awaken.workspace.sources import SourceFile

LINES = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n"


def git(where: Path, *arguments: str, text: bytes = b"") -> bytes:
    plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments],
        cwd=where,
        input=text,
        capture_output=True,
        env={**os.environ, **plain},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def repository(directory: Path, files: dict[str, bytes]) -> Path:
    directory.mkdir()
    git(directory, "init", "--quiet")
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return directory


def applied(where: Path, text: bytes, path: Path) -> bytes:
    git(where, "apply", "--check", text=text)
    git(where, "apply", text=text)
    return path.read_bytes()


def one_file(path: str, before: bytes | None, after: bytes, root: Path) -> Report:
    old = None if before is None else SourceFile(path, before)
    return report(root_report(root, FileChange(path, old, SourceFile(path, after)), findings=()))


def test_a_file_that_did_not_change_gives_nothing() -> None:
    assert file_patch("a.py", LINES, LINES) == b""


def test_one_changed_line_has_three_lines_around_it() -> None:
    text = file_patch("a.py", LINES, LINES.replace(b"five", b"FIVE"))

    assert text == (
        b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -2,7 +2,7 @@\n"
        b" two\n three\n four\n-five\n+FIVE\n six\n seven\n eight\n"
    )


@pytest.mark.parametrize(
    "after",
    [
        LINES.replace(b"two", b"2").replace(b"four", b"4").replace(b"nine", b"9"),
        LINES.replace(b"two\n", b"").replace(b"seven\n", b"7\n7\n"),
        b"zero\n" + LINES + b"eleven",
        LINES.replace(b"one\n", b"").replace(b"ten\n", b""),
    ],
)
def test_git_takes_a_patch_without_context(tmp_path: Path, after: bytes) -> None:
    top = repository(tmp_path / "repo", {"a.py": LINES})

    text = patch(one_file("a.py", LINES, after, top), top, context=0)
    git(top, "apply", "--unidiff-zero", text=text)

    assert b"\n " not in text
    assert (top / "a.py").read_bytes() == after


def test_changes_far_apart_are_two_hunks() -> None:
    before = LINES * 4
    after = b"zero\n" + before + b"end\n"

    assert file_patch("a.py", before, after).count(b"\n@@ ") == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n", id="CRLF"),
        pytest.param(b"a\rb\rc\r", b"a\rB\rc\r", id="lone CR"),
        pytest.param(b"a\nb\r\nc\rd\n", b"a\nb\r\nC\rd\n", id="mixed newlines"),
        pytest.param(b"a\nb", b"a\nB", id="no final newline on both sides"),
        pytest.param(b"a\nb", b"a\nb\n", id="final newline added"),
        pytest.param(b"a\nb\n", b"a\nb", id="final newline removed"),
        pytest.param(b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfA\nb\n", id="BOM"),
        pytest.param(b"# coding: latin-1\n\xe9\n", b"# coding: latin-1\n\xe8\n", id="latin-1"),
        pytest.param(b"", b"a\n", id="empty before"),
        pytest.param(b"a\nb\n", b"", id="empty after"),
        pytest.param(b"a\n\x0cb\n", b"a\n\x0cB\n", id="form feed"),
        pytest.param(b"a \n\n\n", b"b\t\n\n", id="trailing white space"),
        pytest.param(b"-- a\n++ b\n", b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n", id="looks like a patch"),
    ],
)
def test_git_writes_the_same_bytes(tmp_path: Path, before: bytes, after: bytes) -> None:
    top = repository(tmp_path / "repo", {"a.py": before})

    text = patch(one_file("a.py", before, after, top), top)

    assert applied(top, text, top / "a.py") == after


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", LINES, LINES.replace(b"five", b"FIVE")),
        ("a.py", LINES, LINES.replace(b"two", b"2").replace(b"nine", b"9")),
        ("a.py", LINES, LINES.replace(b"two", b"2").replace(b"ten", b"10")),
        ("a.py", LINES, b"zero\n" + LINES),
        ("a.py", LINES, LINES[:-1]),
        ("a.py", b"", b"a\n"),
        ("a.py", b"a\n", b""),
        ("a.py", b"a\r\nb\r\n", b"a\r\nc\r\n"),
        ("with space.py", b"a\n", b"b\n"),
        ('na\u00efve "x".py', b"a\n", b"b\n"),
    ],
)
@pytest.mark.parametrize("context", [0, 1, 3, 20])
def test_it_is_what_git_itself_writes(
    tmp_path: Path, path: str, before: bytes, after: bytes, context: int
) -> None:
    top = repository(tmp_path / "repo", {path: before})
    git(top, "add", ".")
    (top / path).write_bytes(after)
    theirs = git(top, "diff", "--no-color", f"-U{context}")

    ours = patch(one_file(path, before, after, top), top, context)

    # git adds the hashes of the contents, and the function that a hunk is in.
    assert ours == re.sub(rb"(?m)^index .*\n|(?<= @@) .*$", b"", theirs)


@pytest.mark.parametrize(
    "name",
    ["with space.py", 'quo"te.py', "naïve.py", "tab\there.py", "back\\slash.py", "日本/語.py"],
)
@pytest.mark.parametrize("exists", [True, False], ids=["changed", "created"])
def test_git_finds_the_file_by_any_name(tmp_path: Path, name: str, *, exists: bool) -> None:
    before = b"a\n" if exists else None
    top = repository(tmp_path / "repo", {name: before} if before else {})

    text = patch(one_file(name, before, b"b\n", top), top)

    assert applied(top, text, top / name) == b"b\n"


def test_a_name_that_is_not_utf_8_is_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    top = repository(tmp_path / "repo", {name: b"a\n"})

    text = patch(one_file(name, b"a\n", b"b\n", top), top)

    assert b"caf\\351.py" in text
    assert applied(top, text, top / name) == b"b\n"


@pytest.mark.parametrize("content", [b"", b"x = 1\n", b"x = 1"])
def test_a_new_file_is_created(tmp_path: Path, content: bytes) -> None:
    top = repository(tmp_path / "repo", {})

    text = patch(one_file("app/new file.py", None, content, top), top)

    assert applied(top, text, top / "app/new file.py") == content
    assert b"new file mode 100644\n" in text


def test_several_files_of_several_roots_are_one_patch(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo", {"one/a.py": b"a\n", "two/b.py": b"b\n"})
    both = report(
        root_report(top / "one", file_change("a.py", b"a\n", b"A\n"), findings=()),
        root_report(
            top / "two",
            file_change("b.py", b"b\n", b"B\n"),
            file_change("c.py", None, b"C\n"),
            findings=(),
        ),
    )

    assert applied(top, patch(both, top), top / "one/a.py") == b"A\n"
    assert (top / "two/b.py").read_bytes() == b"B\n"
    assert (top / "two/c.py").read_bytes() == b"C\n"


def test_git_takes_it_in_a_sub_directory_too(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo", {"app/deep/a.py": b"a\n"})
    below = top / "app" / "deep"

    text = patch(one_file("app/deep/a.py", b"a\n", b"b\n", top), below)

    assert applied(below, text, below / "a.py") == b"b\n"


def test_the_root_may_lie_below_the_top_of_the_repository(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo", {"app/a.py": b"a\n"})

    text = patch(one_file("a.py", b"a\n", b"b\n", top / "app"), tmp_path)

    assert text.startswith(b"diff --git a/app/a.py b/app/a.py\n")
    assert applied(top, text, top / "app/a.py") == b"b\n"


def test_without_a_repository_paths_are_relative_to_where_the_user_stands(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.py").write_bytes(b"a\n")

    text = patch(one_file("a.py", b"a\n", b"b\n", tmp_path / "app"), tmp_path)

    assert applied(tmp_path, text, tmp_path / "app" / "a.py") == b"b\n"


newline = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b""])
line = st.sampled_from([b"a", b"b", b"    c", b"\\ No newline", b"+", b"-", b"@@", b" ", b"\xe9"])
text_of_lines = st.lists(st.tuples(line, newline), max_size=30).map(
    lambda pairs: b"".join(part for pair in pairs for part in pair)
)


@given(before=text_of_lines, after=text_of_lines)
def test_git_writes_the_same_bytes_whatever_they_are(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, after: bytes
) -> None:
    top = repository(tmp_path_factory.mktemp("any") / "repo", {"a.py": before})
    text = file_patch("a.py", before, after)

    assert (not text and before == after) or applied(top, text, top / "a.py") == after


@given(data=st.data())
def test_a_local_edit_in_a_long_file_gives_a_short_patch(data: st.DataObject) -> None:
    lines = data.draw(st.lists(line.map(lambda text: text + b"\n"), min_size=1, max_size=200))
    index = data.draw(st.integers(0, len(lines) - 1))
    edited = [*lines[:index], b"edited\n", *lines[index + 1 :]]

    text = file_patch("a.py", b"".join(lines), b"".join(edited))

    assert text.count(b"\n+") - 1 == 1
    assert len(text.splitlines()) <= 3 + 1 + 3 + 2 + 3
