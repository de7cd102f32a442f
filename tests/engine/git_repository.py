"""A real git repository for tests, whatever the user's settings of git are."""

from __future__ import annotations

import os
import subprocess


class Repository:
    """A repository in ``path``; settings of the user and the machine do not count."""

    def __init__(self, path):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self("init", "--quiet", "--initial-branch=main")

    def __call__(self, *arguments):
        """Run git and return its stdout."""
        done = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
            cwd=self.path,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def write(self, name, text):
        """Write one file; newlines stay as they are."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def commit(self, **files):
        """Commit everything, with ``files`` (by name without ``.py``) written before."""
        for name, text in files.items():
            self.write(f"{name}.py", text)
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "--message", "one more")
