"""A small tree to write to, and how it looks, for everything that injects faults and kills."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

import pytest
from faulty_filesystem import FaultyFileSystem, Killed

from awaken.engine.machine.filesystem import digest
from awaken.engine.writing.applying import FileWrite, apply
from awaken.engine.writing.undoing import undo

OLD = {"a.py": b"old a\n", "pkg/b.py": b"old b\r\n" * 9, "pkg/empty.py": b""}
NEW = {"a.py": b"new a\n", "pkg/b.py": b"", "pkg/empty.py": b"now something\n"}
CREATED = {"pkg/c.py": b"new c\n", "made/deep/d.py": b"new d\n", "made/e.py": b"new e\n"}


class Project:
    """A small tree, what to write into it, and what it looks like before and after."""

    def __init__(self, directory):
        self.open(directory)
        (self.root / "pkg").mkdir(parents=True)
        for name, content in OLD.items():
            (self.root / name).write_bytes(content)
        (self.root / "pkg/b.py").chmod(0o751)
        (self.root / "link.py").symlink_to("pkg/b.py")
        with suppress(PermissionError):
            os.chown(self.root / "a.py", 12345, 12345)
        self.before = tree(self.root)

    def open(self, directory):
        """Set what is known of a project without making it."""
        self.root = (directory / "project").resolve()
        self.state = directory / "state"
        names = {"link.py" if name == "pkg/b.py" else name: name for name in OLD}
        self.writes = [
            FileWrite(self.root / path, digest(OLD[name]), NEW[name])
            for path, name in names.items()
        ] + [FileWrite(self.root / name, b"", content) for name, content in CREATED.items()]

    def apply(self, filesystem):
        arguments = {"command": "awaken apply", "state": self.state}
        return apply(self.root, self.writes, filesystem=filesystem, **arguments)

    def undo(self, filesystem):
        return undo(self.root, state=self.state, filesystem=filesystem)

    def contents(self):
        found = {name: entry[2] for name, entry in tree(self.root).items() if entry[0] == "file"}
        return {name: found[name] for name in sorted(found)}

    def kill_apply(self, at, *, torn=False):
        with pytest.raises(Killed):
            self.apply(FaultyFileSystem(at, Killed(), lasting=True, torn=torn))


AFTER = dict(sorted({**NEW, **CREATED}.items()))


def count(run):
    filesystem = FaultyFileSystem()
    run(filesystem)
    return len(filesystem.operations)


def tree(root):
    """Everything below ``root``: kind, mode and content (or target) by relative path."""
    return {str(path.relative_to(root)): _entry(path) for path in root.rglob("*")}


def _entry(path):
    if path.is_symlink():
        return ("link", path.readlink())
    mode = stat.S_IMODE(path.stat().st_mode)
    if path.is_dir():
        return ("directory", mode)
    return ("file", mode, path.read_bytes())
