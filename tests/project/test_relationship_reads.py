"""Reads of relationships traced to their loads: through methods, callers, lambdas, frameworks."""

from __future__ import annotations

from textwrap import dedent

import pytest
from programs import program
from read_programs import LOAD, LOADED, MODELS, PROPERTY, read, reads

METHOD = PROPERTY.replace("@property", "")


@pytest.mark.parametrize(
    ("members", "use"),
    [
        (PROPERTY, "first(session).roots"),
        (PROPERTY, "getattr(first(session), 'roots')"),
        (PROPERTY.replace("property", "functools.cached_property"), "first(session).roots"),
        (METHOD, "first(session).roots()"),
        (METHOD, "User.roots(first(session))"),
        (METHOD, "list(map(User.roots, users(session)))"),
        (METHOD, "sorted(users(session), key=User.roots)"),
        (METHOD, "later(first(session).roots)"),
        (METHOD, "[one.roots() for one in users(session)]"),
    ],
)
def test_a_method_has_what_stands_before_its_name(members, use):
    code = f"""
        def later(function): pass
        def run(session: Session):
            {use}
    """
    if "functools" in members:
        members = "import functools\n" + dedent(members)

    assert read("self.nodes", code, members=members) == (LOAD, [])


def test_a_property_of_a_subclass_and_of_super_has_its_objects():
    code = """
        class Admin(User):
            @property
            def roots(self):
                return super().roots
        def run(session: Session):
            session.scalars(select(Admin)).one().roots
    """

    loads, unknown = read("self.nodes", code, members=PROPERTY)

    assert (loads, unknown) == (["select(Admin) nodes"], [])


def test_other_classes_with_the_name_are_no_receivers():
    code = """
        class Other:
            roots = 1
        def run(session: Session):
            Other().roots
            first(session).roots
    """

    assert read("self.nodes", code, members=PROPERTY) == (LOAD, [])


def test_a_receiver_that_cannot_be_told_is_unknown():
    code = """
        import library
        def run():
            library.load().roots
    """

    loads, unknown = read("self.nodes", code, members=PROPERTY)

    assert loads == []
    assert unknown[0].startswith("`roots` may be read from it as well: ")


def test_an_object_that_is_nowhere_in_sight_is_unknown():
    unknown = ["no visible object reaches it"]

    assert read("self.nodes", "", members=PROPERTY) == ([], unknown)


@pytest.mark.parametrize(
    ("decorator", "why"),
    [
        ("hybrid_property", None),
        ("hybrid_method", None),
        ("validates('id')", "`roots` is decorated by `validates`, which may call it"),
        ("roots.expression", "no visible object reaches it"),
        ("roots.setter", "changing `roots` calls it"),
    ],
)
def test_a_decorator_says_what_a_method_is_called_with(decorator, why):
    members = f"""
        from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property
        from sqlalchemy.orm import validates
        @{decorator}
        def roots(self, *others):
            return self.nodes
    """
    code = """
        def run(session: Session):
            first(session).roots
    """

    loads, unknown = read("self.nodes", code, members=members)

    assert unknown == ([why] if why else [])
    assert loads == (LOAD if why is None or "validates" in why else [])


@pytest.mark.parametrize(
    ("use", "why"),
    [
        ("getattr(first(session), 'roo' + name)()", None),
        ("getattr(first(session), f'{name}s')()", None),
        ("getattr(first(session), 'other' + name)()", "no visible object reaches it"),
        (
            "list(map(methodcaller('roots'), users(session)))",
            "`methodcaller('roots')` calls `roots`",
        ),
    ],
)
def test_a_method_may_be_named_by_a_text(use, why):
    code = f"""
        from operator import methodcaller
        def run(session: Session, name):
            {use}
    """

    expected = ([], [why]) if why else (LOAD, [])

    assert read("self.nodes", code, members=METHOD) == expected


def test_the_class_of_super_must_be_below():
    code = """
        class Other:
            def roots(self):
                return super().roots()
        def run(session: Session):
            Other().roots()
            first(session).roots()
    """

    assert read("self.nodes", code, members=METHOD) == (LOAD, [])


def test_a_dependency_that_is_called_gets_what_it_is_passed_as_well():
    code = """
        from fastapi import Depends
        def loaded(session: Session):
            return session.get(User, 1)
        def show(user: User = Depends(loaded)):
            return user.nodes
        def run(session: Session):
            show(first(session))
    """

    loads, unknown = read("user.nodes", code)

    assert (sorted(loads), unknown) == ([*LOAD, "session.get(User, 1) nodes"], [])


def test_a_text_that_gets_a_function_hides_a_call():
    code = """
        class Pages:
            def run(self, session: Session):
                getattr(self, "show")(first(session))
            def show(self, user: User):
                return user.nodes
    """

    loads, unknown = read("user.nodes", code)

    assert (loads, unknown) == ([], ["the text 'show' names `show`"])


@pytest.mark.parametrize("name", ["__repr__", "__eq__", "__iter__"])
def test_python_calls_dunders_from_anywhere(name):
    members = f"""
        def {name}(self, *others):
            return self.nodes
    """
    code = """
        def run(session: Session):
            print(first(session))
    """

    assert read("self.nodes", code, members=members) == ([], [f"Python itself calls `{name}`"])


