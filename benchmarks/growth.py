"""Count how the work of all rules grows with a program: no clock is read.

    uv run python benchmarks/growth.py [--quick] [SHAPE ...]

Makes each shape at n, 2n and 4n, and runs all rules over it in one process. Prints what is counted
(parses, bytes parsed, searches of texts, value questions, calls of functions) and the exponent of
each at the last doubling: 1 is linear, 2 is quadratic. What a run does whatever the size is taken
off: the exponent is that of the growth. Ends with 1 where one is above 1.2. `--quick` takes the
small n of every CI run.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from tables import table

from awaken import api
from awaken.project import Project, Snapshot
from awaken.settings import Settings
from awaken.workspace.discovery import Root, find_files
from awaken.workspace.file_reading import FileReader
from awaken.workspace.manifests.targets import read_targets
from awaken.workspace.work import WORK

LIMIT = 1.2
LEAST = 500  # counted at 4n
COUNTS = ("parses", "parsed_bytes", "searches", "questions")

MODEL = """\
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import Session, declarative_base, relationship
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    orders = relationship("Order", back_populates="user")
class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
    user = relationship("User", back_populates="orders")
"""


def run_rules(root: Path, *rules: str) -> None:
    """Plan all rules, or some, over the program in `root`."""
    settings = Settings(
        select=rules or ("ALL",),
        preview=bool(rules),
        target_version="py311",
        unsafe_fixes=True,
        target={"sqlalchemy": "2.0", "fastapi": "0.115"},
    )
    api.run([root], api.Options(settings=settings, isolated=True, jobs=1, use_cache=False))


def migrate(root: Path) -> None:
    """Plan the change to asynchronous sessions."""
    run_rules(root, "session-to-async")


def _project(root: Path) -> Project:
    files = FileReader(root, find_files(Root(root)).files).sources()
    return Project(Snapshot(files), read_targets(root, None, {}, {}))


def ask_call_graph(root: Path) -> None:
    """Ask for all calls of the program, from both ends."""
    graph = _project(root).calls.graph()
    for function in graph.functions():
        graph.callers(function)
        graph.callees(function)


def ask_relationships(root: Path) -> None:
    """Ask which relationships the program reads."""
    _project(root).orm.reads.all()


class Shape(Struct, frozen=True):
    """What a program is made of at a size, `small` in CI and `large` otherwise."""

    text: Callable[[int], str]
    small: int
    large: int
    action: Callable[[Path], None] = run_rules


def _lines(text: str, number: int) -> str:
    return "".join(text.replace("{i}", str(i)).replace("{j}", str(i + 1)) for i in range(number))


def called_by_index(number: int) -> str:
    """Return functions in a list, which are called by their index."""
    return (
        MODEL
        + _lines("def f{i}(session, k):\n    return session.query(User).get(k)\n", number)
        + f"ALL = [{_lines('f{i}, ', number)}]\n"
        + _lines("def g{i}(session: Session):\n    return ALL[{i}](session, {i})\n", number)
    )


def decorators(number: int) -> str:
    """Return one function with many decorators."""
    return (
        MODEL
        + "from functools import wraps\n"
        + _lines(
            "def d{i}(function):\n    @wraps(function)\n    def inner(*args, **kwargs):\n"
            "        return function(*args, **kwargs)\n    return inner\n",
            number,
        )
        + _lines("@d{i}\n", number)
        + "def find(session: Session, k):\n    return session.query(User).filter_by(id=k)\n"
        + "def use(session: Session):\n    return find(session, 1).all()\n"
    )


def overrides(number: int) -> str:
    """Return classes of one base with a method that calls `super()`, and their callers."""
    return (
        MODEL
        + "class Base0:\n    def find(self, session: Session):\n"
        + "        return session.query(User)\n"
        + _lines(
            "class Finder{i}(Base0):\n    def find(self, session: Session):\n"
            "        return super().find(session).filter(User.id == {i})\n"
            "def use{i}(session: Session):\n    return Finder{i}().find(session).all()\n",
            number,
        )
    )


def gathers(number: int) -> str:
    """Return gathers of one coroutine function."""
    return (
        "import asyncio\nasync def fetch(k):\n    await asyncio.sleep(k)\n    return k\n"
        + _lines(
            "async def all{i}():\n    return await asyncio.gather(fetch({i}), fetch({j}))\n", number
        )
    )


def callers(number: int) -> str:
    """Return functions that hand a query to one function."""
    return (
        MODEL
        + "def _only(query, k):\n    return query.filter(User.id > k)\n"
        + _lines(
            "def f{i}(session: Session):\n    return _only(session.query(User), {i}).all()\n",
            number,
        )
    )


def calls(number: int) -> str:
    """Return functions that call each other, and methods."""
    return _lines(
        "class C{i}:\n    def go(self, x):\n        return f{i}(x)\n"
        "def f{i}(x):\n    return C{j}().go(x)\n",
        number,
    )


def relationships(number: int) -> str:
    """Return functions that load rows and read their relationships."""
    return MODEL + _lines(
        "def f{i}(session: Session):\n    for user in session.query(User):\n"
        "        print(user.orders)\n    return g{i}(session.query(Order).get({i}))\n"
        "def g{i}(order):\n    return order.user.name\n",
        number,
    )


def elements(number: int) -> str:
    """Return a list of many elements."""
    return (
        MODEL
        + f"ALL = [{'1, ' * (number * 100)}]\ndef f(session: Session):\n"
        + ("    return session.query(User).filter(User.id.in_(ALL)).all()\n")
    )


def fields(number: int) -> str:
    """Return classes with fields of the next class, and an object of the first after a commit."""
    classes = (
        f"class Level{level}:\n" + _lines(f"    part{{i}}: {kind}\n", number)
        for level, kind in enumerate(("'Level1'", "'Level2'", "'Level3'", "'Level4'", "int"))
    )
    return (
        MODEL
        + "".join(classes)
        + "class Held:\n    top: Level0\n    def __init__(self, user):\n        self.user = user\n"
        "    def run(self):\n        return self.user.orders, self.top\n"
        "def show(held):\n    return held.run()\n"
        "def use(session: Session, k):\n    held = Held(session.get(User, k))\n"
        "    held.user.name = 'x'\n    session.commit()\n    return show(held)\n"
    )


def calls_at_import(number: int) -> str:
    """Return functions that import something and use a session, called when they are imported."""
    return (
        MODEL
        + "from fastapi import FastAPI\nfrom sqlalchemy import create_engine\n"
        + "from sqlalchemy.orm import sessionmaker\napp = FastAPI()\n"
        + "Maker = sessionmaker(create_engine('sqlite://'))\n"
        + _lines(
            "def load{i}():\n    import json\n    with Maker() as session:\n"
            "        return session.get(User, {i})\nHELD{i} = load{i}()\n",
            number,
        )
    )


def fields_of_one_name(number: int) -> str:
    """Return classes that each keep a function which uses a session in a field of one name."""
    return MODEL + _lines(
        "class Task{i}:\n    def __init__(self, action):\n        self.action = action\n"
        "    def run(self, session):\n        return self.action(session)\n"
        "def load{i}(session: Session):\n    return session.get(User, {i})\n"
        "def use{i}(session: Session):\n    return Task{i}(load{i}).run(session)\n",
        number,
    )


def functions_of_one_list(number: int) -> str:
    """Return functions that use a session, in one list, of which unread code gets the items."""
    return (
        MODEL
        + "import other\nALL = []\n"
        + _lines(
            "def load{i}(session: Session):\n    return session.get(User, {i})\n"
            "ALL.append(load{i})\ndef use{i}(k):\n    other.run(ALL[k], {i})\n",
            number,
        )
    )


def items_of_one_dictionary(number: int) -> str:
    """Return a function that puts rows into a dictionary, and reads it after each."""
    return (
        MODEL
        + "def use(session: Session):\n    kept = {'first': {}}\n"
        + _lines(
            "    kept['row{i}'] = session.get(User, {i})\n"
            "    kept['first']['row{i}'] = [kept['row{i}'], {i}]\n"
            "    print(kept['row{i}'].orders, kept['first'])\n",
            number,
        )
    )


def calls_of_itself(number: int) -> str:
    """Return a function that calls itself at many places, each with the list that it fills."""
    return (
        MODEL
        + "def fill(made, row, kind):\n    made.append(row)\n"
        + _lines("    if kind == {i}:\n        fill(made, row, kind)\n", number)
        + "\ndef use(session: Session):\n    made = []\n"
        + "    fill(made, session.get(User, 1), 1)\n    print(made[0].orders)\n"
    )


SHAPES: dict[str, Shape] = {
    "functions in a list called by index": Shape(called_by_index, 10, 50),
    "decorators on one function": Shape(decorators, 5, 20),
    "overrides with super and callers": Shape(overrides, 5, 25),
    "gathers of one function": Shape(gathers, 10, 70),
    "callers of one function": Shape(callers, 10, 35),
    "full call graph": Shape(calls, 20, 200, ask_call_graph),
    "full relationships": Shape(relationships, 10, 50, ask_relationships),
    "elements of a list": Shape(elements, 20, 200),
    "fields of kept objects": Shape(fields, 4, 20, migrate),
    "calls at import": Shape(calls_at_import, 8, 30, migrate),
    "fields of one name": Shape(fields_of_one_name, 8, 15, migrate),
    "functions of one list": Shape(functions_of_one_list, 8, 25, migrate),
    "items of one dictionary": Shape(items_of_one_dictionary, 8, 10, migrate),
    "calls of itself": Shape(calls_of_itself, 8, 20, migrate),
}


def count(shape: Shape, number: int) -> dict[str, int]:
    """Return what is counted for a shape of a size."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        (root / "case.py").write_text(shape.text(number))
        before = [getattr(WORK, name) for name in COUNTS]
        profile = cProfile.Profile()
        gc.collect()
        gc.disable()  # it calls what others left, at any time
        try:
            profile.runcall(shape.action, root)
        finally:
            gc.enable()
        counts = {
            name: getattr(WORK, name) - count for name, count in zip(COUNTS, before, strict=True)
        }
    return counts | {"calls": sum(entry.callcount for entry in profile.getstats())}


