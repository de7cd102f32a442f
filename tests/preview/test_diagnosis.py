from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from awaken.engine.diagnosing.diagnosis import (
    Diagnosis,
    ExcludedGroup,
    FoundDriver,
    Library,
    Machine,
    Remark,
    Repository,
    RootDiagnosis,
    RuleStatus,
    Severity,
)
from awaken.engine.formatting.formatter import Declared, Formatting
from awaken.knowledge.ecosystem import drivers
from awaken.preview.choices import Color
from awaken.preview.console.console import make_console
from awaken.preview.documents.diagnosis_document import diagnosis_document
from awaken.preview.terminal.doctor_page import print_diagnosis
from awaken.settings import Resolved
from awaken.settings.model import PathOverride
from awaken.workspace.ignores import DEFAULT_EXCLUDE, PathPatterns
from awaken.workspace.manifests.manifest_declarations import Declaration
from awaken.workspace.manifests.project_marks import Marker
from awaken.workspace.manifests.publication import Publication
from awaken.workspace.manifests.pytest_setup import AsyncPlugin, PytestSetup

TOP = Path("/program")
ADVICE = Remark(Severity.ADVICE, "sqlalchemy is not declared", "Declare it.")
ERROR = Remark(Severity.ERROR, "is not valid TOML", path="pyproject.toml", line=3)


def declared(specifier, line=6, path="pyproject.toml", *, locked=False):
    return Declaration(path, line, specifier, locked)


def library(name, specifier, origin="pyproject.toml", *statements, assumed=False):
    return Library(name, specifier, origin, assumed, statements)


def make_root(**given):
    usual = {
        "root": TOP,
        "lone": False,
        "marker": Marker("pyproject.toml", 1, "[project]"),
        "settings": Resolved(root=TOP, rules=("query-to-select",)),
        "files": 12,
        "selected": 12,
        "excluded": (),
        "nested": (),
        "publication": Publication(False, "calls setup()", "setup.py", 3),
        "python": library("python", ">=3.11", "pyproject.toml", declared(">=3.11", 4)),
        "libraries": (library("sqlalchemy", "", ""),),
        "drivers": (),
        "formatting": Formatting((), 88, "black's default; nothing is declared"),
        "tests": PytestSetup(uses_pytest=False, pytest=(), settings="", plugins=()),
        "repository": None,
        "rules": (RuleStatus("query-to-select", runs=True, why=""),),
        "passes": (),
        "pending": "",
        "undoable": 0,
    }
    return RootDiagnosis(**{**usual, **given})


def make(*roots, remarks=()):
    machine = Machine(
        awaken="0.1.0",
        python="CPython 3.12.1",
        executable="/bin/python",
        platform="Linux",
        packages={"libcst": "1.8"},
        processes=2,
        processes_origin="one per core",
        state=Path("/state"),
        cache=None,
    )
    return Diagnosis(machine, roots, remarks)


def printed(diagnosis, *, every=False):
    stream = io.StringIO()
    print_diagnosis(diagnosis, make_console(stream, Color.NEVER), TOP.parent, every=every)
    return stream.getvalue().splitlines()


def rows(diagnosis, label, *, every=False):
    """Return what stands behind ``label``, row by row."""
    found, inside = [], False
    for line in printed(diagnosis, every=every):
        head, body = line[2:14].strip(), line[14:]
        inside = head == label or (inside and not head and bool(body))
        found += [body] if inside else []
    return found


def test_the_machine_comes_first_and_a_sentence_last():
    lines = printed(make(make_root()))

    assert lines[0] == "awaken 0.1.0 on CPython 3.12.1"
    assert "  Processes   2 (one per core)" in lines
    assert "  Cache       not used (--no-cache)" in lines
    assert "── program ──" in lines
    assert "  Root        /program (pyproject.toml:1, [project])" in lines
    assert lines[-1] == "1 project; nothing to act on."


