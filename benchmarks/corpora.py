"""The programs that programs.md names, and the labels of their queries.

Knows nothing of awaken. Every script is given one directory, the corpus, in which the wheels are
unpacked as `NAME-VERSION` and the repositories, at their commits, as `repos/NAME`; the
interpreters that run the repositories' tests are `env-NAME/bin/python`.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import NamedTuple

LABELS = Path(__file__).parent / "data" / "query_sites.tsv"
LATER = frozenset({"delete", "update", "[]"})
"""Notes of queries that end in a bulk write or a slice: they are counted apart as well."""


class Package(NamedTuple):
    """An unpacked wheel; it declares no target, so every run names one.

    `also` is a second SQLAlchemy version that the package allows, empty if there is none.
    """

    name: str
    version: str
    python: str
    sqlalchemy: str
    also: str = ""

    def directory(self, corpus: Path) -> Path:
        """Where the wheel is unpacked."""
        return corpus / f"{self.name}-{self.version}"

    def target(self, sqlalchemy: str = "") -> list[str]:
        """Awaken's options that name the versions; `sqlalchemy` overrides the usual one."""
        wanted = sqlalchemy or self.sqlalchemy
        return ["--target-version", self.python, "--target", f"sqlalchemy={wanted}"]


class Program(NamedTuple):
    """A repository whose own tests run offline; `tests` are arguments of pytest.

    `target` are awaken's options where what the repository declares is not what is measured;
    `variables` are what its tests need in their environment.
    """

    name: str
    repository: str
    environment: str
    tests: tuple[str, ...]
    target: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    def directory(self, corpus: Path) -> Path:
        """Where the repository is unpacked."""
        return corpus / "repos" / self.repository

    def python(self, corpus: Path) -> Path:
        """The interpreter with what its tests need."""
        return (corpus / f"env-{self.environment}" / "bin" / "python").absolute()


