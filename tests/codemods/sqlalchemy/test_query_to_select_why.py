"""What the rule says of places that look like queries: shapes of real programs."""

from __future__ import annotations

from textwrap import dedent

import pytest

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Place, Span
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import read_targets
from awaken.workspace.sources import decode

MODELS = """
    from sqlalchemy import Column, Integer
    from sqlalchemy.orm import declarative_base
    Base = declarative_base()
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
"""
RULE = QueryToSelect()


@pytest.fixture
def why(tmp_path):
    """Return what the rule says of the line that ends in ``# here``, or of one text on it."""

    def ask(text: str, at: str = "") -> str | None:
        files = {"models.py": MODELS, "app.py": text}
        sources = {path: decode(path, dedent(one).encode()) for path, one in files.items()}
        project = Project(Snapshot(sources), read_targets(tmp_path, None, {}))
        code = sources["app.py"].text
        mark = code.index(b"# here")
        line = Span(code.rfind(b"\n", 0, mark) + 1, mark + len(b"# here"))
        start = code.index(at.encode(), line.start) if at else 0
        span = Span(start, start) if at else line
        findings = RULE.plan(project, Constraints()).findings
        assert not any(
            found.place.path == "app.py" and found.place.span.overlaps(line) for found in findings
        )
        return RULE.why_no_site(project, Place("app.py", span))

    return ask


# ------------------------------------------------------------------------- calls named ``query``
def test_a_client_of_a_known_library_is_named_with_where_it_comes_from(why):
    said = why("""
        from google.cloud import bigquery
        def run(statement):
            client = bigquery.Client()
            return client.query(statement)  # here
    """)
    assert said == (
        "`client` is an instance of `google.cloud.bigquery.Client`, not a SQLAlchemy session "
        "(it comes from `bigquery.Client()` in line 4)"
    )


def test_a_client_of_an_unknown_library_is_named_with_where_it_comes_from(why):
    said = why("""
        import influx
        def run(statement):
            client = influx.Client()
            return client.query(statement)  # here
    """)
    assert said is not None
    assert said.startswith("nothing shows that `client` is a SQLAlchemy session (")
    assert "it comes from `influx.Client()` in line 4" in said
    assert "`influx.Client` is defined outside the project" in said
    assert "this file imports nothing of SQLAlchemy" in said
    assert said.endswith("If it is a session, annotate each assignment: `client: Session = ...`")


def test_a_parameter_of_unknown_kind_is_said_to_have_no_annotation(why):
    said = why("""
        def run(engine, words):
            return engine.query(words)  # here
    """)
    assert said is not None
    assert "parameter `engine` has no annotation, line 2" in said
    assert said.endswith("If it is a session, annotate the parameter: `engine: Session`")


def test_a_class_of_the_project_is_named(why):
    said = why("""
        class Source:
            def query(self, words):
                return words
            def run(self):
                return self.query("x")  # here
    """)
    assert said == "`self` is an instance of `app.Source`, not a SQLAlchemy session"


def test_a_class_itself_is_named(why):
    said = why("""
        class Mixin:
            def query(self, words):
                return words
        found = Mixin.query(None, "x")  # here
    """)
    assert said == "`Mixin` is the class `app.Mixin`, not a SQLAlchemy session"


def test_where_a_variable_of_a_known_class_comes_from_is_said(why):
    said = why("""
        class Box:
            def query(self):
                return 1
        def run():
            box = Box()
            return box.query()  # here
    """)
    assert said == (
        "`box` is an instance of `app.Box`, not a SQLAlchemy session (it comes from `Box()` in "
        "line 6)"
    )


def test_an_async_session_has_no_query(why):
    said = why("""
        from sqlalchemy.ext.asyncio import AsyncSession
        from models import User
        async def run(session: AsyncSession):
            return session.query(User)  # here
    """)
    assert said == "`session` is an AsyncSession, which has no `query()`"


@pytest.mark.parametrize(
    ("call", "doubt"),
    [
        ("x.query()", "the call names no class or column to select"),
        (
            'x.query("select 1")',
            "its first argument, `'select 1'`, is not a class or column to select",
        ),
        ("x.query({'a': 1})", "its first argument, `{'a': 1}`, is not a class or column to select"),
    ],
)
def test_what_else_speaks_against_a_query_is_said(why, call, doubt):
    said = why(f"""
        import sqlalchemy
        def run(x):
            return {call}  # here
    """)
    assert said is not None
    assert said.endswith(f"; {doubt}")


