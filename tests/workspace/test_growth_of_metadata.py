"""What reading metadata costs: twice the file, about twice the steps.

Calls are counted at n, 2n and 4n. What a regular expression goes through is no call; so each shape
is also read at a size whose square takes hours: a reader that needs it would never end.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest
from all_readers import read_everything

from awaken.contract import UserError
from awaken.engine.baseline import read_baseline
from awaken.engine.manifests.requirement_lists import CannotAdd
from awaken.engine.manifests.toml_table import toml_list
from awaken.settings.settings_files import found_layer
from awaken.workspace.formats.toml_text import NotToml, line_of, parse_toml
from awaken.workspace.sources import Undecodable, decode
from awaken.workspace.suppressions import suppressions_in

PROJECT = "[project]\nname = 'x'\n"
HOURS = 150_000


def lines(text):
    return lambda n: text * n


SHAPES = {
    "E6, blank lines of a hook file": (".pre-commit-config.yaml", lines("\n")),
    "E6, blank lines of a manifest": ("pyproject.toml", lambda n: "\n" * n + PROJECT),
    "E6, blank lines of requirements": ("requirements.txt", lines("\n")),
    "blanks in a line of hooks": (".pre-commit-config.yaml", lambda n: " " * n + "id" + " " * n),
    "blanks in a line of requirements": ("requirements.txt", lambda n: "a" + " " * n + "b"),
    "blanks before a comment": ("requirements.txt", lambda n: "a" + "\t" * n + "#" * n),
    "lines that go on": ("requirements.txt", lines("\\\n")),
    "options of one requirement": ("requirements.txt", lambda n: "a" + " --hash=x" * n),
    "requirements": ("requirements.txt", lambda n: "".join(f"a{i}>=1\n" for i in range(n // 8))),
    "ranges of one distribution": (
        "requirements.txt",
        lambda n: "".join(f"a>={i}\n" for i in range(n // 8)),
    ),
    "alternatives of one distribution": (
        "requirements.txt",
        lambda n: "".join(f"a=={i}; os_name=='nt'\n" for i in range(n // 80)),
    ),
    "one number": ("requirements.txt", lambda n: "a==" + "9" * n),
    "parentheses of a marker": ("requirements.txt", lambda n: "a;" + "(" * n),
    "E7, one dotted key": ("pyproject.toml", lambda n: "a." * n + "a = 1"),
    "many dotted keys": (
        "pyproject.toml",
        lambda n: "".join(f"k{i}" + ".a" * 30 + " = 1\n" for i in range(n // 300)),
    ),
    "a dotted header": ("pyproject.toml", lambda n: "[" + "a." * n + "a]"),
    "nested lists": ("pyproject.toml", lambda n: "a = " + "[" * n),
    "quotes": ("pyproject.toml", lambda n: "a = [" + "\"'" * n),
    "names that a line looks for": (
        "pyproject.toml",
        lambda n: PROJECT + "x = '" + '"sqlalchemy["' * n,
    ),
    "poetry's alternatives": (
        "pyproject.toml",
        lambda n: "[tool.poetry.dependencies]\na = [" + "'>=1||>=2||>=3', " * (n // 20) + "]",
    ),
    "blanks of an INI line": ("setup.cfg", lambda n: "[options]\na" + " " * n + "b"),
    "faulty INI lines": ("tox.ini", lambda n: "[flake8]\n" + "x\n" * n),
    "lines of an INI value": (
        "setup.cfg",
        lambda n: "[options]\ninstall_requires =\n" + " a\n" * n,
    ),
    "references": (
        "setup.cfg",
        lambda n: "[options]\ninstall_requires=%(a)s\na=" + "%(b)s" * n + "\nb=" + "%(c)s" * n,
    ),
    "packages of a lock": ("uv.lock", lines('[[package]]\nname = "a"\nversion = "1.2"\n\n')),
    "lists in a lock": ("Pipfile.lock", lines("[")),
    "digits": (".python-version", lines("3")),
    "blank environment": (".venv/pyvenv.cfg", lines("version\n\n")),
    "stars": (".gitignore", lambda n: "*a" * n + "b\n"),
    "patterns of stars": (".gitignore", lambda n: ("*a" * 20 + "*b\n") * (n // 400)),
    "stars in directories": (".gitignore", lambda n: ("/**/a" * 20 + "\n") * (n // 100)),
}


OF_SECONDS = {"lines of an INI value", "overrides", "packages of a lock", "poetry's alternatives"}
"""They take as long as all others together."""


def rarely(shapes):
    """Return the parameters of a test, of which those that take seconds are slow."""
    slow = {True: pytest.mark.slow, False: ()}
    return [pytest.param(one, marks=slow[one in OF_SECONDS]) for one in shapes]


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "root"
    deep = root / ("a" * 200) / "/".join("a" * 60)
    deep.mkdir(parents=True)
    (deep / ("a" * 200 + ".py")).write_text("")
    return root


def steps(work):
    """Return how many calls ``work`` makes, of functions in Python or in C."""
    counted = 0

    def count(_frame, event, _argument):
        nonlocal counted
        counted += event.endswith("call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def about_linear(few, more, most):
    """Whether four times the size takes about four times the steps.

    The last number is for shapes that a limit cuts off somewhere in between; the square of the
    smallest size is a hundred times more.
    """
    return most <= 2.4 * more or most <= 4.8 * few + 30_000


def write(root, name, text):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize("shape", rarely(SHAPES))
@pytest.mark.sampled(4)
def test_metadata_cost_about_what_they_are_long(root, shape):
    name, text = SHAPES[shape]
    read_everything(root)  # what is kept from the first time on
    counts = []
    for size in (2_000, 4_000, 8_000):
        write(root, name, text(size))
        counts.append(steps(lambda: read_everything(root)))

    assert about_linear(*counts), counts


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_metadata_whose_square_takes_hours_are_read(root, shape):
    name, text = SHAPES[shape]
    whole = text(HOURS)[: 6 * HOURS]
    write(root, name, whole)

    assert len(read_everything(root)) <= 2


SETTINGS = {
    "one dotted key": lambda n: "a." * n + "a = 1",
    "elements": lambda n: "select = [\n" + "'sqlalchemy',\n" * n + "1]",
    "keys": lambda n: "".join(f"k{i} = 1\n" for i in range(n)),
    "overrides": lambda n: "[[overrides]]\npaths = ['a']\n" * n + "x = 1",
    "steps up": lambda n: "exclude = ['" + "../" * n + "']",
    "one long value": lambda n: "x = '''" + "\n" * n + "'''",
}


def settings_layer(root):
    with suppress(UserError):
        found_layer(root / "awaken.toml", "awaken.toml", ())


@pytest.mark.parametrize("shape", rarely(SETTINGS))
@pytest.mark.sampled(4)
def test_settings_cost_about_what_they_are_long(root, shape):
    counts = []
    for size in (1_000, 1_000, 2_000, 4_000):
        write(root, "awaken.toml", SETTINGS[shape](size))
        counts.append(steps(lambda: settings_layer(root)))
    write(root, "awaken.toml", SETTINGS[shape](HOURS // 6))
    settings_layer(root)

    assert about_linear(*counts[1:]), counts


@pytest.mark.parametrize("deep", [True, False])
def test_the_line_of_a_value_is_found_in_one_pass(deep):
    def text(n):
        return "a = [\n" + ("[1,\n" * 100 + "]" * 100 + ",\n" if deep else "1,\n") * n + "]"

    counts = [steps(lambda n=n: line_of(text(n), ("a", n - 1))) for n in (20, 20, 40, 80)]

    assert about_linear(*counts[1:]), counts
    assert line_of("a = [\n" + "1,\n" * HOURS + "]", ("a", HOURS - 1)) == HOURS + 1


@pytest.mark.parametrize("text", ['{"version":1,"sites":[{},', "[", '{"a":', "\n", '{"sites":['])
def test_a_baseline_costs_about_what_it_is_long(root, text):
    file = root / "baseline.json"

    def read():
        with pytest.raises(UserError):
            read_baseline(file, root)

    counts = []
    for size in (1_000, 1_000, 2_000, 4_000, HOURS):
        file.write_text(text * size + "x")
        counts.append(steps(read))

    assert about_linear(*counts[1:4]), counts


@pytest.mark.parametrize("text", ["# awaken: " + " " * HOURS + "x", "# awaken: ignore[" * HOURS])
def test_a_comment_is_searched_in_one_pass(text):
    assert suppressions_in(decode("a.py", f"{text}\nx = 1\n".encode())) is not None


E10 = ("punycode", "idna", "utf_7", "unicode_escape", "rot13", "hex", "zlib", "undefined")


@pytest.mark.parametrize("cookie", E10)
def test_a_codec_that_no_source_has_costs_nothing(cookie):
    def refused(size):
        with pytest.raises(Undecodable):
            decode("a.py", f"# coding: {cookie}\n".encode() + b"x" * size)

    counts = [steps(lambda n=n: refused(n)) for n in (1_000, 1_000, 2_000, 4_000)]
    refused(4_000_000)

    assert len(set(counts[1:])) == 1


@pytest.mark.parametrize("text", ["a." * HOURS, "\"'" * HOURS, "[" * HOURS, "a\n" * HOURS])
def test_what_is_no_toml_is_refused_at_once(text):
    with pytest.raises(NotToml):
        parse_toml(text)
    with pytest.raises(CannotAdd):
        toml_list(text, None)
