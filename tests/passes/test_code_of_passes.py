"""What runs of a project is the source that the user has seen: the code itself is run here."""

from __future__ import annotations

import importlib.util
import marshal
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from awaken import cli
from awaken.engine.machine import foreign_code
from awaken.engine.machine.foreign_code import ForeignCode
from awaken.passes.protocol import Failed, Item, Setup

SETTINGS = """
[project]
name = "shop"

[[tool.awaken.pass]]
libcst = "codemods.marks.Marks"
name = "marks"
paths = ["a.py"]

[[tool.awaken.pass]]
bowler = "scripts/fix.py"
name = "fix"
paths = ["a.py"]
"""
MARKS = """
import libcst as cst
from libcst.codemod import CodemodCommand

from codemods.plain.deep import MARK
from . import helpers

try:
    from codemods import optional
except ImportError:
    optional = None


class Marks(CodemodCommand):
    DESCRIPTION = "marks"

    def transform_module_impl(self, tree):
        return tree.with_changes(body=[*tree.body, cst.parse_statement(helpers.line(MARK))])
"""
FIX = """
import scripted
from bowler import Query

def main():
    Query().select_function(scripted.OLD).rename("new").write()
"""
FILES = {
    "pyproject.toml": SETTINGS,
    "codemods/__init__.py": "",
    "codemods/marks.py": MARKS,
    "codemods/helpers.py": "def line(mark): return f'marked = {mark}'\n",
    "codemods/plain/deep.py": "MARK = 1\n",  # a package without `__init__`
    "scripts/fix.py": FIX,
    "scripts/scripted.py": "OLD = 'old'\n",
    "a.py": "old()\n",
}
EVIL = "open({!r}, 'w').close()\nOLD = MARK = 'evil'\ndef line(mark): return 'evil = 1'\n"
CACHED = f"__pycache__/{{}}.{sys.implementation.cache_tag}.pyc"
EXTENSION = next(one for one in importlib.machinery.EXTENSION_SUFFIXES)
MARKED = "new()\nmarked = 1\n"
RUN = ["apply", "--unsafe-fixes", "--allow-dirty", "-q", "--select", "marks,fix"]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    root = tmp_path / "shop"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / ".git").mkdir()
    (tmp_path / "traces").mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    return root


@pytest.fixture
def evil(tmp_path):
    """Return a source that leaves a trace."""
    return lambda name: EVIL.format(str(tmp_path / "traces" / name.replace("/", "-")))


def traces(root):
    return sorted(one.name for one in (root.parent / "traces").iterdir())


def plant_bytecode(root, evil):
    """Put bytecode of every kind beside the source of modules, which its source does not mean."""
    head = importlib.util.MAGIC_NUMBER
    for path in (one for one in FILES if one.endswith(".py") and "/" in one):
        source = root / path
        code = marshal.dumps(compile(evil(path), path, "exec"))
        times = struct.pack("<LLL", 0, int(source.stat().st_mtime), source.stat().st_size)
        hashed = importlib.util.source_hash(source.read_bytes())
        kind = {
            "codemods/__init__.py": times,
            "codemods/helpers.py": struct.pack("<L", 3) + hashed,  # it is checked, and right
        }.get(path, struct.pack("<L", 1) + b"unasked!")  # it is not looked at
        place = source.parent / CACHED.format(source.stem)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(head + kind + code)
    sourceless = head + struct.pack("<L", 1) + b"unasked!"
    for name in ("optional", "plain/__init__"):
        code = marshal.dumps(compile(evil(name), name, "exec"))
        (root / f"codemods/{name}.pyc").write_bytes(sourceless + code)
    # It comes before the source, and fails where it is loaded.
    (root / f"codemods/helpers{EXTENSION}").write_bytes(b"\x7fELF")


@pytest.mark.parametrize(
    "words",
    [
        [],  # after `awaken trust`
        ["--trust-passes"],
        ["--libcst", "codemods.marks.Marks", "--bowler", "scripts/fix.py"],
    ],
    ids=["trusted", "all", "named"],
)
@pytest.mark.sampled(3)
def test_only_source_runs_of_a_project(shop, evil, words):
    cli.main(["trust", "-q"])
    plant_bytecode(shop, evil)

    cli.main([*RUN, *words])

    assert traces(shop) == []
    assert (shop / "a.py").read_text() == MARKED