def test_a_constructor_of_another_library_is_named(why):
    said = why("""
        from fastapi import Query
        def read(q=Query(None)):  # here
            return q
    """)
    assert said == "`Query` is `fastapi.Query`, and not `sqlalchemy.orm.Query`"


# --------------------------------------------------------------------- attributes and definitions
def test_what_a_class_has_that_is_not_mapped_is_no_query(why):
    said = why("""
        class View:
            query = {}
        print(View.query.get("page"))  # here
    """)
    assert said is not None
    assert said.startswith("`View.query` is read from a class, but nothing shows that it is a ")
    assert "`db.session.query(View)`" in said


def test_a_query_of_the_class_itself_that_nothing_maps(why):
    said = why("""
        class Mixin:
            @classmethod
            def every(cls):
                return cls.query.get(1)  # here
    """)
    assert said is not None
    assert said.startswith("`cls.query` is read from the class itself, ")


def test_an_attribute_that_is_read_is_no_call(why):
    said = why("""
        def handle(request):
            return request.query.get("token")  # here
    """)
    what = "is only read here; the rule looks at calls `query(...)`"
    assert said == f"`request.query` {what}"


def test_an_attribute_that_is_passed_on_is_read_as_well(why):
    said = why("print(request.query)  # here\n")
    assert said is not None
    assert said.startswith("`request.query` is only read here")


def test_an_attribute_that_is_written_is_no_call(why):
    said = why("""
        def fill(form, found):
            form.query = found  # here
    """)
    assert said == "`form.query` is assigned here, not called"


def test_the_method_of_a_session_that_is_not_called(why):
    said = why("""
        from sqlalchemy.orm import Session
        def run(session: Session):
            ask = session.query  # here
    """)
    assert said == "`session.query` is not called here; the rule looks only at its calls"


def test_a_definition_named_query(why):
    said = why("""
        class Source:
            def query(self, x):  # here
                return x
    """)
    assert said == "this defines a `query`; the rule looks at calls of a session's `query`"


def test_the_body_of_a_definition_named_query_is_something_else(why):
    text = """
        class Source:
            def query(self, x):
                return x  # here
    """
    assert why(text) is None


# --------------------------------------------------------------------------- already, and goes on
@pytest.mark.parametrize("line", ["select(User)", "delete(User)", "sa.select(User)"])
def test_the_new_style_is_recognised(why, line):
    said = why(f"""
        import sqlalchemy as sa
        from sqlalchemy import delete, select
        from models import User
        stmt = {line}  # here
    """)
    assert said == f"`{line.removesuffix('(User)')}(...)` already has the style of SQLAlchemy 2.0"


def test_a_session_that_executes_is_recognised(why):
    said = why("""
        from sqlalchemy.orm import Session
        def run(session: Session, stmt):
            return session.scalars(stmt).all()  # here
    """)
    assert said == "`session.scalars(...)` already has the style of SQLAlchemy 2.0"


def test_get_of_something_else_is_nothing(why):
    assert why("x = {}.get('a')  # here\n") is None


@pytest.mark.parametrize("line", ["query = query.filter(User.id > 1)", "found = query.all()"])
def test_a_query_that_an_earlier_statement_began_is_pointed_at(why, line):
    said = why(f"""
        from sqlalchemy.orm import Session
        from models import User
        def run(session: Session):
            first = session.query(User)
            query = first.order_by(User.id)
            {line}  # here
            return query
    """)
    assert said == ("`query` holds the query that begins in line 5, which has its own finding")


def test_a_variable_that_holds_something_else_belongs_to_no_query(why):
    assert why("rows = [1]\nfound = rows.count(1)  # here\n") is None


# ------------------------------------------------------------------------------------------ words
def test_a_query_in_a_string_is_not_run(why):
    said = why('text = "session.query(User).all()"  # here\n')
    assert said == "the query is inside a string, which does not run"


def test_a_query_in_a_docstring_is_not_run(why):
    said = why("""
        def f():
            '''Call this:

            session.query(User).all()  # here
            '''
    """)
    assert said == "the query is inside a string, which does not run"


def test_a_query_in_a_comment_is_not_run(why):
    said = why("x = 1  # session.query(User)  # here\n")
    assert said == "the query is inside a comment, which does not run"


