"""The probes that the plugin puts into changed files, without a run of pytest."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

from awaken import verifying
from awaken.verifying.exercised import Functions

SOURCE = '''\
"""A module."""
from __future__ import annotations

import json

LIMIT = 3


def first(value):
    """Say it."""
    if value > LIMIT:
        return json.dumps(
            value,
        )
    elif value == 2:
        return "two"
    with open(__file__) as file:
        for _ in file:
            pass
    return None


async def second(value):
    try:
        return first(value)
    except ValueError:
        raise
    finally:
        value = 0


class Both:
    """Two."""

    number = 1

    def method(self):
        nonlocal_value = 1

        def inner():
            nonlocal nonlocal_value
            nonlocal_value = 2

        inner()
        return nonlocal_value
'''


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    place = tmp_path_factory.mktemp("observer")
    asked = {
        "files": {},
        "only": [],
        "needs": [],
        "limits": {},
        "limit": 0,
        "ending": 0,
        "parent": 0,
    }
    (place / "asked.json").write_text(json.dumps(asked), "utf-8")
    file = Path(verifying.__file__).parent / "plugin" / "awaken_observer.py"
    spec = importlib.util.spec_from_file_location("awaken_observer_alone", file)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWAKEN_OBSERVE_TOP", "/copy/")
        patch.setenv("AWAKEN_OBSERVE_RECORD", str(place / "record"))
        patch.setenv("AWAKEN_OBSERVE_ASKED", str(place / "asked.json"))
        spec.loader.exec_module(module)
    yield module
    module.OBSERVER.stream.close()


def probed(plugin, lines, act):
    """Return the watched lines that ``act``, which gets the module's names, reaches."""
    tree = ast.parse(SOURCE)
    plugin.put_probes(tree, "m.py", lines)
    names = {"__file__": __file__, plugin.PROBE: plugin.reached}
    exec(compile(tree, "m.py", "exec", dont_inherit=True), names)
    before = plugin.OBSERVER.test.lines
    plugin.OBSERVER.test.lines = set()
    act(names)
    found, plugin.OBSERVER.test.lines = plugin.OBSERVER.test.lines, before
    return {line for _, line in found}


def line_of(text):
    return SOURCE[: SOURCE.index(text)].count("\n") + 1


EVERY = frozenset(range(1, SOURCE.count("\n") + 1))


@pytest.mark.parametrize(
    ("act", "reached", "not_reached"),
    [
        (lambda m: m["first"](5), ["def first", "if value >", "value,", "return json"], ['"two"']),
        (lambda m: m["first"](2), ['return "two"'], ["return json", "with open"]),
        (lambda m: m["first"](1), ["with open", "for _ in", "pass", "return None"], ['"two"']),
        (lambda m: m["second"](1).close(), [], ["async def second", "return first"]),
        (lambda m: m["Both"]().method(), ["def method", "def inner", "inner()"], ["number = 1"]),
    ],
)
def test_lines_are_reached_when_their_statement_runs(plugin, act, reached, not_reached):
    found = probed(plugin, EVERY, act)

    assert {line_of(text) for text in reached} <= found
    assert not {line_of(text) for text in not_reached} & found


def test_only_watched_lines_are_said(plugin):
    line = line_of("value,\n")

    assert probed(plugin, frozenset({line}), lambda m: m["first"](5)) == {line}
    assert probed(plugin, frozenset({line}), lambda m: m["first"](1)) == set()


def test_without_lines_each_function_says_that_its_file_is_reached(plugin):
    assert probed(plugin, None, lambda m: m["first"](1)) == {0}
    assert probed(plugin, None, dict) == set()


MORE = '''
def one_line(): return 1

@decorator
# a comment
def stub(self) -> None: ...

class Documented:
    """A text."""

    @property
    def value(self):
        """A text
        of two lines.
        """
        # nothing but this
        try:
            return (
                1
            )
        except ValueError: raise
        except (
            TypeError
        ):
            return 2
        else:
            "a string that is a statement"
        finally:
            pass

async def matched(value):
    async with value as other:

        match other:
            case {
                "a": 1
            }: return 3
            case _:
                while True:
                    break
                else:
                    return 4
'''


@pytest.mark.parametrize("text", [SOURCE, MORE])
def test_the_lines_of_functions_are_those_that_the_plugin_reports(plugin, text):
    before = len(plugin.PLACES)
    plugin.put_probes(ast.parse(text), "m.py", frozenset(range(text.count("\n") + 1)))
    reported = {line for own in plugin.PLACES[before:] for _, line in own}

    # An import runs with its file, and so is of no interest here.
    imports = {n for n, line in enumerate(text.splitlines(), 1) if line.startswith("from ")}
    assert Functions(text.encode()).statements - imports == reported - imports


