"""Packages whose files are imported by names without the package."""

import pytest
from programs import program

STORE = "engine = None\nclass Base: ...\nasync def get_db(): ...\n"
FILES = {"app/__init__.py": "", "app/db/store.py": STORE, "app/config.py": "DEBUG: bool = True"}


def on_path(files, *, published=False):
    """Return the folders on the path of a program."""
    return program({**FILES, **files}, published=published).layout.on_path


@pytest.mark.parametrize(
    "imports",
    [
        "from db.store import get_db",
        "from db.store import (\n    Base,  # of all models\n    engine as one,\n)",
        "from db.store import Base, \\\n    engine",
        "def late():\n    from config import DEBUG",
    ],
)
def test_a_program_starts_in_a_package_that_its_files_import_from(imports):
    assert on_path({"app/main.py": imports}) == (("app", True),)


@pytest.mark.parametrize(
    "files",
    [
        {"app/main.py": "from app.db.store import get_db"},
        {"app/main.py": "from .db.store import get_db"},
        {"app/main.py": "from db.store import missing"},
        {"app/main.py": "from db.store import *"},
        {"app/main.py": "from db.store import get_db", "db/store.py": STORE},
        {"app/main.py": "from db.store import get_db", "libs/db/store.py": STORE},
        {"app/main.py": "from email import message", "app/email.py": "message = 1"},
    ],
)
def test_it_does_not_where_the_name_may_mean_something_else(files):
    assert on_path(files) == ()


@pytest.mark.parametrize("running", ["import app.main", "run('app.main:app')"])
def test_files_that_are_named_with_the_package_as_well_keep_that_name(running):
    files = {**FILES, "app/main.py": "from db.store import get_db", "run.py": running}
    layout = program(files, published=False).layout

    assert layout.find("db.store", "app/main.py").path == "app/db/store.py"
    assert layout.name_of("app/db/store.py") == "app.db.store"


def test_a_package_inside_another_one_is_no_start_folder():
    files = {"app/api/__init__.py": "", "app/api/main.py": "from deps import user"}

    assert on_path({**files, "app/api/deps.py": "user = 1"}) == ()


def test_no_program_starts_in_what_others_import():
    assert on_path({"app/main.py": "from db.store import get_db"}, published=True) == ()


def test_files_are_named_from_the_folder():
    layout = program({**FILES, "app/main.py": "from config import DEBUG"}, published=False).layout

    assert layout.name_of("app/db/store.py") == "db.store"
