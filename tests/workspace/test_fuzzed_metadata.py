"""Whatever stands in a repository's files: no traceback, no lost project, nothing read outside.

Each example is a project with real looking files, all of them mutated, next to a project that is
sound. Files that would hide each other are mutated in different examples.
``AWAKEN_HYPOTHESIS=long`` tries 2,000 mutations of each kind of file.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs

import awaken
from awaken import api
from awaken.engine.diagnosis import Diagnosis
from awaken.engine.report import Report

EXAMPLES = 2_000 if os.environ.get("AWAKEN_HYPOTHESIS") == "long" else 20

PYPROJECT = b"""\
[build-system]
requires = ["hatchling>=1.26"]
[project]
name = "shop"
requires-python = ">=3.9,<4"
dependencies = ["sqlalchemy[asyncio]>=1.4,<3; python_version >= '3.9'", "fastapi~=0.115"]
[project.optional-dependencies]
test = ["pytest>=8", "pytest-asyncio ; sys_platform != 'win32'"]
[dependency-groups]
dev = [{include-group = "test"}, "anyio"]
[tool.poetry.dependencies]
python = "^3.9"
sqlalchemy = {version = "^2.0", extras = ["asyncio"], markers = "os_name == 'posix'"}
[tool.uv.workspace]
members = ["packages/*"]
[tool.setuptools.dynamic]
dependencies = {file = ["requirements.txt"]}
[tool.ruff]
line-length = 100
[tool.black]
line-length = 99
[tool.pytest.ini_options]
addopts = ["--strict-markers", "--asyncio-mode=auto"]
asyncio_mode = "auto"
"""
SETTINGS = b"""\
select = ["query-to-select"]
ignore = []
unsafe-fixes = true
target-version = "3.11"
target = { SQLAlchemy = "2.0", "fast.api" = "0.115" }
exclude = ["old", "gen/**/*.py", "!gen/kept.py"]
respect-gitignore = true
baseline = "known.json"
[[overrides]]
paths = ["vendor", "!vendor/ours.py"]
ignore = ["query-to-select"]
"""
SETUP_CFG = b"""\
[metadata]
name = shop
[options]
python_requires = >=3.9
base = sqlalchemy
install_requires =
    %(base)s>=1.4
    fastapi ; python_version < "4"
[options.extras_require]
test = pytest>=8; coverage
[flake8]
max-line-length = 100
[tool:pytest]
addopts = --asyncio-mode=auto
"""
SETUP_PY = b"""\
from setuptools import setup
needs = ["sqlalchemy>=1.4", 'fastapi; python_version < "4"']
setup(name="shop", python_requires=">=3.9", install_requires=needs,
      extras_require={"test": ("pytest>=8",)})
"""
REQUIREMENTS = b"""\
# what runs
-r base.txt
--constraint=constraints.txt
sqlalchemy[asyncio]==1.4.54 ; python_version < "3.12" \\
    --hash=sha256:0123456789abcdef
fastapi>=0.100,!=0.101.* # a comment
./local  git+https://example.org/x.git#egg=x
"""
PIPFILE = b"""\
[requires]
python_version = "3.11"
[packages]
sqlalchemy = {version = ">=1.4", markers = "sys_platform == 'linux'"}
fastapi = "*"
[dev-packages]
pytest = [{version = "~=8.0"}, ">=7"]
"""
LOCK = b"""\
version = 1
[[package]]
name = "sqlalchemy"
version = "2.0.40"
dependencies = [{ name = "greenlet" }]

[[package]]
name = "fastapi"
version = "0.115.0"
"""
PIPFILE_LOCK = b"""\
{"_meta": {"hash": {"sha256": "00"}, "requires": {"python_version": "3.11"}},
 "default": {"sqlalchemy": {"hashes": ["sha256:0"], "version": "==1.4.54"}},
 "develop": {"pytest": {"version": "==8.3.0"}}}
"""
IGNORE = b"""\
# built
/build/
*.py[cod]
!kept.py
docs/**/gen[!a-z]*.py
a\\ b\\
"""
INI = b"""\
[pytest]
addopts = --strict-markers
    --asyncio-mode=auto
asyncio_mode : auto
[flake8]
max-line-length = 99
"""
HOOKS = b"""\
repos:
  - repo: https://github.com/psf/black
    rev: 24.1.0
    hooks:
      - id: black
        args: ["--line-length=99"]
      - id: 'ruff-format'
"""
BASELINE = b"""\
{"version": 1,
 "sites": [
{"path": "app.py", "rule": "query-to-select", "scope": "everyone", "site": "a1b2c3d4"}
 ]}
