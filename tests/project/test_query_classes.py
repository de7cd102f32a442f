"""What a Query class of a program changes, and what it leaves as it is."""

from __future__ import annotations

import pytest
from programs import program

QUERY = "from sqlalchemy.orm import Query\n"


def read(text: str, **files: str):
    others = {f"{name}.py": body for name, body in files.items()}
    return program({"m.py": text, **others}).orm.query_classes.query_class("m.Own")


@pytest.mark.parametrize(
    ("body", "own", "changed"),
    [
        ("pass", set(), set()),
        ("'''Text.'''\n    def named(self): ...", {"named"}, set()),
        ("async def named(self): ...", {"named"}, set()),
        ("def get(self, key): ...", {"get"}, {"get", "get_or_404"}),
        ("first = None", {"first"}, {"first", "first_or_404"}),
        (
            "def filter(self, *args): ...",
            {"filter"},
            {"filter", "filter_by", "where", "with_parent"},
        ),
        (
            "one: object = None",
            {"one"},
            {"one", "one_or_404", "scalar", "count", "paginate"},
        ),
        ("inherit_cache = True", set(), set()),
    ],
)
def test_what_a_class_defines_and_what_that_reaches(body, own, changed):
    found = read(f"{QUERY}class Own(Query):\n    {body}\n")

    assert found is not None
    assert (found.own, found.changed) == (own, changed)


def test_what_it_inherits_counts_as_well():
    text = "from base import Parent, Mixin\nclass Own(Mixin, Parent): pass\n"
    base = (
        "from flask_sqlalchemy import BaseQuery\nfrom typing import Generic, TypeVar\n"
        "T = TypeVar('T')\nclass Mixin(Generic[T]):\n    def named(self): ...\n"
        "class Parent(BaseQuery):\n    def get(self, key): ...\n"
    )

    found = read(text, base=base)

    assert found is not None
    assert found.own == {"named", "get"}


@pytest.mark.parametrize(
    "text",
    [
        "class Own: pass\n",
        "import lib\nclass Own(lib.Query): pass\n",
        f"import lib\n{QUERY}class Own(lib.Mixin, Query): pass\n",
        f"{QUERY}class Own(Query, metaclass=M): pass\n",
        f"{QUERY}@register\nclass Own(Query): pass\n",
        f"{QUERY}class Own(Query):\n    def __iter__(self): ...\n",
        f"{QUERY}class Own(Query):\n    def _get_options(self): ...\n",
        f"{QUERY}class Own(Query):\n    def enable_eagerloads(self, value): ...\n",
        f"{QUERY}class Own(Query):\n    session = None\n",
        f"{QUERY}class Own(Query):\n    if True:\n        def all(self): ...\n",
        f"{QUERY}class Own(Query):\n    locals()['all'] = None\n",
        f"{QUERY}class Own(Query): pass\nOwn.all = None\n",
        f"{QUERY}class Own(Query): pass\nsetattr(Own, 'all', None)\n",
        f"{QUERY}class Own(Query): pass\ndel Own.all\n",
        f"{QUERY}class Own(make()): pass\n",
        f"{QUERY}class Own(Query): pass\nclass Own(Query): pass\n",
    ],
)
def test_a_class_that_may_change_anything(text):
    assert read(text) is None


def test_another_file_may_change_it():
    text = f"{QUERY}class Own(Query): pass\n"

    assert read(text, other="from m import Own\ndef f(x): Own.named = x\n") is None
    assert read(text, other="import m\nsetattr(m.Own, 'all', None)\n") is None
    assert read(text, other="from m import Own\nOwn.named()\n") is not None


def test_why_a_method_is_not_that_of_query():
    found = read(f"{QUERY}class Own(Query):\n    def get(self, key): ...\n")

    assert found is not None
    assert found.why_not_of_query("get") == "`.get()` is a method of `Own`"
    assert found.why_not_of_query("get_or_404") == (
        "`.get_or_404()` calls a method that `Own` replaces"
    )
    assert not found.why_not_of_query("filter")


def test_the_classes_that_sessions_are_given():
    text = (
        f"{QUERY}from sqlalchemy.orm import sessionmaker\nimport q\n"
        "make = sessionmaker(query_cls=q.Mine)\nplain = sessionmaker(query_cls=Query)\n"
        "options = {'query_cls': pick(), 'autoflush': False}\n"
        "query = registry.query_property(query_cls=q.Other)\n"
        "users = relationship('User', query_class=q.Third)\n"
    )

    assert program({"m.py": text}).orm.query_classes.classes_of_sessions() == ("q.Mine", "?")
    assert program({"m.py": QUERY}).orm.query_classes.classes_of_sessions() == ()
