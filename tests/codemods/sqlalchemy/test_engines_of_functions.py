"""An engine that a function makes, and what uses it, become asynchronous together or not at all."""

from __future__ import annotations

import pytest
from planned import session_to_async

IMPORTS = "from sqlalchemy import create_engine\nfrom sqlalchemy.orm import sessionmaker\n"
MAKE = "def make():\n    return create_engine(URL)\n\n"
FORMS = {
    "a variable": MAKE + "engine = make()\nLocalSession = sessionmaker(engine)\n",
    "an argument": MAKE + "LocalSession = sessionmaker(bind=make())\n",
    "one of several results": (
        "def make():\n    return create_engine(URL), 1\n\n"
        "engine, number = make()\nLocalSession = sessionmaker(engine)\n"
    ),
    "a list": MAKE + "engines = [make()]\nLocalSession = sessionmaker(engines[0])\n",
    "a condition": (
        MAKE + "import os\nengine = make() if os.environ.get('X') else make()\n"
        "LocalSession = sessionmaker(engine)\n"
    ),
    "an attribute": (
        "class Database:\n    def __init__(self):\n        self.engine = create_engine(URL)\n\n"
        "database = Database()\nLocalSession = sessionmaker(database.engine)\n"
    ),
    "a lambda": "make = lambda: create_engine(URL)\nLocalSession = sessionmaker(make())\n",
    "a mapping": MAKE + "LocalSession = sessionmaker(**{'bind': make()})\n",
    "later": MAKE + "LocalSession = sessionmaker()\nLocalSession.configure(bind=make())\n",
}
USER = """\
from fastapi import FastAPI
from sqlalchemy import text
from app.db import LocalSession

app = FastAPI()


@app.get("/")
def price():
    with LocalSession() as db:
        return db.scalar(text("select 1"))
"""


def levels(form, url):
    files = {
        "requirements.txt": "sqlalchemy>=2\nfastapi\n",
        "app/__init__.py": "",
        "app/db.py": IMPORTS + FORMS[form].replace("URL", f'"{url}:///shop.db"'),
        "app/main.py": USER,
    }
    return {one.level.value for one in session_to_async(files).findings}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_function_makes_is_written_with_its_users(form):
    assert levels(form, "sqlite") == {"unsafe"}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_function_cannot_make_stops_its_users(form):
    assert levels(form, "unknown") == {"manual"}
