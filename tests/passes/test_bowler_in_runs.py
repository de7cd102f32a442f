"""Scripts of Bowler in runs of awaken, as a user starts them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awaken import cli

SCRIPT = """\
import sys
from bowler import Query

def main():
    print("renames", *sys.argv[1:])
    Query().select_function(sys.argv[1]).rename(sys.argv[2]).idiff()
"""
FILES = {
    "plain.py": b"old()\n",
    "carriage.py": b"x = 1\r\nold()\r\n",
    "marked.py": b"\xef\xbb\xbfold()\n",
    "fed.py": b"x = 1\n\x0c\nold()\n",
    "endless.py": b"x = 1\nold()",
    "latin.py": "# coding: latin-1\nx = '\xe9'\nold()\n".encode("latin-1"),
    "separated.py": "x = '\u2028'\nold()\n".encode(),
    "matches.py": b"x = 1\nmatch old():\n    case 1:\n        pass\n",
    "matches_nothing.py": b"match x:\n    case 1:\n        pass\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project, beside which stands a script."""
    (tmp_path / "fix.py").write_text(SCRIPT)
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    for path, content in FILES.items():
        (root / path).write_bytes(content)
    monkeypatch.chdir(root)
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    return root


@pytest.mark.usefixtures("project")
def test_check_tells_what_bowler_cannot_parse(capsys):
    code = cli.main(
        ["check", "--bowler", "../fix.py", "--output-format", "json", "--", "old", "new"]
    )

    found = json.loads(capsys.readouterr().out)
    manual = [one for one in found["findings"] if one["level"] == "manual"]
    assert code == 1
    assert [(one["path"], one["line"], one["reason"]) for one in manual] == [
        ("matches.py", 2, "bowler/cannot-parse")
    ]
    assert "no rule for `old` in line 2" in manual[0]["message"]
    assert found["diagnostics"] == []


def test_no_file_is_lost(project):
    words = ["apply", "--unsafe-fixes", "--allow-dirty", "--bowler", "../fix.py"]

    cli.main([*words, "--", "old", "new"])

    assert {path: Path(path).read_bytes() for path in FILES} == {
        path: content if path == "matches.py" else content.replace(b"old", b"new")
        for path, content in FILES.items()
    }
    assert not list(project.rglob("__pycache__"))
