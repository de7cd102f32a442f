from __future__ import annotations

from pathlib import Path

import pytest

from awaken.workspace.manifests.manifest_declarations import Declaration, Declarations, line_of

PYPROJECT = """\
[build-system]
requires = ["sqlalchemy-utils"]

[project]
name = "shop"
keywords = ["sqlalchemy"]
requires-python = ">=3.10"
dependencies = [
    "fastapi",
    "Flask_SQLAlchemy>=3.0",  # not sqlalchemy
    "sqlalchemy[asyncio]>=2.0,<2.1",
]

[tool.isort]
known_third_party = ["pytest"]

[dependency-groups]
test = ["pytest>=8"]
"""


def write(root: Path, **files: str) -> Declarations:
    for name, text in files.items():
        path = root / name.replace("__", ".").replace("_", "-")
        path.write_text(text)
    return Declarations(root)


def test_each_statement_has_its_file_line_and_specifier(tmp_path):
    lock = '[[package]]\nname = "sqlalchemy"\nversion = "2.0.36"\n'
    found = write(tmp_path, pyproject__toml=PYPROJECT, uv__lock=lock)

    assert found.statements_about("SQLAlchemy") == (
        Declaration("pyproject.toml", 11, ">=2.0,<2.1"),
        Declaration("uv.lock", 2, "==2.0.36", locked=True),
    )
    assert found.statements_about("flask-sqlalchemy") == (
        Declaration("pyproject.toml", 10, ">=3.0"),
    )
    assert found.statements_about("fastapi") == (Declaration("pyproject.toml", 9, "any version"),)
    assert found.statements_about("pytest") == (Declaration("pyproject.toml", 18, ">=8"),)
    assert found.statements_about("python") == (Declaration("pyproject.toml", 7, ">=3.10"),)
    assert found.statements_about("psycopg") == ()


def test_the_lock_of_a_workspace_is_named_from_the_member(tmp_path):
    member = tmp_path / "services" / "api"
    member.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["services/*"]\n')
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "pytest"\nversion = "8.3"\n')

    assert Declarations(member).statements_about("pytest") == (
        Declaration("../../uv.lock", 2, "==8.3", locked=True),
    )


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("requirements.txt", "# sqlalchemy==1\nsqlalchemy-utils\nSQLAlchemy == 2.0\n", 3),
        ("requirements.txt", "sqlalchemy\n", 1),
        ("requirements.txt", "sqlalchemy_utils\n", 0),
        ("setup.cfg", "[options]\ninstall_requires =\n    sqlalchemy>=1.4\n", 3),
        ("setup.py", "setup(\n    install_requires=['sqlalchemy>=1.4'],\n)\n", 2),
        ("setup.py", "setup(\n keywords=['sqlalchemy'],\n install_requires=['sqlalchemy'])", 0),
        ("Pipfile", '[dev-packages]\npytest = "*"\n[packages]\nsqlalchemy = "*"\n', 4),
        ("pyproject.toml", '[tool.poetry.dependencies]\nsqlalchemy = "^2"\n', 2),
        ("pyproject.toml", '[tool.poetry.group.db.dependencies]\nsqlalchemy = "^2"\n', 2),
        ("pyproject.toml", '[project]\ndependencies = ["a",\n ["x"],\n "sqlalchemy"]\n', 4),
        ("pyproject.toml", '[tool.x]\ndependencies = ["sqlalchemy"]\n', 0),
        ("poetry.lock", '[[package]]\nname = "sqlalchemy"\n', 2),
        ("Pipfile.lock", '{"default": {\n  "sqlalchemy": {\n', 2),
    ],
)
def test_the_line_is_that_of_a_declaration(tmp_path, file, text, line):
    (tmp_path / file).write_text(text)

    assert line_of(tmp_path / file, "sqlalchemy") == line


def test_a_file_in_another_encoding_has_lines_too(tmp_path):
    (tmp_path / "requirements.txt").write_bytes("pytest\r\nsqlalchemy==2.0\r\n".encode("utf-16"))

    (found,) = Declarations(tmp_path).statements_about("sqlalchemy")

    assert (found.line, found.specifier) == (2, "==2.0")