def exponent(one: int, two: int, four: int) -> float:
    """Return the exponent of the growth at the last doubling, 0 where nothing grows, or too little.

    Which words are searched for one by one, and which all at once, moves a hundred searches.
    """
    if two <= one or four <= two or four < LEAST:
        return 0.0
    return math.log2((four - two) / (two - one))


def main(words: Sequence[str] | None = None) -> None:
    """Count each shape, print its rows, and end with 1 where one grows too fast."""
    parser = argparse.ArgumentParser(description="count how work grows with a program")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--quick", action="store_true", help="the sizes of every CI run")
    arguments = parser.parse_args(words)
    if unknown := [name for name in arguments.shapes if name not in SHAPES]:
        parser.error(f"no such shape: {', '.join(unknown)}")
    rows, is_over = [], False
    for name in arguments.shapes or SHAPES:
        shape = SHAPES[name]
        count(shape, 2)  # what is done once in a process: imports, rules, what libraries know
        size = shape.small if arguments.quick else shape.large
        counts = [count(shape, size * factor) for factor in (1, 2, 4)]
        for what in counts[0]:
            steps = [one[what] for one in counts]
            grows = exponent(*steps)
            is_over |= grows > LIMIT
            over = "OVER" if grows > LIMIT else ""
            rows.append([name, what, *(f"{step:,}" for step in steps), f"{grows:.2f}", over])
    print(table(["shape", "counted", "n", "2n", "4n", "exponent", ""], rows))
    sys.exit(is_over)


if __name__ == "__main__":
    main()
