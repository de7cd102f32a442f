"""What a run does with one file grows with the file: twice the steps for twice the code."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from growth import steps

from awaken import api
from awaken.settings import Settings

MODEL = """\
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import Session, declarative_base
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String)
"""
APPLICATION = "from fastapi import Depends, FastAPI\napp = FastAPI()\ndef dep():\n    return 1\n"


def _lines(text: str, number: int) -> str:
    return "".join(text.replace("{i}", str(i)).replace("{j}", str(i + 1)) for i in range(number))


def _kept(text: str, number: int) -> str:
    start = "def find(session: Session, k, a):\n    q = session.query(User)\n"
    return f"{MODEL}{start}{_lines(text, number)}    return q.all()\n"


def _function(text: str) -> str:
    return f"{MODEL}def find(session: Session, a):\n    {text}\n"


_QUERY = "session.query(User).filter(User.id == {i}).all()"

SHAPES: dict[str, tuple[int, Callable[[int], str]]] = {
    "filters behind ifs": (
        6,
        lambda n: _kept("    if k > {i}:\n        q = q.filter(User.id == {i})\n", n),
    ),
    "filters in try": (
        6,
        lambda n: _kept(
            "    try:\n        q = q.filter(User.id == {i})\n    except E:\n"
            "        q = q.filter(User.id > 0)\n    finally:\n        q = q.distinct()\n",
            n,
        ),
    ),
    "filters in loops": (
        6,
        lambda n: _kept("    for x{i} in a:\n        q = q.filter(User.id == x{i})\n", n),
    ),
    "uses": (8, lambda n: _kept("    print(q.filter(User.id == {i}).all())\n", n)),
    "copies": (
        15,
        lambda n: _kept("", 0).replace(
            "    return q.all()\n",
            "    q0 = q\n" + _lines("    q{j} = q{i}\n", n) + f"    q{n}.all()\n",
        ),
    ),
    "callers of a helper": (
        8,
        lambda n: (
            MODEL
            + "def _add(q):\n    return q.filter(User.id > 0)\n"
            + _lines(
                "def f{i}(session: Session):\n    return _add(session.query(User)).all()\n",
                n,
            )
        ),
    ),
    "a chain of helpers": (
        8,
        lambda n: (
            MODEL
            + _lines("def _f{i}(q):\n    return _f{j}(q.filter(User.id == {i}))\n", n)
            + f"def _f{n}(q):\n    return q\n"
            + "def find(session: Session):\n    return _f0(session.query(User)).all()\n"
        ),
    ),
    "methods in a chain": (
        10,
        lambda n: _function(f"session.query(User){_lines('.filter(User.id == {i})', n)}.all()"),
    ),
    "strings joined by plus": (
        20,
        lambda n: _function(
            f"session.query(User).filter(User.name == {' + '.join(['a'] * n)}).all()"
        ),
    ),
    "functions": (
        10,
        lambda n: MODEL + _lines(f"def f{{i}}(session: Session):\n    {_QUERY}\n", n),
    ),
    "on one line": (10, lambda n: _function(f"x = [{_lines(f'{_QUERY}, ', n)}]")),
    "on the lines of one statement": (
        10,
        lambda n: _function(f"x = [\n{_lines(f'        {_QUERY},{chr(10)}', n)}    ]"),
    ),
    "variables": (
        8,
        lambda n: _function(
            "pass\n"
            + _lines("    q{i} = session.query(User)\n    q{i}.filter(User.id == {i}).all()\n", n)
        ),
    ),
    "handlers": (
        8,
        lambda n: (
            APPLICATION + _lines("@app.on_event('startup')\nasync def s{i}():\n    print({i})\n", n)
        ),
    ),
    "endpoints": (
        8,
        lambda n: (
            APPLICATION
            + _lines("@app.get('/{i}')\nasync def e{i}(x: int = Depends(dep)):\n    return x\n", n)
        ),
    ),
    "dependencies of dependencies": (
        8,
        lambda n: (
            APPLICATION
            + "def d0():\n    return 1\n"
            + _lines("def d{j}(x: int = Depends(d{i})):\n    return x\n", n)
        ),
    ),
}


def _run(text: str) -> api.Report:
    options = api.Options(
        settings=Settings(
            target_version="py311",
            unsafe_fixes=True,
            target={"sqlalchemy": "2.0", "fastapi": "0.115"},
        ),
        isolated=True,
        jobs=1,
        use_cache=False,
    )
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        (root / "case.py").write_text(text)
        return api.run([root], options)


@pytest.fixture(scope="module", autouse=True)
def _warm():
    """Do what is done once in a process: imports, rules, what libraries know."""
    for _, shape in SHAPES.values():
        _run(shape(2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.sampled(4)
def test_steps_grow_with_the_size_of_the_file(shape):
    size, text = SHAPES[shape]
    one, two, four = (steps(lambda n=n: _run(text(size * n))) for n in (1, 2, 4))

    # Linear is 2, quadratic 4; what is done whatever the size falls out.
    assert four - two < 3 * (two - one), (one, two, four)


def _findings(text: str) -> list[tuple[str, str | None, str]]:
    (report,) = _run(text).roots
    assert not report.diagnostics
    return [(one.level, one.reason, one.message) for one in report.findings]


def test_a_query_with_too_many_filters_is_left_with_a_reason_of_its_own():
    (found,) = _findings(SHAPES["filters behind ifs"][1](400))

    assert found[:2] == ("manual", "query-to-select/too-large")
    assert "`q` has 401 values in this function and is read 401 times" in found[2]


def test_a_search_function_with_many_filters_is_rewritten():
    (found,) = _findings(SHAPES["filters behind ifs"][1](80))
    assert found[:2] == ("safe", None)


def test_code_that_is_too_large_for_libcst_is_left_with_a_reason_of_its_own():
    values = ", ".join(["1"] * 50_000)
    (found,) = _findings(_function(f"session.query(User).filter(User.id.in_([{values}])).all()"))

    assert found[:2] == ("manual", "engine/too-large")
    assert "it has 150 kB, and awaken rewrites no more than 100 kB as one" in found[2]


def test_a_site_beside_a_large_value_on_its_line_is_rewritten():
    values = ", ".join(["1"] * 50_000)
    (found,) = _findings(_function(f"x = [{values}], session.query(User).all()"))
    assert found[:2] == ("safe", None)


def test_a_chain_that_is_nested_too_deeply_is_left_without_a_diagnostic():
    (found,) = _findings(SHAPES["methods in a chain"][1](170))
    assert found[:2] == ("manual", "engine/too-large")
