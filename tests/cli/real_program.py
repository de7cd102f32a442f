"""A small SQLAlchemy program on disk, for tests that run awaken as a user does.

A test writes a file around ``QUERY``. What must come out is the same text around ``SELECT``, in
the same bytes: one comparison proves that all other bytes survived.
"""

from __future__ import annotations

import io
import os
import stat
import subprocess
from contextlib import redirect_stdout

from example_models import NAMED_USER

from awaken.cli import main

MANIFEST = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["sqlalchemy>=2.0"]\n'
LONG_LINES = {"setup.cfg": "[flake8]\nmax-line-length = 400\n"}
"""Makes a program one in which no line is too long, so that none is broken anew."""
QUERY = "db.query(User).all()"
SELECT = "db.scalars(select(User)).all()"
IMPORTS = "from sqlalchemy.orm import Session\n\nfrom models import User\n"
NEW_IMPORT = "from sqlalchemy import select\n"
GOOD = f"{IMPORTS}\n\ndef find(db: Session):\n    return {QUERY}\n"
GOOD_AFTER = NEW_IMPORT + GOOD.replace(QUERY, SELECT)


class Program:
    """A project with a manifest and a model; ``files`` are more, as text (UTF-8) or bytes."""

    def __init__(self, root, files=()):
        self.root = root
        root.mkdir(parents=True)
        for name, content in {
            "pyproject.toml": MANIFEST,
            "models.py": NAMED_USER,
            **dict(files),
        }.items():
            self.write(name, content)

    def write(self, name, content):
        """Write one file; newlines stay as they are."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def contents(self):
        """Return what is in the project, by relative path: bytes of files, targets of links."""
        found = {}
        for path in self.root.rglob("*"):
            name = path.relative_to(self.root)
            if name.parts[0] != ".git":
                found[os.fsencode(name).decode("utf-8", "replace")] = _content(path)
        return found


def _content(path):
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return path.read_bytes()
    return path.readlink() if stat.S_ISLNK(mode) else stat.S_IFMT(mode)


def awaken(*arguments):
    """Run awaken in this process; return the exit code and stdout."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(stdout):
        code = main([str(argument) for argument in arguments])
    return code, stdout.buffer.getvalue()


def git(directory, *arguments, given=None):
    """Run git, whatever the user's settings are; return its stdout."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=directory,
        input=given,
        env={**os.environ, **settings},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def commit(directory):
    """Make ``directory`` a repository that holds all its files."""
    git(directory, "init", "--quiet")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "-m", "first")
