"""Where ``Model.query`` comes from, and how the session behind it is named in a file."""

from __future__ import annotations

import ast

import pytest
from programs import last, module_of, program

from awaken.project.frameworks.sqlalchemy.queries.class_queries import ClassQuery
from awaken.project.names.in_scope import InScope
from awaken.project.values.domain import Unknown

FLASK = """
    from flask_sqlalchemy import SQLAlchemy
    db = SQLAlchemy()
"""
REGISTRY = """
    from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker
    registry = scoped_session(sessionmaker())
    Base = declarative_base()
"""


def query(files, name):
    return program(files).orm.class_queries.source_of(name)


def query_of_subclasses(files, name):
    return program(files).orm.class_queries.of_subclasses(name)


def session(found):
    assert isinstance(found, ClassQuery), found
    return found.owner, found.attribute, bool(found.custom)


@pytest.mark.parametrize(
    "model",
    [
        "from ext import db\nclass A(db.Model): pass\n",
        "import ext\nclass A(ext.db.Model): pass\n",
        "from ext import db as database\nclass A(database.Model): pass\n",
        "from ext import db\nModel = db.Model\nclass A(Model): pass\n",
        "from ext import db\nclass Mixin: pass\nclass A(Mixin, db.Model): pass\n",
        "from ext import db\nclass Top(db.Model):\n  __abstract__ = True\nclass A(Top): pass\n",
        "from ext import *\nclass A(db.Model): pass\n",
    ],
)
def test_a_model_of_flask_asks_the_session_of_its_extension(model):
    assert session(query({"ext.py": FLASK, "m.py": model}, "m.A")) == ("ext.db", "session", False)


@pytest.mark.parametrize(
    "model",
    [
        "from d import *\nBase.query = registry.query_property()\nclass A(Base): pass\n",
        "from d import Base, registry\nclass A(Base):\n  query = registry.query_property()\n",
        "import d\nclass A(d.Base): pass\nA.query = d.registry.query_property(None)\n",
        (
            "import d\nclass A(d.Base): pass\n"
            "def init():\n  d.Base.query = d.registry.query_property()\n"
        ),
        (
            "from d import registry\nfrom sqlalchemy.orm import declarative_base\n"
            "class P:\n  query = registry.query_property()\n"
            "B = declarative_base(cls=P)\nclass A(B): pass\n"
        ),
    ],
)
def test_a_query_property_asks_its_registry(model):
    assert session(query({"d.py": REGISTRY, "m.py": model}, "m.A")) == ("d.registry", "", False)


@pytest.mark.parametrize(
    "model",
    [
        "from ext import db\nclass A(db.Model):\n  query_class = object\n",
        "from ext import db\nclass M:\n  query_class = object\nclass A(M, db.Model): pass\n",
        (
            "from flask_sqlalchemy import SQLAlchemy\nfrom own import Query\n"
            "db = SQLAlchemy(query_class=Query)\nclass A(db.Model): pass\n"
        ),
        (
            "from flask_sqlalchemy import SQLAlchemy\nfrom own import Query\n"
            "db = SQLAlchemy(session_options=dict(query_cls=Query))\nclass A(db.Model): pass\n"
        ),
        (
            "from flask_sqlalchemy import SQLAlchemy\nfrom own import options\n"
            "db = SQLAlchemy(session_options=options)\nclass A(db.Model): pass\n"
        ),
        (
            "from flask_sqlalchemy import SQLAlchemy\nclass Own(SQLAlchemy):\n"
            "  def create_scoped_session(self, options=None): pass\n"
            "db = Own()\nclass A(db.Model): pass\n"
        ),
        "from d import Base, registry\nclass A(Base):\n  query = registry.query_property(object)\n",
    ],
)
def test_a_query_class_of_the_program_is_noted(model):
    found = query({"ext.py": FLASK, "d.py": REGISTRY, "m.py": model}, "m.A")
    assert isinstance(found, ClassQuery)
    assert found.custom


