"""What tests put in the place of names: every form, run on both sides of a rewrite."""

from __future__ import annotations

import ast
import importlib
import sys

import pytest

from awaken.codemods.asyncio.running_loop import RunningLoop
from awaken.contract import Constraints, Level
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

CLOCK = """\
import asyncio

async def now():
    return asyncio.get_event_loop().time()
"""
HEAD = """\
import asyncio
import contextlib
import sys
import unittest
from types import SimpleNamespace
from unittest import mock
from unittest.mock import patch as put

import clock

FAKE = SimpleNamespace(time=lambda: 3)
TARGET = "asyncio.get_event_loop"

def fake():
    return FAKE

def run():
    return asyncio.run(clock.now())

"""
COMPUTED = """
def replaced(owner, words=("get", "event", "loop"), value=fake):
    return mock.patch.object(owner, "_".join(words), value)

"""
FORMS = {
    "text": 'def test_now():\n    with mock.patch("clock.asyncio.get_event_loop", fake):\n'
    "        return run()\n",
    "renamed-patch": "def test_now():\n"
    "    with put(TARGET, return_value=FAKE):\n        return run()\n",
    "f-string": 'def test_now():\n    with put(f"{asyncio.__name__}.get_event_loop", fake):\n'
    "        return run()\n",
    "made-of-itself": "def test_now():\n    text = asyncio.__name__\n"
    "    with mock.patch.object(asyncio, 'get_event_loop', fake):\n"
    "        text = text.strip()\n        text = text.lower()\n        return run()\n",
    "object": "def test_now():\n"
    '    with mock.patch.object(clock.asyncio, "get_event_loop", fake):\n'
    "        return run()\n",
    "decorator": '@mock.patch.object(asyncio, "get_event_loop", new=fake)\ndef test_now():\n'
    "    return run()\n",
    "multiple": 'def test_now():\n    with mock.patch.multiple("asyncio", get_event_loop=fake):\n'
    "        return run()\n",
    "namespace": "def test_now():\n"
    "    with mock.patch.dict(asyncio.__dict__, get_event_loop=fake):\n"
    "        return run()\n",
    "monkeypatch": "def test_now(monkeypatch):\n"
    '    monkeypatch.setattr(asyncio, "get_event_loop", fake)\n'
    "    return run()\n",
    "monkeypatch-text": "def test_now(monkeypatch):\n    monkeypatch.setattr(TARGET, fake)\n"
    "    return run()\n",
    "spy": "def test_now():\n    kept = asyncio.get_event_loop\n"
    "    with put(TARGET, wraps=kept) as spy:\n        run()\n    return 3 * spy.call_count\n",
    "module": "def test_now():\n    own = SimpleNamespace(get_event_loop=fake)\n"
    '    with mock.patch("clock.asyncio", own):\n        return run()\n',
    "module-object": "def test_now():\n    own = SimpleNamespace(get_event_loop=fake)\n"
    '    with mock.patch.object(clock, "asyncio", own):\n        return run()\n',
    "assigned": "def test_now():\n    kept = asyncio.get_event_loop\n    try:\n"
    "        clock.asyncio.get_event_loop = fake\n        return run()\n    finally:\n"
    "        asyncio.get_event_loop = kept\n",
    "looped": "def test_now():\n    with contextlib.ExitStack() as stack:\n"
    '        for name in ("get_event_loop",):\n'
    "            stack.enter_context(mock.patch.object(asyncio, name, fake))\n"
    "        return run()\n",
    "looped-name": 'NAMES = "sleep", "get_event_loop"\n'
    "def test_now():\n    with contextlib.ExitStack() as stack:\n        for name in NAMES:\n"
    "            stack.enter_context(mock.patch.object(asyncio, name, fake))\n"
    "        return run()\n",
    **{
        f"computed-{form}": f"import importlib\nimport asyncio as loops\n{COMPUTED}"
        f"def test_now():\n    with replaced({module}):\n        return run()\n"
        for form, module in {
            "module": "asyncio",
            "renamed": "loops",
            "loaded": "importlib.import_module('asyncio')",
            "registry": "sys.modules['asyncio']",
            "attribute": "clock.asyncio",
        }.items()
    },
    "computed-own": f"{COMPUTED}"
    "def test_now():\n    own = SimpleNamespace(get_event_loop=fake)\n"
    "    with replaced(clock, ['asyncio'], own):\n        return run()\n",
    "set-up": "class TestNow(unittest.TestCase):\n    def setUp(self):\n"
    "        patcher = put(TARGET, fake)\n        patcher.start()\n"
    "        self.addCleanup(patcher.stop)\n    def test_now(self):\n        self.found = run()\n\n"
    'def test_now():\n    case = TestNow("test_now")\n    case.run()\n    return case.found\n',
    "class": '@mock.patch("asyncio.get_event_loop", fake)\nclass TestNow:\n'
    "    def test_now(self):\n        return run()\n\n"
    "def test_now():\n    return TestNow().test_now()\n",
    "fixture": "import pytest\n@pytest.fixture\ndef put_fake(monkeypatch):\n"
    "    monkeypatch.setattr(TARGET, fake)\n\ndef test_now(put_fake):\n    return run()\n",
}


def level(tests, clock=CLOCK):
    texts = {"clock.py": clock, "test_clock.py": HEAD + tests}
    sources = {path: decode(path, text.encode()) for path, text in texts.items()}
    found = RunningLoop().plan(Project(Snapshot(sources), Targets()), Constraints()).findings
    return next(one.level for one in found if one.place.path == "clock.py")