def test_what_is_trusted_is_what_runs(shop, evil, monkeypatch):
    """The files are others when the process looks for them."""
    cli.main(["trust", "-q"])
    begun = ForeignCode.__init__

    def swapped(self, setup, jobs=None):
        for path in FILES:
            if path.endswith(".py") and "/" in path:
                (shop / path).write_text(evil(path))
        begun(self, setup, jobs)

    monkeypatch.setattr(foreign_code.ForeignCode, "__init__", swapped)

    cli.main(RUN)

    assert traces(shop) == []
    assert (shop / "a.py").read_text() == MARKED


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("codemods/helpers.py", "def line(mark): return 'evil = 1'\n"),
        ("codemods/plain/deep.py", "MARK = 2\n"),
        ("codemods/plain/__init__.py", ""),
        ("codemods/optional.py", ""),
        ("codemods/optional/__init__.py", ""),
        ("helpers.py", None),
        ("src/codemods/helpers.py", ""),
    ],
)
def test_what_a_codemod_imports_is_trusted_with_it(shop, capsys, path, text):
    cli.main(["trust", "-q"])
    (shop / path).parent.mkdir(parents=True, exist_ok=True)
    (shop / path).write_text(text or "")
    capsys.readouterr()

    cli.main(["check", "--no-cache", "-q", "--select", "E"])
    cli.main(["doctor"])

    # What no import leads to says nothing.
    assert ("not what you trusted any more" in capsys.readouterr().out) is (text is not None)


YAML = [
    'modules: ["\\x65vil"]\n',
    'modules: ["\\u0065vil"]\n',
    'modules: ["ev\\\n  il"]\n',
    'modules: !!python/tuple ["evil"]\n',
    'a: &a "\\145vil"\nb: "ev\\x69l"\nmodules: ["\\U00000065vil", "evil"]\n',
]


@pytest.mark.parametrize("settings", YAML)
@pytest.mark.sampled(4)
def test_settings_of_libcst_hide_no_module(shop, evil, settings):
    (shop / "pyproject.toml").write_text(SETTINGS.replace("codemods.marks.Marks", "Marks"))
    (shop / ".libcst.codemod.yaml").write_text(settings)
    (shop / "evil.py").write_text(MARKS)
    cli.main(["trust", "-q"])
    (shop / "evil.py").write_text(f"{evil('evil')}class Marks: ...\n")

    cli.main(RUN)

    assert traces(shop) == []


DYNAMIC = """
import importlib
importlib.import_module("codemods." + "late")
from codemods.marks import Marks
"""


def test_an_import_that_nobody_sees_is_not_trusted(shop, evil, capsys):
    (shop / "codemods/dynamic.py").write_text(DYNAMIC)
    (shop / "codemods/late.py").write_text(evil("late"))
    (shop / "pyproject.toml").write_text(SETTINGS.replace("codemods.marks", "codemods.dynamic"))
    cli.main(["trust", "-q"])

    cli.main([*RUN[:-1], "marks"])

    said = " ".join(capsys.readouterr().err.split())
    assert traces(shop) == []
    assert f"{shop}/codemods/late.py is not among what you trusted" in said
    assert "say --trust-passes to run it" in said
    cli.main([*RUN[:-1], "marks", "--trust-passes"])
    assert traces(shop) == ["late"]


