"""awaken in a process of its own, with the engine of ``conftest``."""

from __future__ import annotations

from pathlib import Path

_PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import FakeEngine
from awaken import api
from awaken.cli import main
from awaken.contract import Level
engine = FakeEngine(Path.cwd())
engine.levels = (Level.SAFE, Level.MANUAL)
engine.message = {message!r}
api.run = engine.run
sys.exit(main({arguments!r}))
"""


def program(*arguments: str, message: str = "this is") -> str:
    """Return a Python program that calls awaken with ``arguments`` on a safe and a manual site."""
    tests = str(Path(__file__).parent)
    return _PROGRAM.format(tests=tests, arguments=list(arguments), message=message)