PACKAGES = (
    Package("apache-superset", "6.1.0", "py310", "1.4"),
    Package("mlflow", "3.18.0", "py310", "2.0", also="1.4"),
    Package("ckan", "2.12.0", "py310", "2.0"),
    Package("flask-appbuilder", "5.3.0", "py311", "2.0", also="1.4"),
    Package("optuna", "5.0.0", "py39", "2.0", also="1.4"),
)
TEN = (
    Package("neutron", "29.0.0", "py311", "2.0"),
    Package("galaxy-app", "26.1.2", "py311", "2.0"),
    Package("galaxy-web-apps", "26.1.2", "py311", "2.0"),
    Package("manila", "23.0.1", "py311", "2.0"),
    Package("keystone", "30.0.0", "py311", "2.0"),
    Package("ironic", "39.0.0", "py311", "2.0"),
    Package("barbican", "23.0.0", "py311", "2.0"),
    Package("magnum", "23.0.0", "py311", "2.0"),
    Package("indico", "3.3.14", "py311", "2.0"),
    Package("invenio-rdm-records", "36.0.0", "py311", "2.0"),
)
TWENTY = (
    Package("invenio-communities", "29.3.0", "py311", "2.0"),
    Package("c2cgeoportal-admin", "2.9.0.613", "py311", "2.0"),
    Package("python-watcher", "17.0.0", "py311", "2.0"),
    Package("ckanext-spatial", "2.3.2", "py311", "2.0"),
    Package("faradaysec", "5.25.2", "py311", "2.0"),
    Package("rally", "5.1.1", "py311", "2.0"),
    Package("aodh", "23.0.0", "py311", "2.0"),
    Package("ironic-inspector", "12.5.0", "py311", "2.0"),
    Package("zvt", "0.13.5", "py311", "2.0"),
    Package("invenio-oauth2server", "6.1.0", "py311", "2.0"),
    Package("edisgo", "0.3.0", "py311", "2.0"),
    Package("bemserver-core", "0.22.0", "py311", "2.0"),
    Package("rucio", "41.5.1", "py311", "2.0"),
    Package("keylime", "7.14.3", "py311", "2.0"),
    Package("conda-store-server", "2025.2.2", "py311", "2.0"),
    Package("c2cgeoportal-geoportal", "2.9.0.613", "py311", "2.0"),
    Package("parsl", "2026.10.26", "py311", "2.0"),
    Package("mwdb-core", "2.20.0", "py311", "2.0"),
    Package("openstack-heat", "27.0.1", "py311", "2.0"),
    Package("invenio-files-rest", "6.1.0", "py311", "2.0"),
)
HOMEASSISTANT = Package("homeassistant", "2024.3.3", "py311", "2.0")
PROGRAMS = (
    Program("optuna", "optuna", "optuna", ("tests/storages_tests/rdb_tests",)),
    Program(
        "optuna, sqlite storages too",
        "optuna",
        "optuna",
        (
            "tests/storages_tests/rdb_tests",
            "tests/storages_tests/test_storages.py",
            "-k",
            "rdb_tests or sqlite",
        ),
    ),
    Program(
        "sqlalchemy_mptt",
        "sqlalchemy_mptt",
        "mptt",
        ("--no-cov", "sqlalchemy_mptt"),
        ("--target", "sqlalchemy=2.0"),
    ),
    Program(
        "ihatemoney",
        "ihatemoney",
        "ihatemoney",
        (
            "ihatemoney/tests",
            "--deselect=ihatemoney/tests/budget_test.py::TestBudget::test_notifications",
            "--deselect=ihatemoney/tests/budget_test.py::TestBudget::test_invite",
            "--deselect=ihatemoney/tests/main_test.py::TestEmailFailure::test_invitation_email_failure",
        ),
    ),
    Program(
        "openoversight",
        "openoversight",
        "openoversight",
        (
            "OpenOversight/tests/routes/test_officer_and_department.py",
            "OpenOversight/tests/test_utils.py",
            "OpenOversight/tests/test_commands.py",
            "OpenOversight/tests/test_models.py",
        ),
        ("--target-version", "py311", "--target", "sqlalchemy=1.4"),
        (("SQLALCHEMY_DATABASE_URI", "sqlite://"),),
    ),
    Program(
        "quetz",
        "quetz",
        "quetz",
        ("quetz/tests/test_dao.py", "quetz/tests/test_auth.py", "quetz/tests/api"),
        ("--target-version", "py311", "--target", "sqlalchemy=2.0"),
    ),
    Program(
        "nbgrader",
        "nbgrader",
        "nbgrader",
        (
            "nbgrader/tests/api/test_gradebook.py",
            "-k",
            "Marks3 or update_or_create or remove or multiple",
        ),
    ),
    Program(
        "flexget",
        "flexget",
        "flexget",
        ("tests/api_tests", "tests/test_migrate.py", "tests/test_seen.py", "tests/test_backlog.py"),
    ),
    Program(
        "octavia",
        "octavia",
        "octavia",
        ("octavia/tests/functional/db/test_repositories.py",),
        ("--target", "sqlalchemy=2.0"),
    ),
    Program(
        "timesketch",
        "timesketch",
        "timesketch",
        ("timesketch/models", "timesketch/api"),
        ("--target-version", "py312", "--target", "sqlalchemy=1.4"),
    ),
    Program(
        "ctfd",
        "ctfd",
        "ctfd",
        (
            "tests/models",
            "tests/api/v1/test_challenges.py",
            "tests/api/v1/test_scoreboard.py",
            "tests/admin/test_submissions.py",
            "tests/admin/test_config.py",
        ),
    ),
    Program(
        "barbican",
        "barbican",
        "barbican",
        ("barbican/tests/model",),
        ("--target", "sqlalchemy=2.0"),
        (("PBR_VERSION", "1.0.0"),),
    ),
)


class Label(NamedTuple):
    """One call `x.query(...)` as it was judged by reading, see README.md."""

    package: str
    file: str
    line: int
    column: int
    is_query: bool
    one_expression: bool
    note: str

    @property
    def place(self) -> tuple[str, int, int]:
        """File, line and column of the call's first character, both from 1."""
        return self.file, self.line, self.column


def labels(package: str) -> list[Label]:
    """Return the labelled calls of one package, in source order."""
    with LABELS.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Label(
                row["package"],
                row["file"],
                int(row["line"]),
                int(row["column"]),
                row["is_query"] == "yes",
                row["one_expression"] == "yes",
                row["note"],
            )
            for row in rows
            if row["package"] == package
        ]


def named(names: list[str]) -> list[Package]:
    """Return the packages of these names, the first five for none; KeyError for an unknown one."""
    known = {package.name: package for package in (*PACKAGES, *TEN, *TWENTY)}
    return [known[name] for name in names] if names else list(PACKAGES)


def copy(source: Path, target: Path) -> Path:
    """Copy a tree without what a checkout or an earlier run left in it; return `target`."""
    left_out = shutil.ignore_patterns(".git", "__pycache__", ".hypothesis", ".pytest_cache")
    shutil.copytree(source, target, ignore=left_out, symlinks=True)
    return target