@pytest.mark.parametrize(
    "model",
    [
        "from ext import db\nclass A(db.Model):\n  query_class = Q\n",
        (
            "from flask_sqlalchemy import SQLAlchemy\n"
            "db = SQLAlchemy(query_class=Q, session_options={'autoflush': False})\n"
            "class A(db.Model): pass\n"
        ),
        "from d import Base, registry\nclass A(Base):\n  query = registry.query_property(Q)\n",
    ],
)
@pytest.mark.parametrize(
    "plain",
    [
        "from flask_sqlalchemy.query import Query as Q\n",
        "from flask_sqlalchemy import BaseQuery as Q\n",
        "from sqlalchemy.orm import Query as Q\n",
    ],
)
def test_the_query_class_of_a_library_is_none_of_the_program(model, plain):
    found = query({"ext.py": FLASK, "d.py": REGISTRY, "m.py": plain + model}, "m.A")
    assert isinstance(found, ClassQuery)
    assert not found.custom


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("from d import Base\nclass A(Base): pass\n", "nothing shows"),
        ("from d import Base\nclass A(Base):\n  query = make()\n", "a meaning of its own"),
        ("from ext import db\nclass A(db.Model): pass\nA.query = Fake()\n", "another value"),
        (
            (
                "from d import Base\nclass A(Base): pass\n"
                "def init(r):\n  A.query = r.query_property()\n"
            ),
            "not known as a registry",
        ),
        (
            (
                "from d import Base\nfrom sqlalchemy.orm import scoped_session\n"
                "class A(Base): pass\n"
                "def init():\n  r = scoped_session(1)\n  A.query = r.query_property()\n"
            ),
            "no variable of a module",
        ),
        (
            (
                "from d import Base, registry\nfrom ext import db\n"
                "class A(Base, db.Model):\n  query = registry.query_property()\n"
            ),
            "several places",
        ),
    ],
)
def test_what_cannot_be_told_says_why(model, why):
    found = query({"ext.py": FLASK, "d.py": REGISTRY, "m.py": model}, "m.A")
    assert isinstance(found, Unknown)
    assert why in found.why


@pytest.mark.parametrize(
    "model",
    [
        "class A: pass\n",
        "class A:\n  query = 1\n",
        "from d import Base\nfrom sqlalchemy import Column\nclass A(Base):\n  query = Column()\n",
        "from ext import db\nclass A(db.Model):\n  def query(self): pass\n",
        "from elsewhere import Thing\nclass A(Thing): pass\n",
    ],
)
def test_other_attributes_of_that_name_are_none(model):
    assert query({"ext.py": FLASK, "d.py": REGISTRY, "m.py": model}, "m.A") is None


def test_a_mixin_asks_what_its_subclasses_ask():
    files = {"ext.py": FLASK, "m.py": "class M: pass\n"}
    files["a.py"] = "from ext import db\nfrom m import M\nclass A(M, db.Model): pass\n"
    assert query(files, "m.M") is None
    assert session(query_of_subclasses(files, "m.M")) == ("ext.db", "session", False)
    files["b.py"] = FLASK.replace("db", "other") + (
        "    from m import M\n    class B(M, other.Model): pass\n"
    )
    assert isinstance(query_of_subclasses(files, "m.M"), Unknown)


def test_one_subclass_with_its_own_query_makes_the_family_unknown():
    files = {"ext.py": FLASK}
    files["m.py"] = (
        "from ext import db\nclass A(db.Model): pass\nclass B(A):\n  query_class = object\n"
    )
    assert session(query(files, "m.A")) == ("ext.db", "session", False)
    assert isinstance(query_of_subclasses(files, "m.A"), Unknown)


def test_the_class_that_an_extension_is_made_with_asks_its_session():
    files = {
        "m.py": """
            from flask_sqlalchemy import SQLAlchemy
            from sqlalchemy.orm import DeclarativeBase
            class Base(DeclarativeBase): pass
            class Other(DeclarativeBase): pass
            db = SQLAlchemy(model_class=Base)
        """
    }
    assert session(query_of_subclasses(files, "m.Base")) == ("m.db", "session", False)
    assert not isinstance(query_of_subclasses(files, "m.Other"), ClassQuery)


# ------------------------------------------------------------------------------- names in scope
MODELS = "from ext import db\nclass A(db.Model): pass\n"


def reach(text, owner="ext.db", **files):
    project = program({"ext.py": FLASK, "m.py": MODELS, "site.py": text, **files})
    module = module_of(project, "site.py")
    node = next(n for n in module.walk() if isinstance(n, ast.Attribute) and n.attr == "query")
    return project.name_in_scope(module, node, owner, node.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from m import A\nfrom ext import db\nA.query\n", InScope("db")),
        ("from m import A, db as d\nA.query\n", InScope("d")),
        ("import ext\nfrom m import A\nA.query\n", InScope("ext.db")),
        ("import m\nm.A.query\n", InScope("m.db")),
        ("from m import A\ndef f():\n  from ext import db\n  A.query\n", InScope("db")),
        ("from m import A\nA.query\n", InScope("db", "ext")),
        ("from m import A\ndef f():\n  A.query\nfrom ext import db\n", InScope("db")),
    ],
)
def test_the_session_has_a_name_or_can_be_imported(text, expected):
    assert reach(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def f():\n  from m import A\n  A.query\n", "inside a function"),
        ("from m import A\ndef f(db):\n  A.query\n", "means something else"),
        ("from m import A\ndb = 1\nA.query\n", "means something else"),
        ("from m import A\nA.query\nfrom ext import db\n", "means something else"),
        ("from m import A\nfrom elsewhere import *\nA.query\n", "a star import"),
        ("if x:\n  from m import A\nA.query\n", "not imported in every case"),
        ("from m import A\ndef f():\n  A.query\n  from ext import db\n", "means something else"),
        ("import m as n\nA = n.A\nA.query\n", "not imported in this file"),
    ],
)
def test_a_session_without_a_name_says_why(text, why):
    found = reach(text)
    assert isinstance(found, str), found
    assert why in found


