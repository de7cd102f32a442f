from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from awaken.workspace import outside
from awaken.workspace.outside import OutsideFile, Repository, read_outside
from awaken.workspace.reading import Enclosure

PROJECTS = ("one", "two", "three")


@pytest.fixture
def repository(tmp_path):
    (tmp_path / ".git").mkdir()
    for name in PROJECTS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
        (tmp_path / name / f"{name}_models.py").write_text("import sqlalchemy\n")
        (tmp_path / name / "plain.py").write_text("import json\n")
    (tmp_path / "two" / "uses.py").write_text("from one_models import User\n")
    return tmp_path.resolve()


def outside_of(repository: Path, name: str, repositories=None):
    files = [path.name for path in (repository / name).glob("*.py")]
    return read_outside(repository / name, files, None, repositories)


def test_files_of_a_toolkit_and_of_imports_are_outside(repository):
    said = "belongs to another project, `{}`".format
    assert outside_of(repository, "one").files == (
        OutsideFile("three/three_models.py", b"import sqlalchemy\n", said("three")),
        OutsideFile("two/two_models.py", b"import sqlalchemy\n", said("two")),
        OutsideFile("two/uses.py", b"from one_models import User\n", said("two")),
    )


def test_projects_of_a_run_read_and_place_each_file_once(repository, monkeypatch):
    alone = {name: outside_of(repository, name) for name in PROJECTS}
    read, placed = Counter(), Counter()
    read_bytes, find_roots = Enclosure.read, outside.find_roots

    def counted_read(self, path, limit):
        read[path] += str(path).endswith(".py")
        return read_bytes(self, path, limit)

    def counted_roots(paths):
        placed.update(paths)
        return find_roots(paths)

    monkeypatch.setattr(Enclosure, "read", counted_read)
    monkeypatch.setattr(outside, "find_roots", counted_roots)
    repositories: dict[Path, Repository] = {}
    together = {name: outside_of(repository, name, repositories) for name in PROJECTS}

    assert together == alone
    assert max(read.values()) == 1
    assert placed == {repository / name: 1 for name in PROJECTS}
