"""Files that are loaded as modules by their paths: what their names are then."""

from __future__ import annotations

import ast

import pytest

from awaken.project import Project, Snapshot
from awaken.project.values.domain import FunctionOf, ModuleOf
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

HEAD = """\
import importlib.util
import os
from pathlib import Path
from types import ModuleType

HERE = Path(__file__)
"""
BODY = """

def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("any", {path})
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


run = load().run
run
"""
KNOWN = [
    'Path(__file__).parent.parent / "scripts" / "tidy.py"',
    'Path(__file__).resolve().parents[1] / "scripts/tidy.py"',
    'str(HERE.absolute().parent.joinpath("..", "scripts", "tidy.py"))',
    'os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts", "tidy.py")',
    '"scripts/tidy.py"',
    'location=HERE.parent.parent / "scripts" / "tidy.py"',
]
UNKNOWN = [
    'Path(__file__).parent / "tidy.py"',
    'Path(__file__).parent.parent.parent.parent / "scripts" / "tidy.py"',
    'os.path.join(os.environ["HOME"], "scripts", "tidy.py")',
    '"/scripts/tidy.py"',
    'Path.cwd() / "scripts" / "tidy.py"',
    "HERE.parent.parent.joinpath(*NAMES)",
]


def last_value(path):
    """Return what is known of the last name of a test that loads the file at ``path``."""
    files = {
        "scripts/tidy.py": "def run():\n    return 1\n",
        "tests/test_tidy.py": HEAD + BODY.format(path=path),
    }
    snapshot = Snapshot({name: decode(name, text.encode()) for name, text in files.items()})
    project = Project(snapshot, Targets())
    module = project.module("tests/test_tidy.py")
    statement = module.tree.body[-1]
    assert isinstance(statement, ast.Expr)
    (value,) = project.values.of(module, statement.value).alternatives or (None,)
    return value


@pytest.mark.parametrize("path", KNOWN)
def test_a_file_of_the_program_is_known(path):
    value = last_value(path)
    assert isinstance(value, FunctionOf)
    assert (value.module.path, value.node.name) == ("scripts/tidy.py", "run")


@pytest.mark.parametrize("path", UNKNOWN)
def test_nothing_is_known_of_what_may_be_another_file(path):
    assert not isinstance(last_value(path), FunctionOf | ModuleOf)


NAMED = {
    'importlib.import_module("scripts.tidy").run': True,
    'sys.modules["scripts.tidy"].run': True,
    'importlib.import_module("scripts." + NAME).run': False,
    "sys.modules[NAME].run": False,
    '__import__("scripts.tidy", fromlist=["run"]).run': True,
    '__import__("scripts.tidy", globals(), locals(), ("run",)).run': True,
    '__import__("scripts.tidy").run': False,
    '__import__("tidy", fromlist=["run"], level=1).run': False,
    'importlib.import_module(".tidy", "scripts").run': False,
}


@pytest.mark.parametrize("text", NAMED)
def test_a_module_is_known_by_its_name(text):
    files = {
        "scripts/tidy.py": "def run():\n    return 1\n",
        "main.py": f"import importlib, sys\n\n{text}()\n",
    }
    snapshot = Snapshot({name: decode(name, text.encode()) for name, text in files.items()})
    project = Project(snapshot, Targets())

    unknown = project.calls.graph().unresolved_calls(["run"])

    assert [one.name for one in unknown] == ([] if NAMED[text] else ["run"])


def test_a_library_is_known_by_its_name():
    text = 'import importlib\n\nimportlib.import_module("json").loads("1")\n'
    snapshot = Snapshot({"main.py": decode("main.py", text.encode())})

    assert not Project(snapshot, Targets()).calls.graph().unresolved_calls(["loads"])