OUTSIDE = """
from bowler import Query

try:
    import colorama
except ImportError:
    pass

def main():
    import tomllib, string
    Query().select_function("old").rename("new").write()
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--libcst", "libcst.codemod.commands.noop.NOOPCommand"],
        ["--libcst", "convert_format_to_fstring.ConvertFormatStringCommand"],
        ["--libcst", "noop.Nothing"],
        ["--bowler", "../fix.py"],
        ["--libcst", "noop.NOOPCommand", "--quiet"],
    ],
)
@pytest.mark.sampled(4)
def test_nothing_of_a_project_runs_that_nobody_named(shop, evil, monkeypatch, capsys, words):
    """Neither in the place of a module of Python, nor of one that a library may do without."""
    for name in {*sys.stdlib_module_names, "colorama", "yaml_ft", "pyre_extensions", "evil"}:
        (shop / f"{name}.py").write_text(evil(name))
    (shop / ".libcst.codemod.yaml").write_text("modules: [evil, tomllib, colorama, yaml_ft]\n")
    (shop.parent / "fix.py").write_text(OUTSIDE)
    # An empty entry means the current directory. Without one, late imports are looked at.
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}.{os.pathsep}src" if "--quiet" in words else "")

    cli.main(["check", "--no-cache", "--unsafe-fixes", *words])

    assert traces(shop) == []
    assert "cannot be loaded" not in capsys.readouterr().err


def test_what_is_installed_comes_before_the_project(shop, evil):
    """And a package of the project does not hide one that the codemod needs."""
    for name in ("libcst/__init__.py", "libcst/codemod/__init__.py", "bowler.py"):
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text(evil(name))

    cli.main([*RUN, "--libcst", "codemods.marks.Marks", "--bowler", "scripts/fix.py"])

    assert traces(shop) == []
    assert (shop / "a.py").read_text() == MARKED


def test_a_directory_that_is_not_utf8_is_one_sentence(shop, capsys, monkeypatch):
    place = shop.parent / os.fsdecode(b"caf\xe9")
    shop.rename(place)
    monkeypatch.chdir(place)

    assert cli.main([*RUN, "--trust-passes"]) == 2

    said = capsys.readouterr().err
    assert "internal error" not in said
    assert "marks: codemods run in directories whose path is UTF-8, and this one's is not" in said


# ----------------------------------------------------------------------------- forks and kills
FORKS = """
import os
from libcst.codemod import CodemodCommand

class Forks(CodemodCommand):
    DESCRIPTION = "forks"

    def transform_module_impl(self, tree):
        os.{0}()
        return tree
"""


@pytest.mark.parametrize("name", ["fork", "forkpty"])
def test_a_codemod_that_forks_is_one_sentence(tmp_path, name):
    (tmp_path / "forks.py").write_text(FORKS.format(name))
    code = ForeignCode(
        Setup(
            kind="libcst",
            target="forks.Forks",
            import_from=(str(tmp_path),),
            root=str(tmp_path),
            files={"a.py": ("a", "")},
        ),
        1,
    )
    try:
        (answer,) = code.answers([Item("a.py", b"x = 1\n")])
    finally:
        code.end()

    assert isinstance(answer, Failed)
    assert "a pass must not start programs, and this one forks its process" in answer.why
    assert "forks.py:9" in answer.why


ENDLESS = """
import os, time
from libcst.codemod import CodemodCommand

class Endless(CodemodCommand):
    DESCRIPTION = "waits"

    def transform_module_impl(self, tree):
        with open({!r}, "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)
"""


def test_nothing_outlives_awaken_that_is_killed(tmp_path):
    trace = tmp_path / "process"
    (root := tmp_path / "shop").mkdir()
    (root / "endless.py").write_text(ENDLESS.format(str(trace)))
    (root / "a.py").write_text("x = 1\n")
    words = [sys.executable, "-m", "awaken", "check", "--libcst", "endless.Endless"]
    process = subprocess.Popen(words, cwd=root, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (trace.exists() and trace.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    number = int(trace.read_text())
    process.kill()
    process.wait()

    while _runs(number) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(number)


def _runs(number):
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


DEEP = """
import libcst as cst
from libcst.codemod import VisitorBasedCodemodCommand

class Deep(VisitorBasedCodemodCommand):
    DESCRIPTION = "visits"

    def leave_Module(self, original_node, updated_node):
        return updated_node.with_changes(body=[*updated_node.body, cst.parse_statement("x = 1")])

class Endless(Deep):
    def leave_Module(self, original_node, updated_node):
        return self.leave_Module(original_node, updated_node)
"""


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("Deep", f"a{'.b' * 380}\n"),
        ("Deep", " = ".join(f"a{n}" for n in range(1000)) + " = 1\n"),
        ("Endless", "a\n"),
    ],
)
@pytest.mark.sampled(3)
def test_what_is_nested_deeply_is_rewritten_or_one_sentence(tmp_path, command, text):
    (tmp_path / "deep.py").write_text(DEEP)
    setup = Setup(
        kind="libcst",
        target=f"deep.{command}",
        import_from=(str(tmp_path),),
        root=str(tmp_path),
        files={"a.py": ("a", "")},
    )
    code = ForeignCode(setup, 1)
    try:
        (answer,) = code.answers([Item("a.py", text.encode())])
    finally:
        code.end()

    if command == "Deep":
        assert answer.content.endswith(b"\nx = 1\n")
    else:
        assert answer.why.startswith("its code is nested too deeply for the codemod: maximum rec")
