"""The paths that git tracks: as git lists them, and none where an index is torn or hostile."""

from __future__ import annotations

import os
import subprocess
from itertools import chain

import pytest

from awaken.workspace.formats.git_index import LARGEST
from awaken.workspace.ignores import TrackedPaths

LONG = "x" * 200 + "/" + "y" * 200
NAMES = ("a.py", "a/b.py", "a/b/c.py", "a-b/é.py", f"{LONG}/{LONG}/z" * 6 + ".py", "a/b/d.py")


def git(directory, *arguments):
    directory.mkdir(parents=True, exist_ok=True)
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(
        command, cwd=directory, env={**os.environ, **quiet}, check=True, capture_output=True
    )


def repository(top, *names, options=()):
    git(top, "init", "-q", *options)
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("")
    git(top, "add", "--all")
    return top


def tracked(root, names):
    paths = TrackedPaths(root)
    return [name for name in names if paths.hold(name)]


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("hashes", ["sha1", "sha256"])
def test_each_format_lists_what_git_tracks(tmp_path, version, hashes):
    top = repository(tmp_path / "top", *NAMES[:4], options=(f"--object-format={hashes}",))
    git(top, "update-index", "--index-version", version)
    (top / "later.py").write_text("")
    # Only a flag that version 2 does not have says that a file is yet to be added.
    git(top, "add", "--intent-to-add" if version != "2" else "--", "later.py")

    names = [*NAMES[:4], "later.py"]
    others = ["b.py", "a", "a/b/c", "A.py", "", "a/b.p", "/a.py", "../top/a.py"]

    assert tracked(top, [*names, *others]) == names
    assert tracked(top, ["a/", "a/b/", "a-b/", "b/", "a.py/x/", "a/b.py/x/"]) == [
        *("a/", "a/b/", "a-b/"),
    ]


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_path_that_is_longer_than_its_length_can_say(tmp_path, version):
    name = "/".join(["x" * 200] * 25) + ".py"
    top = repository(tmp_path)
    entry = f"100644 {'1' * 40}\t{name}\n100644 {'1' * 40}\tz.py\n"
    subprocess.run(
        ["git", "-C", top, "update-index", "--index-info"], input=entry.encode(), check=True
    )
    git(top, "update-index", "--index-version", version)

    assert tracked(top, [name, "z.py"]) == [name, "z.py"]


def test_paths_are_told_relative_to_the_project(tmp_path):
    top = repository(tmp_path, "one/a.py", "one/b/c.py", "two/d.py")

    assert tracked(top / "one", ["a.py", "b/", "d.py", "one/a.py"]) == ["a.py", "b/"]


def test_an_index_outside_of_the_repository_is_not_read(tmp_path):
    top = repository(tmp_path / "top", "a.py")
    git(top, "commit", "-qm", "a")
    git(top, "worktree", "add", "-q", str(tmp_path / "linked"))
    outer = repository(tmp_path / "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(top), "sub")
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / ".git").symlink_to(top / ".git", target_is_directory=True)

    assert tracked(tmp_path / "linked", ["a.py"]) == []
    assert tracked(outer / "sub", ["a.py"]) == []
    assert tracked(outer, ["sub/", "sub/a.py"]) == ["sub/"]
    assert tracked(stranger, ["a.py"]) == []


def test_an_index_that_leads_out_is_not_read(tmp_path):
    top = repository(tmp_path / "top", "a.py")
    other = repository(tmp_path / "other")
    (other / ".git/index").unlink(missing_ok=True)
    (other / ".git/index").symlink_to(top / ".git/index")

    assert tracked(other, ["a.py"]) == []


def test_a_shared_index_is_as_none(tmp_path):
    # Of few files git would write a new shared one.
    top = repository(tmp_path, *(f"{number}.py" for number in range(20)))
    git(top, "update-index", "--split-index")
    (top / "later.py").write_text("")
    git(top, "add", "later.py")

    assert tracked(top, ["0.py", "later.py"]) == []


def tracked_in(top, raw):
    (top / ".git/index").write_bytes(raw)
    return tracked(top, ["a.py", "a/", "b.py"])


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_torn_or_altered_index_never_fails(tmp_path, version):
    top = repository(tmp_path, "a.py", "a/b.py", "a/c.py")
    git(top, "update-index", "--index-version", version)
    raw = (top / ".git/index").read_bytes()
    assert tracked_in(top, raw) == ["a.py", "a/"]

    torn = [raw[:size] for size in range(len(raw))]
    altered = [
        raw[:at] + bytes([byte]) + raw[at + 1 :] for at in range(len(raw)) for byte in (0, 255)
    ]
    said = [tracked_in(top, text) for text in chain(torn, altered, (b"", b"DIRC" * 99))]

    # Its entries are whole if only the checksum at its end is torn, or what is not looked at.
    assert {tuple(names) for names in said[: len(raw) - 40]} == {()}
    assert all(set(names) <= {"a.py", "a/"} for names in said)


def test_counts_that_no_file_has_cost_nothing(tmp_path):
    top = repository(tmp_path, "a.py")
    raw = (top / ".git/index").read_bytes()

    assert tracked_in(top, raw[:8] + b"\xff" * 4 + raw[12:]) == []


def test_shared_parts_of_paths_take_no_more_memory_than_a_file_may_have(tmp_path):
    """Each entry adds one letter: the paths together have the square of their number."""
    top = repository(tmp_path, "a.py")
    count = 2 * int(LARGEST**0.5)
    entries = b"".join(
        bytes(60) + min(number, 0xFFF).to_bytes(2) + b"\0a\0" for number in range(1, count + 1)
    )

    def index(number):
        return b"DIRC" + (4).to_bytes(4) + number.to_bytes(4) + entries[: 65 * number] + bytes(20)

    assert tracked_in(top, index(count)) == []
    (top / ".git/index").write_bytes(index(3))
    assert tracked(top, ["a", "aa", "aaa", "aaaa"]) == ["a", "aa", "aaa"]
