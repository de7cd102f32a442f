"""The limits of awaken's own source fail where the source is worse than they allow."""

import importlib
from pathlib import Path

import pytest

FUNCTIONS = """

def f():
    one = 1
    return one


def g():
    pass
"""
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def house(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("house")


def package(directory, **modules):
    directory.mkdir()
    for name, text in modules.items():
        (directory / f"{name}.py").write_text(text + FUNCTIONS)
    return directory


@pytest.mark.parametrize(
    ("modules", "files"),
    [
        ({"a": "from p import b", "b": "from p.c import f", "c": "import ast"}, 0),
        ({"a": "from p import b", "b": "from p.c import f", "c": "import p.a"}, 3),
        (
            {
                "a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.b import f",
                "b": "from p.a import f",
            },
            2,
        ),
    ],
    ids=["a line", "a circle of three", "a circle through an import for typing"],
)
def test_files_that_import_each_other_are_counted(house, tmp_path, modules, files):
    figures = house.measured(package(tmp_path / "p", **modules)).figures
    assert figures["files in circles"] == figures["parts in circles"] == files
    assert figures["names `one`, percent of assignments"] == 100


@pytest.mark.parametrize(("imported", "folders"), [("p.b", 2), ("p.a.inside", 0)])
def test_folders_are_in_a_circle_unless_the_outer_one_holds_the_other(
    house, tmp_path, imported, folders
):
    package(tmp_path / "p", __init__="")
    package(tmp_path / "p/a", __init__="", first=f"import {imported}.other\n")
    package(tmp_path / "p/b", __init__="", other="import p.a.first\n")
    package(tmp_path / "p/a/inside", __init__="", other="import p.a.first\n")
    assert house.measured(tmp_path / "p").figures["folders in circles"] == folders


def test_a_figure_beyond_its_limit_is_one_sentence(house):
    limits = {"at_most": {"lines": 10, "modules": 2}, "at_least": {"comments": 3}}
    assert house.broken({"lines": 10, "modules": 2, "comments": 3}, limits) == []
    assert house.broken({"lines": 11, "modules": 1, "comments": 2.5}, limits) == [
        "lines: 11, and at most 10 are allowed",
        "comments: 2.5, and at least 3 are needed",
    ]


def test_every_limit_names_a_figure(house, tmp_path):
    figures = house.measured(package(tmp_path / "p", a="")).figures
    limits = house.tomllib.loads(house.LIMITS.read_text())
    assert {*limits["at_most"], *limits["at_least"]} <= set(figures)
