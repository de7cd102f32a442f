"""Each built-in recipe, made as a whole on small applications whose tests pass before and after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from real_program import awaken

from awaken.settings.recipe_tables import built_in

EXAMPLES = Path(__file__).parents[2] / "examples"
REWRITES = {
    "orders": {"sqlalchemy-2", "fastapi", "async-sessions", "no-lazy-loads"},
    "relay": {"asyncio", "async-sessions"},
    "notes": {"fastapi", "async-sessions", "no-lazy-loads"},
}
"""Which recipes rewrite what, of applications that have nothing to be asked about."""


def passed(application):
    """Run the tests of an application; return the line that counts them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    forgotten = ["-W", "error::RuntimeWarning"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, *forgotten],
        cwd=application,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1].split(",")[0].split(" in ")[0]


def contents(application):
    return {path: path.read_bytes() for path in sorted(application.rglob("*.py"))}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", built_in())
@pytest.mark.parametrize("name", REWRITES)
def test_a_recipe_is_made_as_a_whole_and_the_tests_pass(name, recipe, tmp_path, monkeypatch):
    application = tmp_path / name
    shutil.copytree(EXAMPLES / name, application)
    before, source = passed(application), contents(application)
    monkeypatch.chdir(application)

    code, out = awaken("migrate", recipe)

    assert code == 0, out.decode()
    assert (contents(application) != source) is (recipe in REWRITES[name])
    assert passed(application) == before
    # Nothing is left, and what was made is taken back step by step.
    assert b"Nothing is left" in awaken("migrate", recipe)[1]
    while contents(application) != source:
        assert awaken("undo")[0] == 0
