from __future__ import annotations

import os

import pytest

from awaken.workspace import text_files
from awaken.workspace.discovery import DiscoverySettings, Root, find_files
from awaken.workspace.ignores import PathPatterns
from awaken.workspace.reading import METADATA_LIMIT, Enclosure
from awaken.workspace.text_files import read_texts


@pytest.fixture
def root(tmp_path):
    directory = tmp_path / "program"
    (directory / ".git").mkdir(parents=True)
    for path in (
        "main.py",
        "stub.pyi",
        ".env",
        "pytest.ini",
        "deploy/pytest.ini",
        "templates/user/show.html",
        "templates/user/show.txt",
        "node_modules/x/show.html",
        "other/pyproject.toml",
        "other/show.html",
    ):
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text("[project]\n" if path.endswith("toml") else "")
    return directory


def found(root, *reads, exclude=()):
    usual = DiscoverySettings()
    patterns = (*usual.exclude, PathPatterns(exclude, root))
    return find_files(Root(root), DiscoverySettings(exclude=patterns, reads=reads))


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("/pytest.ini", ("pytest.ini",)),
        ("pytest.ini", ("deploy/pytest.ini", "pytest.ini")),
        (".env*", (".env",)),
        ("templates/**/*.html", ("templates/user/show.html",)),
        # Neither what is left out nor another project is gone into.
        ("*.html", ("templates/user/show.html",)),
        ("missing.toml", ()),
        # Python files are the program itself.
        ("*.py*", ()),
    ],
)
def test_patterns_name_files_as_in_a_gitignore(root, pattern, paths):
    assert found(root, pattern).texts == paths
    assert found(root, pattern).files == ("main.py",)


def test_without_patterns_nothing_is_found(root):
    assert found(root).texts == ()


def test_what_is_left_out_is_not_read_and_said(root):
    (root / ".gitignore").write_text(".env\n")

    seen = found(root, ".env", "show.*", exclude=("show.html",))

    assert seen.texts == ("templates/user/show.txt",)
    assert [(one.path, one.message) for one in seen.unread_texts] == [
        (".env", "is left out by .gitignore"),
        ("templates/user/show.html", "is left out by `exclude`"),
    ]
    # What is said of Python files counts those alone.
    assert {one.path for one in seen.excluded} == {"node_modules/", ".git/"}


def test_links_are_not_followed_and_said(root):
    (root.parent / "secret").write_text("password")
    (root / "secret.ini").symlink_to(root.parent / "secret")
    (root / "own.ini").symlink_to(root / "pytest.ini")

    seen = found(root, "*.ini")

    assert seen.texts == ("deploy/pytest.ini", "pytest.ini")
    assert [one.path for one in seen.unread_texts] == ["own.ini", "secret.ini"]


def test_a_link_that_comes_after_the_walk_is_not_read(root):
    (root.parent / "secret").write_text("password")
    (root / "pytest.ini").unlink()
    (root / "pytest.ini").symlink_to(root.parent / "secret")

    read = read_texts(Enclosure(root), root, ["pytest.ini"])

    assert not read.files
    assert "leads out of the project" in read.unread[0].message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\xff", "is not utf-16-le text"),
        (b"caf\xe9", "is not utf-8 text"),
        (b"x" * (METADATA_LIMIT + 1), "awaken reads files up to 1 MB"),
    ],
)
def test_what_cannot_be_read_is_said(root, content, message):
    (root / "pytest.ini").write_bytes(content)

    read = read_texts(Enclosure(root), root, ["pytest.ini", ".env"])

    assert list(read.files) == [".env"]
    assert [one.path for one in read.unread] == ["pytest.ini"]
    assert message in read.unread[0].message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_comes_back_byte_for_byte(root, encoding):
    raw = "[pytest]\r\naddopts = ü\n".encode(encoding)
    (root / "pytest.ini").write_bytes(raw)

    source = read_texts(Enclosure(root), root, ["pytest.ini"]).files["pytest.ini"]

    assert source.text.decode() == "[pytest]\r\naddopts = ü\n"
    assert source.raw() == raw


def test_a_pipe_is_not_waited_for(root):
    os.mkfifo(root / "pipe.ini")

    read = read_texts(Enclosure(root), root, ["pipe.ini"])

    assert [one.message for one in read.unread] == ["is not a regular file"]


@pytest.mark.parametrize(("name", "limit"), [("FILES_LIMIT", 2), ("BYTES_LIMIT", 3)])
def test_more_than_a_limit_is_not_read_and_said(root, monkeypatch, name, limit):
    monkeypatch.setattr(text_files, name, limit)
    paths = [f"{number}.txt" for number in range(4)]
    for path in paths:
        (root / path).write_text("ab")

    read = read_texts(Enclosure(root), root, paths)

    assert (list(read.files), [one.path for one in read.unread]) == (paths[:2], paths[2:])