@pytest.mark.parametrize(
    ("one", "row"),
    [
        (
            library("sqlalchemy", ">=2.0", "pyproject.toml", declared(">=2.0")),
            "sqlalchemy >=2.0 (pyproject.toml:6)",
        ),
        (
            library(
                "sqlalchemy",
                "==2.0.36",
                "pyproject.toml, uv.lock",
                declared(">=2.0"),
                declared("==2.0.36", 90, "uv.lock", locked=True),
            ),
            "sqlalchemy ==2.0.36 (uv.lock:90, pyproject.toml:6 says >=2.0)",
        ),
        (
            library(
                "sqlalchemy",
                ">=1.4",
                "a.txt, b.txt, c.txt",
                declared(">=1.4", 0, "a.txt"),
                declared(">=1.4", 2, "b.txt"),
                declared(">=1.4", 3, "c.txt"),
                declared("any version", 4, "d.txt"),
            ),
            "sqlalchemy >=1.4 (a.txt, b.txt:2 and c.txt:3, d.txt:4 names no version)",
        ),
        (
            library("sqlalchemy", "==2.0.*", "--target sqlalchemy=2.0", declared(">=1.4")),
            "sqlalchemy ==2.0.* (--target sqlalchemy=2.0; pyproject.toml:6 says >=1.4)",
        ),
        (
            library(
                "sqlalchemy",
                ">=2.1",
                "pyproject.toml names no version: current versions",
                declared("any version"),
                assumed=True,
            ),
            "sqlalchemy >=2.1 (assumed: pyproject.toml:6 names no version)",
        ),
        (
            library("sqlalchemy", "==2.0.4", "installed in .venv"),
            "sqlalchemy ==2.0.4 (installed in .venv)",
        ),
    ],
)
def test_a_library_says_which_file_says_what(one, row):
    assert rows(make(make_root(libraries=(one,))), "Libraries") == [row]


def test_libraries_stand_in_columns_and_absent_ones_in_one_row():
    libraries = (
        library("fastapi", "==0.115", "pyproject.toml", declared("==0.115", 5)),
        library("flask-appbuilder", "", ""),
        library("sqlalchemy", ">=2", "pyproject.toml", declared(">=2")),
        library("sqlmodel", "", ""),
    )

    assert rows(make(make_root(libraries=libraries)), "Libraries") == [
        "fastapi    ==0.115 (pyproject.toml:5)",
        "sqlalchemy >=2     (pyproject.toml:6)",
        "not declared: flask-appbuilder, sqlmodel",
    ]


def test_whether_others_import_from_it_is_said_with_its_place():
    package = Publication(published=True, why="calls setup()", path="setup.py", line=3)
    chosen = Publication(published=True, why="the option --published")
    application = Publication(published=False, why="has no build settings")

    shown = [
        rows(make(make_root(publication=one)), "Published")
        for one in (package, chosen, application)
    ]

    assert shown == [
        ["yes: it calls setup() (setup.py:3)"],
        ["yes (the option --published)"],
        ["no: it has no build settings"],
    ]


def test_a_python_that_nobody_declares_is_assumed():
    python = library("python", ">=3.11", "nothing declared: current versions", assumed=True)

    assert rows(make(make_root(python=python)), "Python") == [
        "/bin/python",
        ">=3.11 (assumed: nothing is declared)",
    ]


def test_what_is_left_out_is_named_up_to_a_point():
    names = tuple(f"d{number}" for number in range(6))
    group = ExcludedGroup("default", 0, 6, names)
    root = make_root(
        selected=3,
        excluded=(ExcludedGroup(".gitignore", 2, 1, ("gen",)), group),
        nested=(TOP / "b", TOP / "a"),
    )

    assert rows(make(root), "Files") == [
        "12 Python files, 3 of them in the selected paths",
        "1 directory and 2 Python files left out by .gitignore: gen",
        "6 directories left out by default: d0, d1, d2, d3 and 2 more",
        "2 projects inside: a, b",
    ]
    assert "d0, d1, d2, d3, d4, d5" in rows(make(root), "Files", every=True)[2]


def test_settings_that_somebody_made_are_shown_with_their_origin():
    settings = Resolved(
        root=TOP,
        rules=("query-to-select",),
        unsafe_fixes=True,
        exclude=(PathPatterns(DEFAULT_EXCLUDE), PathPatterns(("gen",))),
        overrides=(PathOverride(paths=(PathPatterns(("tests/",)),), origin="pyproject.toml"),),
        origins={"unsafe-fixes": "the command line", "extend-exclude": "pyproject.toml"},
        files=(TOP / "pyproject.toml",),
    )

    assert rows(make(make_root(settings=settings)), "Settings") == [
        "program/pyproject.toml",
        "unsafe-fixes = true (the command line)",
        'exclude = the default and ["gen"] (extend-exclude: pyproject.toml)',
        "overrides for tests/ (pyproject.toml)",
    ]
    assert rows(make(make_root()), "Settings") == ["the defaults (no settings file)"]
    assert "force-exclude = false (default)" in rows(make(make_root()), "Settings", every=True)