def test_a_constructor_has_new_objects():
    members = """
        def __init__(self, owner):
            self.nodes.append(owner)
    """
    code = """
        import models
        def run():
            models.User(1)
    """

    assert read("self.nodes", code, members=members) == (["models.User(1) nodes"], [])


@pytest.mark.parametrize(
    "use",
    [
        "sorted(users(session), key=lambda one: one.nodes)",
        "max(users(session), key=lambda one: one.nodes)",
        "list(map(lambda one: one.nodes, users(session)))",
        "list(filter(lambda one: one.nodes, users(session)))",
        "users(session).sort(key=lambda one: one.nodes)",
        "(lambda one: one.nodes)(first(session))",
        "each(lambda one: one.nodes, first(session))",
    ],
)
def test_a_lambda_gets_what_it_is_called_with(use):
    code = f"""
        def each(function, user):
            if function is not None:
                function(user)
        def run(session: Session):
            {use}
    """

    assert read("one.nodes", code) == (LOAD, [])


@pytest.mark.parametrize(
    ("use", "why"),
    [
        ("show(first(session))", None),
        ("list(map(show, users(session)))", None),
        ("each(show, first(session))", None),
        ("again(show, first(session))", None),
        ("functools.partial(show, first(session))()", None),
        ("list(map(functools.partial(show), users(session)))", None),
        ("{'show': show}", "`show` is passed on as a value"),
        (
            "show(*users(session))",
            "`show(*users(session))` passes it in a way that is not followed",
        ),
    ],
)
def test_a_function_gets_what_its_callers_pass(use, why):
    code = f"""
        import functools
        def each(function, user):
            function(user)
        def again(function, user):
            function(user)
            again(function, user)
        def show(user: User):
            return user.nodes
        def run(session: Session):
            {use}
    """

    assert read("user.nodes", code) == (
        [] if why else LOAD,
        [why.format("followed")] if why else [],
    )


def test_code_out_of_sight_is_no_reader_in_sight():
    code = """
        def show(user: User):
            return user.nodes
        def run(session: Session):
            show(first(session))
    """

    assert read("user.nodes", code, published=True) == (LOAD, [])


@pytest.mark.parametrize(
    ("decorator", "loads", "unknown"),
    [
        ("flask.Flask(__name__).route('/')", LOAD, []),
        ("event.listens_for(User, 'load')", ["event.listens_for nodes", *LOAD], []),
        (
            "flask.Flask(__name__).template_filter()",
            LOAD,
            ["`show` is decorated by `flask.Flask(__name__).template_filter`, which may call it"],
        ),
        ("library.wrapped", LOAD, ["`show` is decorated by `library.wrapped`, which may call it"]),
    ],
)
def test_a_decorator_may_have_it_called_with_other_objects(decorator, loads, unknown):
    code = f"""
        import flask, library
        @{decorator}
        def show(user: User):
            return user.nodes
        def run(session: Session):
            show(first(session))
    """

    found, why = read("user.nodes", code)

    assert (sorted(found), why) == (loads, unknown)


def test_a_listener_that_is_given_to_listen_gets_other_objects():
    code = """
        def show(mapper, connection, user: User):
            return user.nodes
        event.listen(User, "after_insert", show)
    """

    loads, unknown = read("user.nodes", code)

    assert [one.partition("(")[0] for one in loads] == ["event.listen"]
    assert unknown == []


@pytest.mark.parametrize(
    "parameter",
    [
        "user: User = Depends(loaded)",
        "user: Annotated[User, Depends(loaded)]",
        "user: CurrentUser",
    ],
)
def test_a_dependency_is_what_fastapi_passes(parameter):
    code = f"""
        from typing import Annotated
        from fastapi import Depends, FastAPI
        app = FastAPI()
        def loaded(session: Session):
            yield first(session)
        CurrentUser = Annotated[User, Depends(loaded)]
        @app.get("/")
        def show({parameter}):
            return user.nodes
    """

    assert read("user.nodes", code) == (LOAD, [])


def test_a_fixture_is_what_pytest_passes():
    code = """
        import pytest
        @pytest.fixture
        def loaded(session: Session):
            return first(session)
        def test_show(loaded: User):
            loaded.nodes
    """

    assert read("loaded.nodes", code) == (LOAD, [])


def test_a_way_that_comes_back_over_a_relationship_is_said_once():
    code = """
        def told(node: Node):
            node.owner
            return [told(one) for one in node.children]
        def run(session: Session):
            told(session.scalars(select(Node)).one())
    """
    found = reads(code)
    why = "it may be read at any number of `children` from each other"

    assert found["node.children"] == (["select(Node) children"], [why])
    assert found["node.owner"] == (["select(Node) owner"], [why])


def test_a_way_that_comes_back_as_it_was_is_followed():
    code = """
        def one(user: User):
            other(user)
            return user.nodes
        def other(user: User):
            one(user)
        def run(session: Session):
            other(first(session))
    """

    assert read("user.nodes", code) == (LOAD, [])


def test_what_a_new_object_is_given_is_told():
    models = MODELS.replace("LINES", "pass")
    code = dedent(LOADED) + "Node(owner=User(), id=1).owner\n"
    project = program({"models.py": models, "main.py": code})

    (found,) = project.orm.reads.all()

    assert [(one.load.kind, one.load.sets) for one in found.traces] == [("new", ("owner", "id"))]