def outcome(directory, clock, tests, monkeypatch):
    """Run the test on a program; return what it gives, or what it raises."""
    directory.mkdir()
    (directory / "clock.py").write_text(clock)
    (directory / "test_clock.py").write_text(HEAD + tests)
    for name in ("clock", "test_clock"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with monkeypatch.context() as inner:
        inner.syspath_prepend(directory)
        test = importlib.import_module("test_clock").test_now
        names = test.__code__.co_varnames[: test.__code__.co_argcount]
        if "put_fake" in names:
            inner.setattr("asyncio.get_event_loop", sys.modules["test_clock"].fake)
        return test(*(inner for _ in names))


@pytest.mark.parametrize("form", FORMS)
def test_a_replaced_function_of_a_library_is_seen_in_every_form(form, tmp_path, monkeypatch):
    after = CLOCK.replace("get_event_loop", "get_running_loop")
    sides = []
    for name, clock in (("before", CLOCK), ("after", after)):
        try:
            sides.append(outcome(tmp_path / name, clock, FORMS[form], monkeypatch))
        except AttributeError:
            sides.append("raised")

    assert sides[0] == 3
    assert sides[1] != 3
    assert level(FORMS[form]) is Level.UNSAFE


@pytest.mark.parametrize(
    "tests",
    [
        'def test_other():\n    with mock.patch("shop.get_event_loop", fake):\n        run()\n',
        'def test_other():\n    with mock.patch.object(asyncio, "sleep", fake):\n        run()\n',
        'def test_other():\n    with mock.patch(TARGET, fake):\n        len("")\n',
        "def test_other():\n    print(TARGET, asyncio.get_event_loop)\n",
        'def test_other():\n    Exception("now() asks asyncio.get_event_loop")\n    run()\n',
        (
            "def test_other():\n    for name in ('sleep', 'wait'):\n"
            "        with mock.patch.object(asyncio, name, fake):\n            run()\n"
        ),
        (
            f"import importlib\n{COMPUTED}def test_other():\n    importlib.import_module('json')\n"
            "    print('asyncio', asyncio.sleep)\n    with replaced(other()):\n        run()\n"
        ),
        (
            "class Own:\n    def get_event_loop(self):\n        return 1\n"
            "def test_other():\n    Own().get_event_loop = fake\n    run()\n"
        ),
    ],
)
def test_what_is_put_elsewhere_or_meets_nothing_changes_nothing(tests):
    assert level(tests) is Level.SAFE


def test_a_module_that_another_file_renames_is_held():
    tests = f"from clock import loops\n{COMPUTED}def test_now():\n    replaced(loops)\n    run()\n"
    assert level(tests, f"import asyncio as loops\n{CLOCK}") is Level.UNSAFE


CLIENT = """\
import asyncio

async def ping():
    return 1

class Client:
    async def ping(self):
        return 1

class Own(Client):
    pass

async def by_name():
    await asyncio.ensure_future(ping())

async def by_object(client: Client):
    await asyncio.ensure_future(client.ping())
"""
HEAD_OF_CLIENT = """\
import asyncio
from unittest.mock import AsyncMock, Mock, patch
import client
from client import Client, Own

async def other():
    return 2

def future():
    return asyncio.get_running_loop().create_future()

"""


@pytest.mark.parametrize(
    ("tests", "of_name", "of_object"),
    [
        ('@patch("client.ping", AsyncMock(side_effect=OSError))\ndef test(): run()\n', [True], []),
        ('@patch("client.ping")\ndef test(fake): run()\n', [True], []),
        ('@patch("client.ping", future)\ndef test(): run()\n', [False], []),
        ("def test(monkeypatch):\n    monkeypatch.setattr(client, 'ping', other)\n    run()\n",
         [True], []),
        (("def test(monkeypatch):\n    monkeypatch.setattr(client, 'ping', lambda: future())\n"
         "    run()\n"), [False], []),
        ("def test():\n    client.ping = Mock(return_value=1)\n    run()\n", [False], []),
        ("def test(given):\n    given.ping = AsyncMock()\n    run(given)\n", [], [True]),
        ("def test():\n    own = Own()\n    own.ping = future\n    run(own)\n", [], [False]),
        ('@patch.object(Client, "ping", future)\ndef test(): run()\n', [], [False]),
        ('@patch.object(Own, "ping", future)\ndef test(): run()\n', [], [False]),
        ('@patch("client.Client")\ndef test(fake): run()\n', [], [True]),
        ("def test():\n    own = Mock()\n    own.ping = future\n    run(own)\n", [], [False]),
        (("class Clock:\n    pass\ndef test():\n    clock = Clock()\n    clock.ping = future\n"
         "    run()\n"), [], []),
        ("def test(own, name):\n    setattr(own, name, future)\n    run('ping')\n", [], [False]),
        ("def test(own, name):\n    setattr(own, name, future)\n    run('mapping')\n", [], []),
    ],
)  # fmt: skip
def test_a_replaced_callee_is_seen_with_what_it_gives(tests, of_name, of_object):
    texts = {"client.py": CLIENT, "test_client.py": HEAD_OF_CLIENT + tests}
    sources = {path: decode(path, text.encode()) for path, text in texts.items()}
    project = Project(Snapshot(sources), Targets())
    module = project.module("client.py")
    calls = [one for one in module.walk() if isinstance(one, ast.Call)]
    named, asked = [one.args[0].func for one in calls if one.args]

    found = [
        [one.keeps_kind for one in project.replaced_names.replacements_of(module, each)]
        for each in (named, asked)
    ]

    assert found == [of_name, of_object]
