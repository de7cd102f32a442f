"""Files are read once for each state, and whatever was written to one is seen."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.workspace import file_reading
from awaken.workspace.file_reading import FileReader
from awaken.workspace.reading import overlaid
from awaken.workspace.sources import FileProblem

LATER = 3_000_000_000
"""Nanoseconds after which a file no longer counts as written just now."""


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that were opened, as far as they are Python files."""
    names = []
    real = os.open

    def noting(path, *arguments, **named):
        if os.fspath(path).endswith(".py"):
            names.append(Path(path).name)
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", noting)
    return names


@pytest.fixture
def _later(monkeypatch):
    """Make the reader's clock run ahead, as if all files were written a while ago."""
    real = file_reading.time.time_ns
    monkeypatch.setattr(file_reading.time, "time_ns", lambda: real() + LATER)


def write(root, **texts):
    for name, text in texts.items():
        (root / f"{name}.py").write_text(text)


def known_of(root, *names):
    """What is known of files that will have another time as soon as they are written again."""
    known = FileReader(root, names).known_files()
    assert set(known) == set(names)
    scratch = root / "scratch"
    while True:  # the clock of the file system goes in steps of some milliseconds
        scratch.write_text("")
        if scratch.stat().st_ctime_ns > max(one.state.latest for one in known.values()):
            scratch.unlink()
            return known


def texts(reader):
    return {path: source.text for path, source in reader.sources().items()}


def test_files_are_read_and_those_that_cannot_be_are_problems(tmp_path):
    write(tmp_path, a="x = 1\n", b="x = 1\n", big="#" * 101)
    (tmp_path / "latin.py").write_bytes(b"\n'\xe9'\n")
    os.mkfifo(tmp_path / "pipe.py")
    names = ["b.py", "big.py", "gone.py", "latin.py", "pipe.py", "a.py"]

    reader = FileReader(tmp_path, names, size_limit=100)
    problems = reader.problems()

    assert texts(reader) == {"b.py": b"x = 1\n", "a.py": b"x = 1\n"}
    assert list(reader.sources()) == list(reader.digests()) == ["b.py", "a.py"]
    assert [(one.path, one.line) for one in problems] == [
        ("big.py", 0),
        ("gone.py", 0),
        ("latin.py", 2),
        ("pipe.py", 0),
    ]
    assert problems[0].message == "is 0.0 MB large; awaken reads files up to 0.0001 MB"
    assert problems[1].message == "cannot be read: No such file or directory"
    assert problems[3].message == "is not a regular file"


def test_unreadable_file_is_a_problem(tmp_path, monkeypatch):
    write(tmp_path, a="x = 1\n")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    reader = FileReader(tmp_path, ["a.py"])

    assert reader.sources() == {}
    assert reader.problems() == (FileProblem("a.py", 0, "cannot be read: Permission denied"),)


@pytest.mark.usefixtures("_later")
def test_a_known_file_is_not_opened_before_its_text_is_asked_for(tmp_path, opened):
    write(tmp_path, a="x = 1\n", b="y = 2\n")
    (tmp_path / "latin.py").write_bytes(b"'\xe9'\n")
    names = ["a.py", "b.py", "latin.py"]
    first = FileReader(tmp_path, names)
    opened.clear()

    second = FileReader(tmp_path, names, known=first.known_files())

    assert (second.digests(), second.problems()) == (first.digests(), first.problems())
    assert len(second.problems()) == 1
    assert opened == []
    assert second.source("b.py") == first.source("b.py")
    assert opened == ["b.py"]


def test_a_file_written_just_now_is_read_again(tmp_path, opened):
    write(tmp_path, a="x = 1\n")
    os.utime(tmp_path / "a.py", (1, 1))

    first = FileReader(tmp_path, ["a.py"])
    opened.clear()
    FileReader(tmp_path, ["a.py"], known=first.known_files())

    assert opened == ["a.py"]


@pytest.mark.usefixtures("_later")
def test_a_file_dated_in_the_future_is_read_again(tmp_path, opened):
    write(tmp_path, a="x = 1\n")
    os.utime(tmp_path / "a.py", (4e9, 4e9))

    first = FileReader(tmp_path, ["a.py"])
    opened.clear()
    FileReader(tmp_path, ["a.py"], known=first.known_files())

    assert opened == ["a.py"]


def edit_in_place(path):
    path.write_text("x = 2\n")