"""
SOURCE = b"""\
# -*- coding: latin-1 -*-
from sqlalchemy.orm import Session

# awaken: ignore[nothing] because
def everyone(session: Session, name="\xe9"):
    "Text."
    return session.query(User).filter_by(name=name).all()  # awaken: ignore[query-to-select] why
"""
IN_PYPROJECT = "settings in pyproject.toml"
SEEDS = {
    "pyproject.toml": PYPROJECT,
    IN_PYPROJECT: PYPROJECT + b"[tool.awaken]\n" + SETTINGS.partition(b"[[")[0],
    "awaken.toml": SETTINGS,
    ".awaken.toml": SETTINGS,
    "setup.cfg": SETUP_CFG,
    "setup.py": SETUP_PY,
    "requirements.txt": REQUIREMENTS,
    "requirements/dev.in": REQUIREMENTS,
    "Pipfile": PIPFILE,
    "uv.lock": LOCK,
    "poetry.lock": LOCK,
    "pdm.lock": LOCK,
    "Pipfile.lock": PIPFILE_LOCK,
    ".gitignore": IGNORE,
    "pytest.toml": b"[pytest]\nasyncio_mode = 'auto'\naddopts = ['-q', '--asyncio-mode auto']\n",
    "pytest.ini": INI,
    "tox.ini": INI,
    ".flake8": INI,
    "ruff.toml": b"line-length = 100\n[format]\nquote-style = 'double'\n",
    ".pre-commit-config.yaml": HOOKS,
    "known.json": BASELINE,
    ".python-version": b"3.11.4\n",
    ".venv/pyvenv.cfg": b"home = /usr/bin\nversion = 3.11.4\n",
    "app.py": SOURCE,
    "utf-16.py": SOURCE.replace(b"latin-1", b"utf-8").decode("latin-1").encode("utf-8-sig"),
    "newlines.py": SOURCE.replace(b"\n", b"\r"),
}
GROUPS = {
    "settings": (".awaken.toml", "setup.cfg", "requirements.txt"),
    "plain settings": ("awaken.toml", "setup.py", "pytest.toml", "ruff.toml"),
    "tables": (IN_PYPROJECT, "Pipfile", ".gitignore", ".python-version"),
    "baseline": ("known.json", "tox.ini", ".flake8", ".venv/pyvenv.cfg", "uv.lock"),
    "manifests": (
        *("pyproject.toml", "requirements/dev.in", "poetry.lock", "pdm.lock", "Pipfile.lock"),
        *("pytest.ini", ".pre-commit-config.yaml", "app.py", "utf-16.py", "newlines.py"),
    ),
}
BESIDE = {
    "pyproject.toml": b'[project]\nname = "shop"\ndependencies = ["sqlalchemy"]\n',
    "awaken.toml": b"baseline = 'known.json'\n",
    "known.json": b"",
    "app.py": SOURCE,
}
"""What stands in the project beside the mutated files, unless it is one of them."""

SOUND = {
    "pyproject.toml": b'[project]\nname = "sound"\ndependencies = ["sqlalchemy>=2"]\n',
    "models.py": b"""\
from sqlalchemy import Column, Integer
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


def everyone(session: Session):
    return session.query(User).all()
""",
}

NASTY = (
    *(b"\0", b"\r", b"\n" * 3_000, b"\xef\xbb\xbf", b"\xff\xfe", b"\x80", b"\xc2\xb2", b"\x0c"),
    *(b"[" * 3_000, b"{" * 3_000, b"(" * 3_000, b"a." * 5_000, b"9" * 5_000, b'"', b"'''", b"\\"),
    *(b"/dev/zero", b"/proc/self/environ", b"../../../../etc/passwd", b"~/.ssh/id_rsa", b"a\0b"),
    *(b"file:/etc/passwd", b"-r /etc/passwd\n", b"-r requirements.txt\n", b"-c\n", b"%(base)s"),
    *(b"# coding: punycode\n", b"# coding: utf-7\n", b"# coding: \n", b"**/" * 40, b"[[" * 9),
    *(b"]", b"}", b",", b"=", b":", b"#", b"* " * 500, b" " * 5_000, b"\t", b"\xe2\x80\xae"),
    *(b"=" * 64, b"1e999", b"-1", b"true", b"null", b"99999999999999999999", b"[]", b"{}", b"!"),
    *(b"==1.*.*", b">=" + b"1." * 500, b"===\xc3\xa9", b"^", b"~", b"||" * 100, b"; " * 100),
    b" and ".join([b"(os_name == 'x')"] * 200),
)


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Return ``seed`` with some bytes removed, doubled, moved, or nasty ones put in."""
    text = seed
    for _ in range(chance.choice((1, 1, 2, 4))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 0, 1, 5, 40)))
        kind = chance.randrange(6)
        if kind == 0:
            new = b""
        elif kind == 1:
            new = text[start:end] * 2
        elif kind == 2:
            new = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9)))
        elif kind == 3:
            other = chance.randrange(len(text) + 1)
            new = text[other : other + 30]
        else:
            new = chance.choice(NASTY)
        text = text[:start] + new + text[end:]
    return text


