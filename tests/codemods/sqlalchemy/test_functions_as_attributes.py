"""A call of a method of something unknown reaches a function of a file where that is a value."""

from __future__ import annotations

from textwrap import dedent

import pytest
from planned import reason_of, session_to_async

PROGRAM = {
    "requirements.txt": "sqlalchemy>=2\nfastapi\n",
    "app/__init__.py": "",
    "app/db.py": """
        from sqlalchemy import create_engine
        from sqlalchemy.orm import sessionmaker

        LocalSession = sessionmaker(create_engine("sqlite:///shop.db"))
    """,
    "app/prices.py": """
        from sqlalchemy import text

        def find(db, number):
            return db.scalar(text("select :number"), {"number": number})
    """,
}
MAIN = """
from fastapi import FastAPI
from app import prices
from app.db import LocalSession

app = FastAPI()

@app.get("/")
def price():
    with LocalSession() as db:
        return prices.find(db, 1)

def described(thing, key):
    return thing.find(key, 2)

def shown(read):
    return described(read(), 'a')
"""
REACHED = {
    "the module is passed": "described(prices, 'a')\n",
    "the module is in a list": "ALL = [prices]\nfor one in ALL:\n    described(one, 'a')\n",
    "the module is looked up": (
        "import importlib\nmodule = importlib.import_module('app.prices')\ndescribed(module, 'a')\n"
    ),
    "an object has the function": (
        "class Thing:\n    pass\n\nthing = Thing()\nthing.find = prices.find\n"
    ),
}


def reasons(rest):
    files = {path: dedent(text) for path, text in PROGRAM.items()}
    findings = session_to_async({**files, "app/main.py": MAIN + rest}).findings
    assert findings
    return {reason_of(one) for one in findings}


@pytest.mark.parametrize("rest", REACHED.values(), ids=REACHED)
def test_a_function_that_an_object_may_have_is_reached(rest):
    assert not reasons(rest).isdisjoint({"handed-on", "unknown-call"})


def test_a_function_that_only_its_module_has_is_not_reached():
    assert reasons("") == {""}