def test_what_reexports_the_class_must_have_the_session_before_it():
    text = "from api import A\nA.query\n"
    assert reach(text, **{"api.py": "from m import db, A\n"}) == InScope("db", "ext")
    both = {"api.py": "from m import db\nfrom m import A\n"}
    assert reach(text, **both) == InScope("db", "ext")
    cyclic = {
        "ext.py": "import other\nfrom flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"
    }
    assert reach(text, **both, **cyclic, **{"other.py": ""}) == InScope("db", "api")


def test_only_a_file_that_imports_nothing_of_the_project_is_imported_anew():
    text = "from api import A\nA.query\n"
    files = {"api.py": "from m import A\n"}
    assert reach(text, **files) == InScope("db", "ext")
    cyclic = {
        **files,
        "ext.py": "import api\n" + "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n",
    }
    assert "for sure" in str(reach(text, **cyclic))


CYCLIC = "import api\nfrom flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"


@pytest.mark.parametrize(
    ("hub", "is_found"),
    [
        ("from m import db\nfrom m import A\n", True),
        ("from m import db\nfrom m import A\ndef f(): db.func(db.session.scalar(A))\n", True),
        ("from m import db\nfrom m import A\ndef f(): return db.session.scalar(A)\n", False),
        ("from m import db\nfrom m import A\ndef f(): return db.paginate(A)\n", False),
        ("from m import db\nfrom m import A\ndef f(db): return db.func\ndb.session\n", False),
    ],
)
def test_a_file_that_only_runs_statements_with_the_session_passes_none_on(hub, is_found):
    for text in ("from hub import A\nA.query\n", "import hub\nhub.A.query\n"):
        found = reach(text, **{"ext.py": CYCLIC, "api.py": "", "hub.py": hub})
        assert isinstance(found, InScope) == is_found, found


@pytest.mark.parametrize(
    "text",
    [
        "from m import A as B\ndef f():\n  from n import A\n  A.query\n",
        "from n import A\nfrom m import A as B\ndef f():\n  A.query\n",
    ],
)
def test_the_session_is_imported_from_where_another_name_comes_from(text):
    files = {"ext.py": CYCLIC, "api.py": "", "n.py": "from m import A\n"}
    assert reach(text, **files) == InScope("db", "m")
    below = text.replace("from m import A as B\n", "") + "from m import A as B\n"
    assert isinstance(reach(below, **files), str)


def test_a_variable_that_is_bound_twice_is_no_name_of_a_session():
    twice = {"ext.py": "db = None\ndef init():\n  global db\n  db = make()\n"}
    assert "more than once" in str(reach("from m import A\nfrom ext import db\nA.query\n", **twice))


def test_an_extension_is_known_from_other_objects():
    project = program({"ext.py": FLASK, "s.py": "from ext import db\nimport other\ndb\nother.db\n"})
    module = module_of(project, "s.py")
    assert project.orm.class_queries.is_extension(module, last(module, "db"))
    assert not project.orm.class_queries.is_extension(module, last(module, "other.db"))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("m.A", "from invenio_db import db\nclass A(db.Model): pass\n"),
        ("m.A", "from invenio_db.shared import db\nclass A(db.Model, db.Timestamp): pass\n"),
        ("invenio_accounts.models.User", ""),
    ],
)
def test_a_model_may_ask_the_extension_of_a_library(name, model):
    assert session(query({"m.py": model}, name)) == ("invenio_db.db", "session", False)


def test_a_class_of_a_library_that_is_not_known_has_no_query():
    assert query({"m.py": ""}, "invenio_accounts.models.Unheard") is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from invenio_db import db\ndef f():\n  x", InScope("db")),
        ("import invenio_db\ndef f():\n  x", InScope("invenio_db.db")),
        ("def f():\n  x", InScope("db", "invenio_db")),
        (
            "db = 1\ndef f():\n  x",
            "the name `db`, which is to be imported, means something else here",
        ),
        ("from a import *\ndef f():\n  x", "a star import may bring in another `db`"),
    ],
)
def test_the_extension_of_a_library_can_be_imported_anywhere(source, expected):
    project = program({"m.py": source})
    module = module_of(project, "m.py")
    site = last(module, "x")
    assert project.name_in_scope(module, site, "invenio_db.db", site) == expected