def test_a_query_behind_a_hash_in_a_string_stands_in_the_string(why):
    said = why("x = '# session.query(User)'  # here\n")
    assert said == "the query is inside a string, which does not run"


def test_a_hash_in_a_string_begins_no_comment(why):
    assert why("x = '# y'  # here\n") is None


def test_a_line_that_looks_like_nothing_gets_no_sentence(why):
    assert why("import os  # here\n") is None


# ----------------------------------------------------------------------------------------- places
def test_what_is_named_in_the_place_counts_before_what_is_around_it(why):
    text = """
        from sqlalchemy import select
        from models import User
        found = client.query(
            "users",
            select(User),  # here
        )
    """
    assert why(text) == "`select(...)` already has the style of SQLAlchemy 2.0"


def test_the_innermost_call_around_a_place_counts(why):
    text = """
        found = outer.query("x", inner.query(
            1,  # here
        ))
    """
    said = why(text)
    assert said is not None
    assert said.startswith("nothing shows that `inner` is a SQLAlchemy session (")


def test_a_column_picks_one_of_two(why):
    text = "x = a.query(), b.query()  # here\n"
    assert "`a` is a SQLAlchemy session" in (why(text, "query()") or "")
    assert "`b` is a SQLAlchemy session" in (why(text, "query()  #") or "")


def test_a_file_that_cannot_be_parsed_gets_no_sentence(tmp_path):
    sources = {"app.py": decode("app.py", b"def f(:\n  x.query()\n")}
    project = Project(Snapshot(sources), read_targets(tmp_path, None, {}))
    assert RULE.why_no_site(project, Place("app.py", Span(8, 20))) is None


# -------------------------------------------------------------------------------- manual sites
def test_a_session_that_nothing_proves_says_where_that_ends(tmp_path):
    text = """
        import sqlalchemy
        def run(session, model):
            return session.query(model).all()
    """
    sources = {"app.py": decode("app.py", dedent(text).encode())}
    project = Project(Snapshot(sources), read_targets(tmp_path, None, {}))
    (found,) = RULE.plan(project, Constraints()).findings
    (place,) = found.related
    assert found.reason == "query-to-select/unproven-session"
    assert place.note == "parameter `session` has no annotation"
    assert sources["app.py"].text[place.span.start : place.span.end] == b"session"
    assert place.span.start < found.place.span.start


def test_a_hook_says_where_it_is(tmp_path):
    hook = """
        from sqlalchemy import event
        from sqlalchemy.orm import Query
        @event.listens_for(Query, "before_compile")
        def hide(query):
            return query
    """
    text = """
        from sqlalchemy.orm import Session
        def run(session: Session):
            return session.query(1).all()
    """
    files = {"app.py": text, "hooks.py": hook}
    sources = {path: decode(path, dedent(one).encode()) for path, one in files.items()}
    project = Project(Snapshot(sources), read_targets(tmp_path, None, {}))
    (found,) = RULE.plan(project, Constraints()).findings
    assert found.reason == "query-to-select/query-hooks"
    assert [place.path for place in found.related] == ["hooks.py"]


@pytest.mark.parametrize(
    "event",
    ["after_bulk_delete", "after_bulk_update", "before_compile_delete", "before_compile_update"],
)
def test_a_listener_to_writes_of_query_holds_writes_only(tmp_path, event):
    hook = f"""
        from sqlalchemy import event
        from sqlalchemy.orm import Query
        event.listen(Query, "{event}", print)
    """
    text = """
        from models import Post
        from sqlalchemy.orm import Session
        def run(session: Session):
            session.query(Post).delete(synchronize_session=False)
            return session.query(Post).count()
    """
    models = """
        from sqlalchemy import Column, Integer
        from sqlalchemy.orm import declarative_base
        Base = declarative_base()
        class Post(Base):
            __tablename__ = "post"
            id = Column(Integer, primary_key=True)
    """
    files = {"app.py": text, "hooks.py": hook, "models.py": models}
    sources = {path: decode(path, dedent(one).encode()) for path, one in files.items()}
    project = Project(Snapshot(sources), read_targets(tmp_path, None, {}))
    found = RULE.plan(project, Constraints()).findings
    assert [one.reason for one in found] == ["query-to-select/bulk-events", None]
    assert [place.path for place in found[0].related] == ["hooks.py"]
