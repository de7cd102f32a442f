"""Loads of relationships that are read: told apart, whatever was asked before, of typed items."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from programs import program
from read_programs import LOAD, LOADED, MODELS, PROPERTY, read, reads


@pytest.mark.parametrize(
    ("load", "kind"),
    [
        ("session.get(User, 1)", "get"),
        ("session.get_one(User, 1)", "get"),
        ("session.query(User).one()", "query"),
        ("session.scalars(select(User)).one()", "select"),
        ("User()", "new"),
    ],
)
def test_loads_are_told_apart(load, kind):
    models = MODELS.replace("LINES", "pass")
    code = dedent(LOADED) + f"def run(session: Session):\n    {load}.nodes\n"
    project = program({"models.py": models, "main.py": code})

    (found,) = project.orm.reads.all()

    assert [one.load.kind for one in found.traces] == [kind]


@pytest.mark.parametrize("base", ["flask.views.MethodView", "library.View"])
def test_a_view_calls_only_what_answers_requests(base):
    code = f"""
        import flask.views, library
        class Page({base}):
            def get(self, user_id):
                return self.show(first(Session()))
            def show(self, user: User):
                return user.nodes
    """
    why = "`Page` inherits from `library.View`, which may call it"

    assert read("user.nodes", code) == (LOAD, [why] if "library" in base else [])


def test_a_cache_of_the_program_hands_on_what_it_is_given():
    code = """
        from flask_caching import Cache
        class Ours(Cache):
            def inc(self): pass
        cache = Ours()
        @cache.memoize()
        def show(user: User):
            return user.nodes
        def run(session: Session):
            show(first(session))
    """

    assert read("user.nodes", code) == (LOAD, [])


def test_the_same_is_told_whatever_was_asked_before_and_in_any_order():
    models = MODELS.replace("LINES", dedent(PROPERTY).strip().replace("\n", "\n        "))
    files = {
        "models.py": models,
        "loads.py": LOADED,
        "shown.py": """
            from models import Node, User
            def show(user: User):
                return [tell(one) for one in user.roots]
            def tell(node: Node):
                return node.owner, [tell(one) for one in node.children]
        """,
        "main.py": """
            from loads import Session, first, users
            from shown import show
            def run(session: Session):
                show(first(session))
                list(map(show, users(session)))
        """,
    }
    expected = program(files).orm.reads.all()
    turned = program(dict(reversed(files.items())))
    for path in ("shown.py", "main.py"):
        module = turned.module(path)
        for node in module.walk():
            if isinstance(node, ast.expr):
                turned.values.of(module, node)

    assert turned.orm.reads.all() == expected
    assert any(one.traces for one in expected)


PLAIN = """
    import json
    from httpx import Response
    from fastapi import APIRouter
    from models import Base
    router = APIRouter()
    class Shelf:
        def __init__(self, session: Session) -> None:
            self.size = 3
        @property
        def named(self) -> str:
            return "shelf"
        @router.get("/shelf")
        def one(self):
            return 3
    def shown(response: Response, text: str, name: str, session: Session) -> None:
        held = USE
        held.nodes
"""


@pytest.mark.parametrize(
    ("use", "is_plain"),
    [
        ("response.json()", True),
        ('response.json()["shelf"][0]', True),
        ("json.loads(text)", True),
        ("json.loads(text, object_hook=made)", False),
        ("getattr(Shelf(session), name)", True),
        ("getattr(Shelf(session), name).more", False),
        ("getattr(session, name)", False),
        ("Base.metadata.tables[name]", True),
        ("Shelf(session).one()", True),
    ],
)
def test_what_gives_no_object_of_a_model_is_none(use, is_plain):
    found = reads(PLAIN.replace("USE", use))
    assert ("held.nodes" not in found) == is_plain


@pytest.mark.parametrize(
    ("annotation", "given", "read"),
    [
        ("list[User]", "users(session)", "for user in them:"),
        ("list[User]", "users(session)[:1]", "for user in them:"),
        ("list[User] | None", "users(session)", "for user in them or []:"),
        ("Sequence[User]", "session.scalars(select(User)).all()", "for user in them:"),
        ("Iterable[User]", "session.scalars(select(User))", "for user in them:"),
        ("set[User]", "set(users(session))", "for user in them:"),
        ("tuple[User, ...]", "tuple(users(session))", "for user in them:"),
        ("dict[int, User]", "{u.id: u for u in users(session)}", "for user in them.values():"),
        ("list[list[User]]", "[users(session)]", "for user in them[0]:"),
    ],
)
def test_the_items_of_a_typed_parameter_are_traced(annotation, given, read):
    code = f"""
        from collections.abc import Iterable, Sequence
        def show(them: {annotation}):
            {read}
                user.nodes
        def run(session: Session):
            show({given})
    """

    loads, unknown = reads(code)["user.nodes"]

    assert loads == LOAD
    assert unknown == []