@pytest.mark.parametrize("line", [3, 5])
def test_lines_of_a_test_that_pytest_rewrote_are_reached(plugin, line):
    source = "from os import path\n\n\ndef test_it():\n    assert path\n"
    source = source if line == 5 else '"""It."""\n\n' + source.replace("\n\n\n", "\n")
    tree = ast.parse(source)
    rewrite_asserts(tree, source.encode())

    plugin.put_probes(tree, "t.py", frozenset(range(1, line + 1)))

    assert plugin.PROBE in ast.unparse(tree)
    assert compile(tree, "t.py", "exec")


@pytest.mark.parametrize(("code", "busy"), [("any(iter(int, 1))", True), ("input()", False)])
def test_a_process_that_works_is_told_from_one_that_waits(plugin, code, busy):
    command = [sys.executable, "-c", f"print(flush=True); {code}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        known = plugin.descendants()
        # It reaches what it does a moment after it printed.
        while plugin.is_busy(child.pid) != busy:
            time.sleep(0.001)
        states = {plugin.is_busy(child.pid) for _ in range(200)}
        child.kill()

    assert child.pid in known
    assert states == {busy}


def test_a_test_waits_only_while_nothing_of_it_works(plugin, monkeypatch):
    monkeypatch.setattr(plugin, "descendants", list)
    monkeypatch.setattr(plugin, "is_busy", lambda _process: works)
    test = plugin.Test("t")
    test.started -= 100
    works = True
    assert not any(test.takes_too_long(5, 20) for _ in range(200))
    works = False
    assert not test.takes_too_long(5, 20)
    assert any(test.takes_too_long(5, 20) for _ in range(200))


def test_a_test_computes_too_long_by_seconds_of_the_processor(plugin, monkeypatch):
    monkeypatch.setattr(plugin, "descendants", list)
    monkeypatch.setattr(plugin, "is_busy", lambda _process: True)
    test = plugin.Test("t")
    assert not test.takes_too_long(5, 20)
    test.processed -= 6
    assert test.takes_too_long(5, 20)


def test_a_forgotten_coroutine_is_part_of_the_result(plugin, monkeypatch):
    said = "coroutine 'Session.commit' was never awaited"
    test = plugin.Test("t")
    monkeypatch.setattr(plugin.OBSERVER, "test", test)
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        warnings.warn_explicit(RuntimeWarning("another"), None, "/copy/shop.py", 3)
        warnings.warn_explicit(RuntimeWarning(said), None, "/copy/shop.py", 5)

    for each in recorded:
        plugin.OBSERVER.pytest_warning_recorded(each)

    assert (test.outcome, test.error, test.frames) == ("passed", said, [["shop.py", 5]])


def test_a_forgotten_coroutine_points_at_who_made_it(plugin, monkeypatch):
    test = plugin.Test("t")
    test.error, test.frames = "AssertionError", [["test_shop.py", 9]]
    monkeypatch.setattr(plugin.OBSERVER, "test", test)
    said = (
        "coroutine 'Session.delete' was never awaited\n"
        "Coroutine created at (most recent call last)\n"
        '  File "/copy/routes.py", line 3, in deleted\n'
        '  File "/copy/shop.py", line 5, in delete\n'
        '  File "/usr/lib/asyncio.py", line 7, in run\n'
    )
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        warnings.warn_explicit(RuntimeWarning(said), None, "/usr/lib/gc.py", 1)

    plugin.OBSERVER.pytest_warning_recorded(recorded[0])

    assert test.error == "AssertionError"
    assert test.frames == [["test_shop.py", 9], ["routes.py", 3], ["shop.py", 5]]


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_error_of_a_coroutine_points_at_who_made_it(plugin, monkeypatch, is_begun):
    monkeypatch.setattr(plugin, "TOP", f"{Path(__file__).parent}{os.sep}")

    async def rows():
        await asyncio.sleep(0)
        return []

    def used(answer):
        return answer.first()

    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(plugin.MOST_FRAMES_OF_STATEMENT)
    try:
        made, line = rows(), sys._getframe().f_lineno
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)
    with contextlib.closing(made):
        if is_begun:
            made.send(None)
        with pytest.raises(AttributeError) as raised:
            used(made)
        last = plugin.frames_of(raised.value)[-1]
    assert (last == ["test_observer.py", line]) is not is_begun


def test_a_coroutine_of_another_thread_knows_who_made_it(plugin):
    origins = []

    async def rows():
        return []

    def make():
        with contextlib.closing(rows()) as made:
            origins.append(made.cr_origin)

    thread = threading.Thread(target=make)
    thread.run = functools.partial(plugin.traced(threading.Thread.run), thread)
    thread.start()
    thread.join()
    assert origins[0][0][2] == "make"
