"""Answers for developers: ``uvx nox -s rule -- RULE``, ``-s static``, ``-s quick``."""

from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["static", "quick"]


@nox.session
def rule(session: nox.Session) -> None:
    """Run the cases, the laws, the page and the own test files of the rules that are named."""
    if not session.posargs:
        session.error("Name a rule: nox -s rule -- query-to-select")
    files = ["tests/test_fixtures.py", "tests/test_laws.py", "tests/test_pages.py"]
    for name in session.posargs:
        stem = name.replace("-", "_")
        files += [str(path) for path in sorted(Path("tests/codemods").rglob(f"test_{stem}.py"))]
    named = " or ".join(f"{name} or {name.replace('-', '_')}" for name in session.posargs)
    laws = f"test_cheap_laws and ({named})"
    session.run("uv", "run", "pytest", "-q", *files, "-k", named, external=True)
    session.run("uv", "run", "pytest", "-q", "-m", "", files[1], "-k", laws, external=True)


@nox.session
def static(session: nox.Session) -> None:
    """Run the linters, the type checker, the layers and the limits of the source."""
    for command in (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy",),
        ("lint-imports",),
        ("python", "benchmarks/house.py", "--check"),
    ):
        session.run("uv", "run", *command, external=True)


@nox.session
def quick(session: nox.Session) -> None:
    """Run the quick suite."""
    session.run("uv", "run", "pytest", *session.posargs, external=True)
