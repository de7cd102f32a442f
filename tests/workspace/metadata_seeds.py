"""One sound file of each kind that is read from a repository, and what is put into it."""
# ruff: noqa: E501, RUF001 - tables

from __future__ import annotations

QUERY = b"""\
from models import User
from sqlalchemy.orm import Session


def everyone(session: Session):
    # awaken: ignore[query-to-select] until March
    a = session.query(User).all()  # noqa # awaken: ignore[sqlalchemy, pool-pre-ping]
    return a, session.query(User).first()
"""

PYPROJECT = b"""\
[build-system]
requires = ["hatchling>=1.26"]

[project]
name = "shop"
requires-python = ">=3.9,<4"
dependencies = [
  "sqlalchemy[asyncio]>=1.4,<2.1; python_version >= '3.8'",
  "fastapi>=0.100",  # the framework
]
[project.optional-dependencies]
pg = ["psycopg[binary]>=3; sys_platform != 'win32'"]

[dependency-groups]
dev = ["pytest>=8", {include-group = "pg"}]

[tool.setuptools.dynamic]
dependencies = {file = ["requirements.txt"]}

[tool.uv.workspace]
members = ["packages/*"]

[tool.pytest.ini_options]
addopts = ["-ra", "--asyncio-mode=auto"]

[tool.black]
line-length = 100
[tool.ruff]
line-length = 90

[tool.awaken]
ignore = ["pooling"]
"""

SEEDS = {
    "settings": ("awaken.toml", b"""\
select = ["sqlalchemy"]
unsafe-fixes = true
target-version = "3.11"
target = { SQLAlchemy = "1.4" }
exclude = ["old", "**/gen/*.py", "!keep"]
baseline = "known.json"

[[overrides]]
paths = ["vendor", "!**/ours.py"]
ignore = ["query-to-select"]

[rules.query-to-select]
"""),
    "pyproject": ("pyproject.toml", PYPROJECT),
    "poetry": ("pyproject.toml", b"""\
[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
python = "^3.9"
sqlalchemy = {version = "^1.4 || ~2.0", extras = ["asyncio"], python = ">=3.8"}
fastapi = [{version = "*", markers = "os_name == 'nt'"}, {version = ">=0.1 <1"}]
[tool.poetry.group.dev.dependencies]
pytest = "8.*"
"""),
    "setup.cfg": ("setup.cfg", b"""\
[metadata]
name = shop
[options]
python_requires = >=3.9
install_requires =
    sqlalchemy>=1.4
    %(more)s
more = fastapi>=0.1
[options.extras_require]
pg =
    psycopg; python_version > "3.8"
[flake8]
max-line-length = 100
[tool:pytest]
asyncio_mode = auto
"""),
    "setup.py": ("setup.py", b"""\
from setuptools import setup
REQUIRED = ["sqlalchemy>=1.4", "fastapi"]
setup(
    name="shop",
    python_requires=">=3.9",
    install_requires=REQUIRED,
    extras_require={"pg": ["psycopg>=3"]},
)
"""),
    "Pipfile": ("Pipfile", b"""\
[packages]
sqlalchemy = "~=1.4"
fastapi = {version = ">=0.1", markers = "python_version > '3.8'"}
[dev-packages]
pytest = "*"
[requires]
python_version = "3.11"
"""),
    "requirements": ("requirements.txt", b"""\
-r more-requirements.txt
-c requirements/base.txt
--index-url https://example.org/simple
sqlalchemy[asyncio]==1.4.54 ; python_version < "3.12" \\
    --hash=sha256:0000 \\
    --hash=sha256:1111
fastapi>=0.1,!=0.2  # comment
./local
git+https://example.org/x.git#egg=x
"""),
    "uv.lock": ("uv.lock", b"""\
version = 1

[[package]]
name = "sqlalchemy"
version = "1.4.54"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "fastapi"
version = "0.100.0"
"""),
    "Pipfile.lock": ("Pipfile.lock", b"""\
{
    "_meta": {"hash": {"sha256": "00"}},
    "default": {
        "sqlalchemy": {"hashes": ["sha256:00"], "index": "pypi", "version": "==1.4.54"},
        "local": {"path": "."}
    },
    "develop": {"pytest": {"version": "==8.0"}}
}
"""),
    ".gitignore": (".gitignore", b"""\
# comment
*.py[cod]
/build/
**/migrations/**/*.py
!keep.py
doc/*/a?[!b]*c
\\#x
"""),
    "python version": (".python-version", b"3.11.4\n"),
    "pyvenv.cfg": (".venv/pyvenv.cfg", b"home = /usr/bin\nversion_info = 3.11.4\n"),
    "pytest.ini": ("pytest.ini", b"[pytest]\naddopts = -ra --asyncio-mode=auto\ntestpaths =\n  tests\n"),
    "pytest.toml": ("pytest.toml", b'[pytest]\naddopts = ["-ra"]\nasyncio_mode = "auto"\n'),
    "tox.ini": ("tox.ini", b"[tox]\nenvlist = py311\n[pytest]\nasyncio_mode=auto\n[flake8]\nmax_line_length: 99\n"),
    "pre-commit": (".pre-commit-config.yaml", b"""\
repos:
  - repo: https://github.com/psf/black
    rev: 24.1.0
    hooks:
      - id: black
        args: [--line-length=100]
      - id: 'ruff-format'
"""),
    "ruff.toml": ("ruff.toml", b'line-length = 100\n[format]\nquote-style = "double"\n'),
    "baseline": ("awaken-baseline.json", b"""\
{
  "version": 1,
  "sites": [
    {"path": "a.py", "rule": "query-to-select", "scope": "everyone", "site": "1f0c"},
    {"path": "../b.py", "rule": "query-to-select", "scope": "", "site": "2f0c"}
  ]
}
"""),
    "source": ("a.py", b"\xef\xbb\xbf# -*- coding: utf-8 -*-\r\n" + QUERY.replace(b"\n", b"\r\n")),
    "source with a cookie": ("a.py", b"# coding: latin-1\n# caf\xe9\n" + QUERY),
    "suppressions": ("a.py", QUERY + b"# awaken: skip-file\n#awaken: ignor[x]# awaken: ignore[]\n"),
}  # fmt: skip