def test_a_driver_says_how_it_is_used():
    psycopg = next(one for one in drivers() if one.distribution == "psycopg")
    found = FoundDriver("psycopg", psycopg, library("psycopg", ">=3", "x", declared(">=3")))

    assert rows(make(make_root(drivers=(found,))), "Drivers") == [
        "psycopg >=3 (sync and async, postgresql+psycopg://; pyproject.toml:6)"
    ]


def test_of_two_formatters_the_one_that_is_there_is_used():
    black = Declared("black", "[tool.black] in pyproject.toml", "")
    ruff = Declared("ruff", "ruff.toml", "/bin/ruff")
    root = make_root(formatting=Formatting((black, ruff), 100, "ruff.toml"))

    assert rows(make(root), "Formatter") == [
        "black ([tool.black] in pyproject.toml; not on PATH)",
        "ruff (ruff.toml; /bin/ruff)",
        "lines up to 100 characters (ruff.toml)",
    ]
    both = (Declared("black", "x", "/bin/black"), ruff)
    assert rows(make(make_root(formatting=Formatting(both, 88, "y"))), "Formatter")[:2] == [
        "black (x; /bin/black)",
        "ruff (ruff.toml; not used: awaken uses the one above)",
    ]


def test_tests_say_the_mode_and_where_it_is_set():
    plugin = AsyncPlugin(
        "pytest-asyncio", (declared(">=0.23"),), "auto", "asyncio_mode in pytest.ini"
    )
    statements = (declared(">=8"), declared("==8.3.1", 9, "uv.lock", locked=True))
    tests = PytestSetup(
        uses_pytest=True, pytest=statements, settings="pytest.ini", plugins=(plugin,)
    )

    assert rows(make(make_root(tests=tests)), "Tests") == [
        "pytest         ==8.3.1 (settings: pytest.ini; uv.lock:9, pyproject.toml:6 says >=8)",
        "pytest-asyncio >=0.23  (auto mode, asyncio_mode in pytest.ini; pyproject.toml:6)",
    ]
    facts = PytestSetup(
        uses_pytest=True,
        pytest=(),
        settings="",
        plugins=(plugin,),
        test_paths=("tests", "more"),
        fixture_loop_scope="session",
        test_loop_scope="module",
    )
    assert rows(make(make_root(tests=facts)), "Tests")[1:] == [
        "looked for in tests, more (testpaths)",
        "pytest-asyncio >=0.23 (auto mode, asyncio_mode in pytest.ini; pyproject.toml:6)",
        "event loop of fixtures: one per session",
        "event loop of tests: one per module",
    ]
    bare = PytestSetup(uses_pytest=True, pytest=(), settings="", plugins=())
    assert rows(make(make_root(tests=bare)), "Tests") == [
        "pytest",
        "no plugin for coroutine tests is declared",
    ]


def test_a_repository_is_said_once():
    repository = Repository(TOP, 2, 1)
    roots = make_root(repository=repository), make_root(root=TOP / "a", repository=repository)

    assert rows(make(*roots), "Git") == ["2 changed, 1 untracked (repository of this directory)"]
    assert rows(make(make_root(repository=Repository(Path("/"), 0, 0))), "Git") == [
        "clean (repository /)"
    ]


def test_what_can_be_taken_back_is_said():
    assert rows(make(make_root()), "Undo") == []
    assert rows(make(make_root(undoable=2)), "Undo") == ["2 applies to take back"]
    assert rows(make(make_root(pending="x")), "Undo") == ["an apply stopped half way (see below)"]


def test_a_rule_that_is_off_says_why():
    rules = (
        RuleStatus("one", runs=True, why=""),
        RuleStatus("three", runs=False, why="ignored by pyproject.toml"),
        RuleStatus("four", runs=True, why="rewrites nothing: it needs x"),
    )

    assert rows(make(make_root(rules=rules)), "Rules", every=True) == [
        "one   runs",
        "three off: ignored by pyproject.toml",
        "four  finds sites, rewrites none: see below",
    ]
    assert rows(make(make_root(rules=rules)), "Rules") == [
        "1 runs: one",
        "1 finds sites, rewrites none (see below): four",
        "1 off (ignored by pyproject.toml): three",
    ]


def test_rules_that_are_off_are_counted_and_a_few_named():
    rules = tuple(RuleStatus(f"r{at}", runs=at < 6, why="" if at < 6 else "x") for at in range(15))

    assert rows(make(make_root(rules=rules)), "Rules") == [
        "6 run: r0, r1, r2, r3, r4, r5",
        "9 off (x): r6, r7, r8, r9 and 5 more",
    ]