class Audit:
    """Which files are opened outside a directory; a hook can never be taken away again."""

    def __init__(self) -> None:
        self._inside: tuple[str, ...] = ()
        self._outside: list[str] = []
        sys.addaudithook(self._note)

    @contextmanager
    def watching(self, *directories: Path) -> Iterator[list[str]]:
        """Give a list to which everything is added that is opened or listed elsewhere.

        Python's own files and awaken's are not told.
        """
        own = (sys.prefix, sys.base_prefix, *sys.path, awaken.__path__[0], *directories)
        self._inside = (os.devnull, *map(os.path.realpath, own))
        self._outside = []
        try:
            yield self._outside
        finally:
            self._inside = ()

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._inside and event in {"open", "os.listdir", "os.scandir"}:
            place = arguments[0]
            if isinstance(place, (str, bytes)):
                real = os.path.realpath(os.fsdecode(place))
                if not real.startswith(self._inside):
                    self._outside.append(f"{event} {real}")


AUDIT = Audit()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with two projects."""
    top = Path(os.path.realpath(tmp_path_factory.mktemp("fuzzed")))
    (top / ".git").mkdir()
    for name, content in SOUND.items():
        put(top / "sound" / name, content)
    return top


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Where awaken keeps its state, and copies for a formatter."""
    directory = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWAKEN_STATE_DIR", str(directory))
        patch.setattr(tempfile, "tempdir", str(directory))
        yield directory


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def put_hostile(hostile: Path, contents: Mapping[str, bytes]) -> None:
    shutil.rmtree(hostile, ignore_errors=True)
    for beside, text in BESIDE.items():
        # settings of their own would hide those that are mutated
        if beside != "awaken.toml" or not contents.keys() & {".awaken.toml", IN_PYPROJECT}:
            put(hostile / beside, text)
    for kind, content in contents.items():
        put(hostile / ("pyproject.toml" if kind == IN_PYPROJECT else kind), content)


OPTIONS = api.Options(jobs=1, use_cache=False)
RULES = [rule for rule in api.rules() if rule.name == "query-to-select"]
"""One rule is enough: rules read no files."""


def everything(*roots: Path) -> tuple[Diagnosis, Report]:
    return api.doctor(roots, OPTIONS, RULES), api.run(roots, OPTIONS, RULES)


def said_of(root: Path, diagnosis: Diagnosis, report: Report) -> tuple[object, ...]:
    """Return all that is said of one project, but for how long it took."""
    seen = [one for one in diagnosis.roots if one.root == root]
    ran = [structs.replace(one, seconds=0) for one in report.roots if one.root == root]
    return seen, [(one.findings, one.files, one.diagnostics, one.targets) for one in ran]


@pytest.mark.parametrize("group", GROUPS)
def test_a_mutated_file_is_a_diagnostic_at_most(repository, own, group):
    sound, hostile = repository / "sound", repository / "hostile"
    expected = said_of(sound, *everything(sound))
    assert expected[0]
    assert expected[1][0][0]

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], database=None)
    @given(number=st.integers(0, 2**32))
    def search(number):
        chance = random.Random(number)
        put_hostile(hostile, {kind: mutated(SEEDS[kind], chance) for kind in GROUPS[group]})
        with AUDIT.watching(repository, own) as outside:
            diagnosis, report = everything(hostile, sound)

        assert said_of(sound, diagnosis, report) == expected
        assert outside == []
        problems = [*(one.message for one in report.diagnostics), *map(str, diagnosis.remarks)]
        assert [one for one in problems if AWAKENS_FAULT.search(one)] == []

    search()


AWAKENS_FAULT = re.compile(r"internal error|cannot be listed")


def test_every_kind_is_mutated():
    assert sorted(kind for kinds in GROUPS.values() for kind in kinds) == sorted(SEEDS)


def test_a_read_outside_is_seen(repository):
    with AUDIT.watching(repository) as outside:
        (repository / "sound/models.py").read_bytes()
        Path("/proc/self/environ").read_bytes()

    assert outside == [f"open {os.path.realpath('/proc/self/environ')}"]
