"""Real projects whose names, settings, versions and baselines hold texts that act."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hostile_text import assert_inactive, hostile
from hypothesis import example, given, settings

from awaken.cli import main
from awaken.engine import answering

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["sqlalchemy>=2.0"]\n'
PROGRAM = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def find(db: Session):
    return db.query(User).all()
"""
LOGGER = logging.getLogger("awaken")
COMMANDS = (
    ["check", "-v"],
    ["check", "--output-format", "concise"],
    ["check", "--output-format", "github"],
    ["check", "--output-format", "sarif"],
    ["check", "--show-settings"],
    ["check", "--show-files"],
    ["diff", "--output-format", "full", "--color", "always"],
    ["doctor", "-v"],
    ["doctor", "--output-format", "json"],
    ["apply", "-v"],
    ["undo", "--list", "-v"],
    ["undo", "-v"],
)


def printed(words: list[str]) -> bytes:
    """Return what awaken prints, to stdout and stderr together."""
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        assert main(words) in {0, 1, 2}
    stream.flush()
    return stream.buffer.getvalue()


@contextmanager
def standing_in(text: str, manifest: str, *files: tuple[str, str]) -> Iterator[Path]:
    """Make two projects, one in a directory and a file called ``text``; stand above both."""
    # What no file system takes as a name. 255 bytes is the longest that Linux takes.
    name = os.fsdecode(os.fsencode(text.translate({0: "", ord("/"): "|"}))[:200]) or "x"
    with TemporaryDirectory() as top, pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        patch.setenv("AWAKEN_STATE_DIR", str(Path(top, "state")))
        for root, said in ((Path(top, "plain"), PROJECT), (Path(top, f"p{name}"), manifest)):
            root.mkdir()
            (root / "pyproject.toml").write_text(said, "utf-8", "replace")
            (root / f"{name}.py").write_text(PROGRAM)
        for file, content in files:
            (root / file).write_text(content, "utf-8", "replace")
        yield root


def assert_every_command_is_inactive() -> None:
    for words in COMMANDS:
        assert_inactive(printed(words))


def basic(text: str) -> str:
    """Return ``text`` as a string of TOML; JSON writes it the same way, but for lone surrogates."""
    return json.dumps(text.encode("utf-8", "replace").decode()).replace("\x7f", "\\u007f")


@given(hostile)
@settings(max_examples=5)
@example("::error::x")
@example("\x1b]0;x\x07\n::stop-commands::y")
@pytest.mark.slow
def test_names_and_versions(text: str) -> None:
    manifest = (
        f'[project]\nname = {basic(text)}\nversion = "1"\nrequires-python = {basic(text)}\n'
        f'dependencies = ["sqlalchemy>=2.0", {basic(text)}, {basic("fastapi" + text)}]\n'
        f"[tool.black]\nline-length = {basic(text)}\n"
    )
    with standing_in(text, manifest):
        assert_every_command_is_inactive()


@given(hostile)
@settings(max_examples=5)
@example("\n::error::x")
@pytest.mark.slow
def test_settings(text: str) -> None:
    for setting in (
        f"baseline = {basic(text)}",
        f"{basic(text)} = 1",
        f"exclude = [{basic(text)}]",
        f"select = [{basic(text)}]",
        f"target = {{ {basic(text)} = {basic(text)} }}",
        f"{text}",
    ):
        with standing_in(text, PROJECT, ("awaken.toml", f"{setting}\n")):
            assert_inactive(printed(["check", "-v"]))
            assert_inactive(printed(["check", "--show-settings"]))


@given(hostile)
@settings(max_examples=5)
@example("\n##[error]x")
@pytest.mark.slow
def test_baselines(text: str) -> None:
    entry = {"path": "app.py", "rule": text, "scope": text, "site": text}
    named = ("awaken.toml", 'baseline = "known.json"\n')
    for sites in ([entry], [{**entry, text: 1}], text, {text: text}):
        listed = json.dumps({"version": 1, "sites": sites})
        with standing_in(text, PROJECT, named, ("known.json", listed)):
            assert_inactive(printed(["check", "-v"]))
            assert_inactive(printed(["doctor"]))


@given(hostile)
@settings(max_examples=10)
@example("x\n::error::y")
def test_what_fails_inside_one_project(text: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(text)

    with standing_in("app", PROJECT), pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "run_root", fail)
        # pytest would take the record as well, and fail to encode lone surrogates.
        patch.setattr(LOGGER, "propagate", False)
        said = printed(["check", "-v"])

    assert b"internal error" in said
    assert_inactive(said)