def test_what_is_the_same_for_many_programs_is_told_of_the_first():
    advice = Remark(Severity.ADVICE, "it is old")
    error = Remark(Severity.ERROR, "it is broken")
    roots = [
        make_root(root=TOP / name, files=1, remarks=(advice, error), undoable=name == "c")
        for name in "abcd"
    ]
    lines = printed(make(*roots))

    assert sum("Libraries  " in line for line in lines) == 1
    assert sum("it is old" in line for line in lines) == 1
    assert sum("it is broken" in line for line in lines) == 4
    others = [line for line in lines if line.startswith("  Same")]
    assert len(others) == 3
    assert all(line.endswith(f", 1 of advice: as in {TOP.name}/a") for line in others)
    # What differs is told where it does.
    assert sum(line.startswith("  Undo") for line in lines) == 1
    assert sum("Libraries  " in line for line in printed(make(*roots), every=True)) == 4


def test_a_directory_without_python_says_little():
    labels = {line[2:14].strip() for line in printed(make(make_root(files=0, selected=0)))}

    assert {"Root", "Files", "Git"} <= labels
    assert not labels & {"Libraries", "Rules", "Tests"}


def test_what_to_act_on_stands_out_with_what_to_do():
    found = make(
        make_root(remarks=(ERROR, ADVICE)), remarks=(Remark(Severity.ERROR, "no", "", "x"),)
    )

    lines = printed(found)

    assert "  error: program/pyproject.toml:3: is not valid TOML" in lines
    at = lines.index("  advice: sqlalchemy is not declared")
    assert lines[at + 1] == "          Declare it."
    assert "  error: x: no" in lines
    assert lines[-1] == "1 project; 2 errors and 1 of advice."


@pytest.mark.parametrize("width", [40, 80, 160])
def test_on_a_terminal_no_row_is_wider_than_it(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    long = library("flask-sqlalchemy", ">=2,<4", "a", *(declared(">=2", n) for n in range(9)))
    stream = io.StringIO()
    console = make_console(stream, Color.ALWAYS)
    root = make_root(libraries=(long,), remarks=(ADVICE,))

    print_diagnosis(make(root), console, Path("/"), every=True)

    assert "\x1b[" in stream.getvalue()
    rows_of_text = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()
    assert max(map(len, rows_of_text)) <= width


def test_a_note_stands_beside_its_value_where_there_is_room(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    one = library("sqlalchemy", ">=2.0.1,<2.2", "a.txt", declared(">=2.0.1,<2.2", 6, "a.txt"))

    def shown(width):
        monkeypatch.setenv("COLUMNS", str(width))
        stream = io.StringIO()
        console = make_console(stream, Color.ALWAYS)
        print_diagnosis(make(make_root(libraries=(one,))), console, Path("/"), every=False)
        return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()

    assert "  Libraries   sqlalchemy >=2.0.1,<2.2 (a.txt:6)" in shown(47)
    at = shown(46).index("  Libraries   sqlalchemy >=2.0.1,<2.2")
    assert shown(46)[at + 1] == "                (a.txt:6)"


def test_control_characters_of_a_project_do_not_act():
    root = make_root(marker=Marker("pyproject.toml", 1, "[\x1b[31m]"))

    assert "\x1b" not in "\n".join(printed(make(root)))


def test_the_document_has_every_part_with_paths_from_here():
    psycopg = next(one for one in drivers() if one.distribution == "psycopg")
    root = make_root(
        nested=(TOP / "a",),
        drivers=(FoundDriver("psycopg", psycopg, library("psycopg", ">=3")),),
        repository=Repository(TOP, 1, 2),
        formatting=Formatting((Declared("ruff", "ruff.toml", "/bin/ruff"),), 88, "x"),
        remarks=(ERROR, ADVICE),
    )

    found = json.loads(diagnosis_document(make(root), TOP.parent))

    assert found["version"] == 1
    assert found["machine"]["packages"] == {"libcst": "1.8"}
    assert found["machine"]["cache"] is None
    (one,) = found["roots"]
    assert (one["path"], one["nested"]) == ("program", ["program/a"])
    assert one["git"] == {"top": "program", "changed": 1, "untracked": 2}
    assert one["formatter"]["chosen"] == "ruff"
    assert one["drivers"][0]["async_urls"] == ["postgresql+psycopg"]
    assert one["settings"]["select"] == {"value": ["query-to-select"], "origin": None}
    assert one["python"]["declared"][0] == {
        "path": "pyproject.toml",
        "line": 4,
        "specifier": ">=3.11",
        "locked": False,
    }
    assert [remark["path"] for remark in one["remarks"]] == ["program/pyproject.toml", ""]
    assert found["summary"] == {"roots": 1, "errors": 1, "advice": 1}