TOKENS = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\r\n", b"\n", b"\t", b"\x0c", b"\x1b[2J",
    "²".encode(), "١".encode(), "\u2028".encode(), b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\\",
    b'"', b"'", b'"""', b"'''", b"[", b"]", b"[[", b"{", b"}", b"(", b")", b"=", b"==", b"===", b":",
    b",", b";", b"#", b"%", b"%%", b"%(more)s", b"!", b"*", b"**", b"**/", b"?", b"-", b"-r ", b"@",
    b"9" * 5000, b"0x" + b"f" * 5000, b"1e999", b"-1", b"0", b"true", b"null", b"nan", b"[]", b"{}",
    b"[" * 2000, b"{" * 500, b"(" * 500, b"]" * 50, b" " * 3000, b"\n" * 3000, b"a." * 3000,
    b"*a" * 40, b"[!" * 50, b"**/" * 30, b"1." * 500, b"1||" * 200, b">=1," * 200, b'{"a":' * 2000,
    b"-r ../outside/secret.txt\n", b"-r /dev/zero\n", b"-r /etc/passwd\n", b"-r a\0b\n",
    b"-r requirements.txt\n", b"-r ..\n", b"-c .\n", b"file: ../outside/secret.txt",
    b"../outside/secret.txt", b"/dev/zero", b"~/x", b"../" * 100, b"a\0b",
    b"# coding: punycode\n", b"# coding: idna\n", b"# coding: outside.secret\n", b"# awaken: ",
    b"<<<<<<< HEAD\n", b"os_name ~= 'x'", b"; extra == 'x'", b"'a' < python_version",
    b"python = 3", b"version = 2", b"project = 1\n", b"[tool]\n", b"[project]\n", b"[DEFAULT]\n",
    b"line-length = 0x" + b"f" * 5000 + b"\n", b"max-line-length = \xc2\xb2\n", b"if 1:\n", b"f'{",
]  # fmt: skip