def edit_and_set_time_back(path):
    before = path.stat()
    path.write_text("x = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_another(path):
    other = path.with_suffix(".new")
    other.write_text("x = 2\n")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def replace_by_link(path):
    other = path.with_name("other.txt")
    other.write_text("x = 2\n")
    path.unlink()
    path.symlink_to(other)


@pytest.mark.parametrize(
    "edit", [edit_in_place, edit_and_set_time_back, replace_by_another, replace_by_link]
)
@pytest.mark.usefixtures("_later")
def test_what_was_written_to_a_known_file_is_seen(tmp_path, edit):
    write(tmp_path, a="x = 1\n")
    known = known_of(tmp_path, "a.py")

    edit(tmp_path / "a.py")

    assert texts(FileReader(tmp_path, ["a.py"], known=known)) == {"a.py": b"x = 2\n"}


def remove(path):
    path.unlink()


def replace_by_pipe(path):
    path.unlink()
    os.mkfifo(path)


def replace_by_directory(path):
    path.unlink()
    path.mkdir()


def replace_by_link_outside(path):
    outside = path.parent.parent / "outside.py"
    shutil.copy2(path, outside)
    path.unlink()
    path.symlink_to(outside)


def move_directory_outside(path):
    outside = path.parent.parent.parent / "outside"
    path.parent.rename(outside)
    path.parent.symlink_to(outside)


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        (remove, "cannot be read: No such file or directory"),
        (replace_by_pipe, "is not a regular file"),
        (replace_by_directory, "is not a regular file"),
        (
            replace_by_link_outside,
            "leads out of the project, and awaken reads nothing there",
        ),
        (
            move_directory_outside,
            "leads out of the project, and awaken reads nothing there",
        ),
    ],
)
@pytest.mark.usefixtures("_later")
def test_what_takes_the_place_of_a_known_file_is_seen(tmp_path, replace, message):
    """Also a directory that was moved: its files keep their states, but lie outside now."""
    root = tmp_path / "project"
    (root / "inside").mkdir(parents=True)
    path = "inside/a.py" if replace is move_directory_outside else "a.py"
    (root / path).write_text("x = 1\n")
    known = known_of(root, path)

    replace(root / path)
    reader = FileReader(root, [path], known=known)

    assert reader.digests() == {}
    assert reader.problems() == (FileProblem(path, 0, message),)


@pytest.mark.usefixtures("_later")
def test_permissions_taken_from_a_known_file_are_seen(tmp_path):
    write(tmp_path, a="x = 1\n")
    known = known_of(tmp_path, "a.py")

    (tmp_path / "a.py").chmod(0)
    state = FileReader(tmp_path, ["a.py"], known=known).known_files().get("a.py")

    assert state != known["a.py"]


@pytest.mark.usefixtures("_later")
def test_overlaid_bytes_are_read_instead_of_a_known_file(tmp_path):
    write(tmp_path, a="x = 1\n")
    known = known_of(tmp_path, "a.py")

    with overlaid({tmp_path / "a.py": b"x = 3\n"}):
        reader = FileReader(tmp_path, ["a.py"], known)

    assert texts(reader) == {"a.py": b"x = 3\n"}
    assert reader.known_files() == known


@pytest.mark.usefixtures("_later")
def test_a_file_that_changes_after_the_look_counts_as_it_is_then(tmp_path):
    write(tmp_path, a="x = 1\n", b="y = 1\n")
    names = ["a.py", "b.py"]
    reader = FileReader(tmp_path, names, known=known_of(tmp_path, *names))

    write(tmp_path, a="x = 2\n")
    (tmp_path / "b.py").unlink()

    assert texts(reader) == {"a.py": b"x = 2\n"}
    assert reader.digests() == {"a.py": reader.sources()["a.py"].digest}
    assert [one.path for one in reader.problems()] == ["b.py"]


EDITS = st.lists(
    st.tuples(st.sampled_from(["a.py", "b/c.py", "b/d.py"]), st.binary(max_size=3)), max_size=4
)


@given(edits=st.lists(EDITS, max_size=3))
def test_with_and_without_what_was_known_the_files_are_the_same(tmp_path_factory, edits):
    root = tmp_path_factory.mktemp("project")
    (root / "b").mkdir()
    names = ["a.py", "b/c.py", "b/d.py"]
    known = {}
    for step in edits:
        for path, content in step:
            (root / path).write_bytes(content)
        anew, again = FileReader(root, names), FileReader(root, names, known=known)
        known = again.known_files()
        assert (again.digests(), again.problems()) == (anew.digests(), anew.problems())
        assert again.sources() == anew.sources()
