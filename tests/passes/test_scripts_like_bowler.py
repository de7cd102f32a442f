"""Scripts of Bowler give the same text as a pass, and by Bowler's own `write`."""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
from pathlib import Path

import bowler.query
import pytest
from bowler import Query
from bowler.tool import BowlerTool

from awaken.passes.child.bowler_scripts.script_loading import load
from awaken.passes.protocol import Item, Ready, Setup

SCRIPTS = Path(__file__).parent / "scripts"
WORDS = {
    "documented/rename_function": ("fetch", "load"),
    "documented/rename_method": ("push", "append", "item", "str"),
    "documented/rename_class": ("Basket", "Cart", "--calls"),
    "documented/rename_module": ("shop.cart=shop.basket.items", "os.path=paths"),
    "documented/rename_variable": ("total", "amount"),
    "documented/encapsulate": ("Empty", "owner"),
    "documented/add_argument": ("fetch", "sub"),
    "documented/remove_argument": ("flags", "mode"),
    "documented/subclasses": ("Basket", "kind = 'big'"),
    "found/asserts": (),
    "found/counted": ("fetch",),
    "found/dumped": ("fetch",),
    "found/fixers": (),
    "found/formats": (),
    "found/supers": (),
    "found/vendored": ("requests", "shop"),
}
UNCHANGED = {"found/dumped"}
PROGRAM = '''\
import os.path
import requests  # kept as it is
from re import sub

import shop.cart
from shop.cart import line as cart_line


class Basket(object):
    owner = None

    def push(self, item):
        """Keep an item."""
        self.owner = item
        total = len(item)
        return "%s of %s" % (item, total)


class Empty:
    owner = None


class Large(Basket):
    def push(self, item):
        super(Large, self).push(item)
        if type(item) == str:
            return os.path.join(item, "%s" % item)
        return shop.cart.line(item)


def fetch(name, strict_too, *rest):
    total = sub("a", "b", name, 0, 7)
    with open(name, "r") as file:
        basket = Basket()
        return basket.push(file.read() + total)


class TestBasket:
    def test_it(self, total):
        self.assertEqual(total, 1)
        self.assertIn(1, total)
        self.assertEqual(total, fetch("a", "b", total), "why")
        fetch(total, 2, 3)
'''


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(Query, "execute", Query.execute)
    monkeypatch.setattr(BowlerTool, "run", BowlerTool.run)
    monkeypatch.setattr("bowler.query.find_previous", bowler.query.find_previous)
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.chdir(tmp_path)


def by_bowler(script, words, monkeypatch):
    """Return what Bowler writes, whatever the end of the queries."""
    execute = Query.execute
    written = {"write": True, "silent": True, "interactive": False}
    with monkeypatch.context() as patched, contextlib.redirect_stdout(io.StringIO()):
        patched.setattr("sys.argv", [str(script), *words])
        patched.setattr(Query, "execute", lambda query, **said: execute(query, **said | written))
        main = runpy.run_path(str(script)).get("main")
        with contextlib.suppress(SystemExit):
            if main is not None:
                main()
    return Path("program.py").read_text()


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.sampled(4)
def test_a_script_gives_what_bowler_gives(tmp_path, monkeypatch, name):
    script = SCRIPTS / f"{name}.py"
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    expected = by_bowler(script, WORDS[name], monkeypatch)

    monkeypatch.setattr("sys.argv", [str(script), *WORDS[name]])
    with contextlib.redirect_stdout(io.StringIO()):
        ready, queries = load(Setup(kind="bowler", target=str(script), root=str(tmp_path)))
        answer = queries.rewritten(Item("program.py", PROGRAM.encode()))

    assert isinstance(ready, Ready)
    assert answer.content.decode() == expected
    assert (expected == PROGRAM) is (name in UNCHANGED)


def test_every_script_is_compared():
    assert {
        one.relative_to(SCRIPTS).with_suffix("").as_posix() for one in SCRIPTS.rglob("*.py")
    } == set(WORDS)
