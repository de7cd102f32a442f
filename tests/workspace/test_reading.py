"""What is read of a target: regular files inside it, of bounded size, and nothing waits."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from awaken.workspace import reading
from awaken.workspace.reading import (
    Enclosure,
    Unreadable,
    enclosure_of,
    first_bytes,
    read_named,
    why_unread,
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "root/sub").mkdir(parents=True)
    (tmp_path / "root/sub/a.txt").write_bytes(b"inside")
    (tmp_path / "secret.txt").write_bytes(b"outside")
    return tmp_path / "root"


def sparse(path):
    with path.open("wb") as file:
        file.truncate(20_000_000_000)


def bound_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


ODD = {
    "a link out": lambda path: path.symlink_to("../secret.txt"),
    "an absolute link out": lambda path: path.symlink_to("/etc/passwd"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link into /proc": lambda path: path.symlink_to("/proc/self/environ"),
    "a link to a directory": lambda path: path.symlink_to("sub"),
    "a directory": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a socket": bound_socket,
    "a sparse file of 20 GB": sparse,
    "a link through a link": lambda path: (
        path.with_name("out").symlink_to(".."),
        path.symlink_to("out/secret.txt"),
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_of_the_target_is_not_read(root, kind):
    ODD[kind](root / "odd")

    with pytest.raises(Unreadable) as caught:
        Enclosure(root).read(root / "odd", 1000)

    assert why_unread(caught.value) == str(caught.value) == caught.value.strerror
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../secret.txt", "sub/../../secret.txt", "sub/..", ".", ".."])
def test_a_name_that_leads_out_is_not_read(root, name):
    with pytest.raises(Unreadable):
        Enclosure(root).read(f"{root}/{name}", 1000)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800", "\0"])
def test_a_name_that_no_file_can_have(root, name):
    with pytest.raises(Unreadable, match="no file can have"):
        Enclosure(root).read(root / name, 1000)


def test_links_inside_are_followed(root):
    (root / "link").symlink_to("sub/a.txt")
    (root / "directory").symlink_to("sub", target_is_directory=True)
    enclosure = Enclosure(root)

    for name in ("sub/a.txt", "link", "directory/a.txt", "../root/sub/a.txt"):
        assert enclosure.read(root / name, 6) == b"inside"


def test_a_missing_file_is_the_systems_own_error(root):
    with pytest.raises(FileNotFoundError) as caught:
        Enclosure(root).read(root / "gone", 1000)

    assert why_unread(caught.value) == "cannot be read: No such file or directory"


def test_a_file_may_have_as_many_bytes_as_the_limit(root):
    (root / "a").write_bytes(b"x" * 100)

    assert len(Enclosure(root).read(root / "a", 100)) == 100
    with pytest.raises(Unreadable, match=r"^is 0\.0 MB large; awaken reads files up to 9\.9e-05"):
        Enclosure(root).read(root / "a", 99)


def test_a_file_that_grows_while_it_is_read_ends_at_the_limit(root, monkeypatch):
    (root / "a").write_bytes(b"x" * 10)
    real = os.read

    def growing(descriptor, count):
        with (root / "a").open("ab") as file:
            file.write(b"x" * count)
        return real(descriptor, count)

    monkeypatch.setattr(os, "read", growing)
    with pytest.raises(Unreadable, match="large"):
        Enclosure(root).read(root / "a", 50_000)
    assert (root / "a").stat().st_size < 200_000


def test_a_link_that_takes_the_place_of_a_directory_later_is_not_trusted_by_a_new_pass(root):
    assert Enclosure(root).read(root / "sub/a.txt", 100) == b"inside"
    (root / "sub").rename(root / "old")
    (root / "sub").symlink_to("..", target_is_directory=True)

    with pytest.raises(Unreadable):
        Enclosure(root).read(root / "sub/secret.txt", 100)


def test_names_are_listed_inside_and_only_so_many(root, monkeypatch):
    (root / "out").symlink_to("..", target_is_directory=True)
    enclosure = Enclosure(root)

    assert enclosure.names(root) == ["out", "sub"]
    assert enclosure.names(root / "out") == enclosure.names(root / "sub/a.txt") == []
    assert enclosure.names(root / "gone") == enclosure.names(root / "a\0") == []
    monkeypatch.setattr(reading, "NAMES_LIMIT", 1)
    assert len(enclosure.names(root)) == 1


def test_a_repository_encloses_its_projects_but_a_home_directory_does_not(root, monkeypatch):
    (root.parent / ".git").mkdir()
    assert not enclosure_of(root).holds(root.parent / "secret.txt")

    monkeypatch.setenv("HOME", "/nowhere")
    assert enclosure_of(root).read(root / "../secret.txt", 100) == b"outside"


def test_what_the_user_names_may_lie_anywhere_but_is_bounded_and_regular(root):
    (root / "link").symlink_to("../secret.txt")
    assert read_named(root / "link", 100) == b"outside"
    assert first_bytes(root / "link", 3) == b"out"

    os.mkfifo(root / "pipe")
    for path in ("/dev/zero", str(root / "pipe"), str(root)):
        with pytest.raises(OSError, match="is not a regular file"):
            read_named(path, 100)
        with pytest.raises(OSError, match="is not a regular file"):
            first_bytes(path, 100)
    with pytest.raises(Unreadable, match="large"):
        read_named(root / "link", 3)
    assert len(read_named("/proc/self/status", 100_000)) > 100  # its size is said to be 0


def descriptors():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_every_descriptor_is_closed(root):
    os.mkfifo(root / "pipe")
    before = descriptors()
    for name in ("pipe", "sub", "sub/a.txt", "gone"):
        for limit in (1, 100):
            with suppress(OSError):
                Enclosure(root).read(root / name, limit)

    assert descriptors() == before


def test_nothing_that_blocks_is_waited_for(root):
    """A command on a project whose metadata are all pipes ends."""
    for name in ("pyproject.toml", "setup.cfg", "uv.lock", ".gitignore", "awaken.toml", "a.py"):
        os.mkfifo(root / name)
    for name in ("requirements.txt", ".pre-commit-config.yaml", "tox.ini", "awaken-baseline.json"):
        os.mkfifo(root / name)

    done = subprocess.run(
        ["awaken", "check", "--no-cache", str(root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 2
    assert "is not a regular file" in done.stderr
    assert "Traceback" not in done.stderr
