"""How the tests of a project run, as its settings say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken import api
from awaken.cli import main
from awaken.contract import UserError
from awaken.settings import Settings
from awaken.settings.model import VerifySettings


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


def write(project, table):
    (project / "pyproject.toml").write_text(f"[tool.awaken.verify]\n{table}\n", "utf-8")


def test_a_command_of_the_project_is_trusted_first_and_again_when_it_changes(project):
    write(project, 'command = "pytest -q"\ncarry = [".env"]')
    with pytest.raises(UserError, match="names the command of the tests"):
        api.verify_settings([Path()])
    assert api.verify_settings([Path()], has_command=True).carry == (".env",)

    assert main(["trust"]) == 0

    assert api.verify_settings([Path()]) == VerifySettings(command="pytest -q", carry=(".env",))
    write(project, 'command = "make test"')
    with pytest.raises(UserError, match="make test"):
        api.verify_settings([Path()])


@pytest.mark.usefixtures("project")
def test_what_the_user_says_needs_no_trust():
    options = api.Options(config=('verify.command="pytest -x"',))

    assert api.verify_settings([Path()], options).command == "pytest -x"


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("command = 3", "must be a string"),
        ('command = "pytest \'"', "is not a shell command"),
        ('comand = "pytest"', "command"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(project, table, why):
    write(project, table)

    report = api.run([Path()], api.Options(settings=Settings(), use_cache=False))

    assert why in report.diagnostics[0].message
