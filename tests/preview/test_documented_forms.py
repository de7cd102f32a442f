"""The examples in ``docs/output-formats.md`` are what awaken prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from example_models import NAMED_USER

from awaken.cli import main
from awaken.preview.choices import Form

DOCUMENTATION = (Path(__file__).parents[2] / "docs/output-formats.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", DOCUMENTATION, re.MULTILINE | re.DOTALL))
CHOSEN = ("--select", "query-to-select")
MANIFEST = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2.0"]
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "pyproject.toml": MANIFEST,
        "app/models.py": NAMED_USER,
        "app/users.py": EXAMPLES["app/users.py"],
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("form", [name for name in EXAMPLES if name in set(Form)])
def test_an_example_is_what_is_printed(program: Path, form: str) -> None:
    assert main(["check", *CHOSEN, "--output-format", form, "-o", "out"]) == 1

    printed = re.sub(r'"seconds": [\d.]+', '"seconds": 0.0', (program / "out").read_text("utf-8"))
    assert printed == EXAMPLES[form]


def test_every_form_has_a_section() -> None:
    assert re.findall(r"^## (\S+)$", DOCUMENTATION, re.MULTILINE) == list(map(str, Form))
    assert set(EXAMPLES) == {*Form, "app/users.py"} - {
        Form.FULL,
        Form.GITHUB_COMMENT,
        Form.GITHUB_REVIEW,
        Form.HTML,
        Form.JSON,
        Form.SARIF,
    }
