from __future__ import annotations

import ast
import importlib

import pytest
from programs import name_in, program

from awaken.knowledge import knowledge
from awaken.project.names.module_layout import Layout
from awaken.project.source.programs.start_folders import StartFolder


@pytest.mark.parametrize(
    ("text", "expression", "name"),
    [
        ("from sqlalchemy.orm import Session\nSession", "Session", "sqlalchemy.orm.Session"),
        ("from sqlalchemy.orm import Session as S\nS", "S", "sqlalchemy.orm.Session"),
        (
            "import sqlalchemy.orm\nsqlalchemy.orm.Session",
            "sqlalchemy.orm.Session",
            "sqlalchemy.orm.Session",
        ),
        ("import sqlalchemy.orm as o\no.Session", "o.Session", "sqlalchemy.orm.Session"),
        ("from sqlalchemy import orm\norm.Session", "orm.Session", "sqlalchemy.orm.Session"),
        (
            "from sqlalchemy.orm.session import Session\nSession",
            "Session",
            "sqlalchemy.orm.Session",
        ),
        ("from sqlalchemy.sql import func as f\nf.count", "f.count", "sqlalchemy.func.count"),
        (
            "from sqlalchemy.orm import *\nrelationship",
            "relationship",
            "sqlalchemy.orm.relationship",
        ),
        ("from sqlalchemy.orm import Session\nS = Session\nS", "S", "sqlalchemy.orm.Session"),
        ("import sqlalchemy as sa\nfunc = sa.func\nfunc", "func", "sqlalchemy.func"),
        (
            (
                "try:\n  from sqlalchemy.orm import declarative_base as b\nexcept ImportError:\n"
                "  from sqlalchemy.ext.declarative import declarative_base as b\nb"
            ),
            "b",
            "sqlalchemy.orm.declarative_base",
        ),
        ("try:\n  import numpy\nexcept ImportError:\n  numpy = None\nnumpy", "numpy", "numpy"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from a import b\nb", "b", "a.b"),
        ("def f():\n  from a import b\n  return b", "b", "a.b"),
        ("def f():\n  from a import b\n  c = b.d\n  return c", "c", "a.b.d"),
        ("len", "len", "builtins.len"),
        ("class A:\n  class B: pass\nA.B", "A.B", "m.A.B"),
        ("class A:\n  x = 1\n  def f(self): return A.x", "A.x", "m.A.x"),
        ("def f():\n  class A: pass\n  return A", "A", "m.f.<locals>.A"),
        ("x = make()\nx", "x", "m.x"),
        ("from a import S\nS = wrap(S)\nS", "S", "m.S"),
        ("from a import S\nS = wrap(S)\ndef f(): return S", "S", "m.S"),
        ("from a import S\ndef f(x: S): ...\nS = wrap(S)\nf", "f", "m.f"),
        ("from a import S\ndef f(): return S\nS = wrap(S)\nf()\ndef g(): return S", "S", "m.S"),
        ("from a import S\nS = wrap(S.T)", "S.T", "a.S.T"),
        (
            (
                "SessionLocal = None\ndef start():\n  global SessionLocal\n"
                "  SessionLocal = make()\n"
                "SessionLocal"
            ),
            "SessionLocal",
            "m.SessionLocal",
        ),
        ("class A:\n  from b import c\n  d = c", "c", "b.c"),
        ("from b import S\nclass A:\n  S = S", "S", "b.S"),
        (
            "if TYPE_CHECKING:\n  from a import m as lazy\nelse:\n  lazy = load('a.m')\nlazy.X",
            "lazy.X",
            "a.m.X",
        ),
        ("try:\n  e = make(url)\nexcept E:\n  e = make('sqlite:///b')\ne", "e", "m.e"),
    ],
)
def test_a_name_is_followed_to_what_it_stands_for(text, expression, name):
    assert name_in({"m.py": text}, "m.py", expression) == name


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("from a import S\ndef f(S): return S", "S"),
        ("from a import S\ndef f():\n  for S in x: S", "S"),
        ("from a import S\ndef f():\n  with x as S: S", "S"),
        ("from a import S\ndef f():\n  S = g()\n  return S", "S"),
        ("from a import S\ndef f(): return S\nf()\nS = wrap(S)\ndef g(): return S", "S"),
        ("from a import S\nfor S in x: pass\nS", "S"),
        ("from a import S\ndef f():\n  global S\n  S = 1\nS", "S"),
        ("from a import S\ndel S\nS", "S"),
        ("from a import S\n[0 for _ in x if (S := 1)]\nS", "S"),
        ("if x:\n  from a import S\nelse:\n  from b import S\nS", "S"),
        ("from a import S\nS.x().y", "S.x().y"),
        ("from a import S\nS[0]", "S[0]"),
        ("unheard_of", "unheard_of"),
        ("from a import *\nunheard_of", "unheard_of"),
        ("from a import *\nlen", "len"),
        ("from a import S\nclass C:\n  if x:\n    S = 1\n  S", "S"),
        ("def f(self): return self.session", "self.session"),
        ("a = b\nb = a\na", "a"),
        ("lazy = load('a.m')\nif x:\n  from b import lazy\nlazy", "lazy"),
        ("try:\n  from a import S\nexcept ImportError as S:\n  pass\nS", "S"),
        ("match x:\n  case S: S", "S"),
    ],
)
def test_a_name_that_may_be_something_else_is_not_resolved(text, expression):
    assert name_in({"m.py": text}, "m.py", expression) is None


PACKAGE = {
    "app/__init__.py": "",
    "app/models/__init__.py": "from .user import User\nfrom . import note\nfrom .note import *\n",
    "app/models/user.py": "class User: pass\nclass _Hidden: pass\n",
    "app/models/note.py": "__all__ = ['Note']\nclass Note: pass\nclass Draft: pass\n",
    "app/db.py": "from app.models import User as Person\nimport app.models as every\n",
}


@pytest.mark.parametrize(
    ("text", "expression", "name"),
    [
        ("from app.models import User\nUser", "User", "app.models.user.User"),
        ("from app import models\nmodels.User", "models.User", "app.models.user.User"),
        ("import app.models as m\nm.User", "m.User", "app.models.user.User"),
        (
            "import app.models.user\napp.models.user.User",
            "app.models.user.User",
            "app.models.user.User",
        ),
        ("import app.models\napp.models.user.User", "app.models.user.User", "app.models.user.User"),
        ("from app.models import Note\nNote", "Note", "app.models.note.Note"),
        ("from app.models import note\nnote.Draft", "note.Draft", "app.models.note.Draft"),
        ("from app.db import Person\nPerson", "Person", "app.models.user.User"),
        ("from app.db import every\nevery.User", "every.User", "app.models.user.User"),
        ("from ..models import User\nUser", "User", "app.models.user.User"),
        ("from .. import models\nmodels.Note", "models.Note", "app.models.note.Note"),
        ("from ..models.user import *\nUser", "User", "app.models.user.User"),
        ("from app.models import user\nuser", "user", "app.models.user"),
        ("from app.models import Draft\nDraft", "Draft", None),
        ("from ..models.user import *\n_Hidden", "_Hidden", None),
        ("from app.models import Missing\nMissing", "Missing", None),
        ("from .....beyond import X\nX", "X", None),
        ("from ..models.user import *\nlen", "len", "builtins.len"),
    ],
)
def test_names_are_followed_over_files(text, expression, name):
    files = {**PACKAGE, "app/api/__init__.py": "", "app/api/users.py": text}

    assert name_in(files, "app/api/users.py", expression) == name


def test_files_that_import_from_each_other_do_not_hang():
    files = {
        "a.py": "from b import x\nfrom b import y\n",
        "b.py": "from a import x\nfrom a import *\ny = 1\n",
        "c.py": "from a import x, y\nx\ny\n",
    }

    assert name_in(files, "c.py", "x") is None
    assert name_in(files, "c.py", "y") == "b.y"


def test_a_package_that_imports_its_own_submodule_under_its_name():
    files = {
        "p/__init__.py": "from . import db\nfrom .db import engine\nfrom p import db as again\n",
        "p/db.py": "engine = make()\n",
        "m.py": "from p import db, again, engine\ndb.engine\nagain.engine\nengine\n",
    }

    assert name_in(files, "m.py", "db.engine") == "p.db.engine"
    assert name_in(files, "m.py", "again.engine") == "p.db.engine"
    assert name_in(files, "m.py", "engine") == "p.db.engine"


def test_a_module_that_answers_for_any_name_is_not_trusted():
    files = {
        "lazy.py": "def __getattr__(name): return load(name)\n",
        "m.py": "import lazy\nlazy.x\n",
    }

    assert name_in(files, "m.py", "lazy.x") is None


@pytest.mark.parametrize(
    ("paths", "importer", "name", "path"),
    [
        (["app/__init__.py", "app/m.py"], "main.py", "app.m", "app/m.py"),
        (["src/app/__init__.py", "src/app/m.py"], "tests/test_m.py", "app.m", "src/app/m.py"),
        (["app/m.py"], "app/main.py", "app.m", "app/m.py"),
        (["app/m.py"], "app/main.py", "m", "app/m.py"),
        (["app/__init__.py", "app/m.py"], "app/main.py", "m", None),
        (["back/app/__init__.py", "back/app/m.py"], "back/main.py", "app.m", "back/app/m.py"),
        (["back/app/__init__.py", "back/app/m.py"], "tools/x.py", "app.m", "back/app/m.py"),
        (["back/app/m.py"], "back/app/main.py", "app.m", "back/app/m.py"),
        (["a/x/__init__.py", "b/x/__init__.py"], "a/main.py", "x", "a/x/__init__.py"),
        (["a/x/__init__.py", "b/x/__init__.py"], "main.py", "x", None),
        (["json.py"], "main.py", "json", None),
        (["deep/json/__init__.py"], "main.py", "json", None),
        (["test/__init__.py", "test/make.py"], "test/x.py", "test.make", "test/make.py"),
        (["stub/m.py", "stub/m.pyi"], "stub/n.py", "m", "stub/m.py"),
    ],
)
def test_which_file_an_import_means(paths, importer, name, path):
    assert Layout([*paths, importer]).find(name, importer).path == path


def test_two_files_of_one_name_make_an_import_ambiguous_not_external():
    layout = Layout(["a/x/__init__.py", "b/x/__init__.py", "main.py"])

    assert layout.find("x", "main.py").ambiguous
    assert not layout.find("sqlalchemy", "main.py").ambiguous


@pytest.mark.parametrize(
    ("name", "importer", "path"),
    [
        ("m", "back/app/main.py", "back/app/m.py"),
        ("m", "tests/test_m.py", "back/app/m.py"),
        ("app.m", "back/main.py", "back/app/m.py"),
        ("sub.n", "back/app/main.py", "back/app/sub/n.py"),
        ("json", "back/app/main.py", "back/app/json.py"),
        ("near", "tools/x.py", "tools/near.py"),
        ("other", "back/app/main.py", None),
    ],
)
def test_a_folder_on_the_path_is_one_to_import_from_though_it_is_a_package(name, importer, path):
    paths = ["back/app/__init__.py", "back/app/m.py", "back/app/sub/n.py", "back/app/json.py"]
    layout = Layout(
        [*paths, "back/app/near.py", "tools/near.py", importer], on_path=[StartFolder("back/app")]
    )

    assert layout.find(name, importer).path == path


def test_the_root_is_a_place_to_import_from_even_with_an_init_file():
    layout = Layout(["__init__.py", "models.py", "json.py", "main.py", "app/main.py"])

    assert layout.find("models", "main.py").path == "models.py"
    assert layout.find("models", "app/main.py").path == "models.py"
    assert layout.find("json", "main.py").ambiguous


def test_files_are_named_from_the_nearest_folder_on_the_path():
    paths = ["back/__init__.py", "back/main.py", "back/lib/__init__.py", "back/lib/m.py", "main.py"]
    layout = Layout(paths, on_path=[StartFolder("back"), StartFolder("back/lib")])

    assert layout.name_of("back/lib/m.py") == "m"
    # Two files claim the name.
    assert [layout.name_of(one) for one in ("main.py", "back/main.py")] == ["main", "back.main"]
    assert all(layout.path_of(layout.name_of(one)) == one for one in paths)


def test_every_file_has_one_name_that_leads_back_to_it():
    paths = ["a/x/__init__.py", "b/x/__init__.py", "a/x/m.py", "src/p/__init__.py", "src/s.py"]
    paths += ["v1.0/main.py", "main.py", "src/p/q.py", "lib/t.py", "__init__.py"]
    layout = Layout(paths)
    names = {path: layout.name_of(path) for path in paths}

    assert len(set(names.values())) == len(paths)
    assert all(layout.path_of(name) == path for path, name in names.items())
    assert names["src/p/q.py"] == "p.q"
    assert names["src/s.py"] == "s"
    assert names["a/x/__init__.py"] == "a.x"


def test_a_definition_is_found_by_its_qualified_name():
    project = program({**PACKAGE, "app/f.py": "def go(): pass\nx = 1\ny = 1\ny = 2\n"})
    user = project.definition("app.models.user.User")
    go = project.definition("app.f.go")

    assert (user.path, user.kind, user.name) == (
        "app/models/user.py",
        "class",
        "app.models.user.User",
    )
    assert project.snapshot[user.path].text[user.span.start : user.span.end] == b"class User: pass"
    assert (go.path, go.kind) == ("app/f.py", "function")
    assert project.definition("app.f.x").kind == "assignment"
    assert project.definition("app.f.y") is None
    assert project.definition("sqlalchemy.orm.Session") is None
    assert project.definition("app.f") is None


def test_class_facts_name_the_bases_and_decorators():
    project = program(
        {
            "m.py": "from a import B\n@deco(1)\n@B.mark\n"
            "class C(B, B.Inner[int], make(), table=True): ...\n"
        }
    )
    facts = project.class_facts("m.C")

    assert facts.bases == ("a.B", "a.B.Inner", None)
    assert facts.decorators == (None, "a.B.mark")
    assert facts.keywords == (("table", "True"),)
    assert facts.unique
    assert project.class_facts("m.D") is None


def test_names_that_are_given_each_other_are_none_and_take_no_time():
    text = """
        def f(tree, low):
            node = tree
            while low:
                node = node.left
                node = node.right
                low = node.low
                node = low.high
            node.name
    """

    assert name_in({"m.py": text}, "m.py", "node.name") is None


def test_a_class_that_a_file_defines_twice_is_not_unique():
    project = program({"m.py": "if x:\n  class C: pass\nelse:\n  class C(object): pass\n"})

    assert not project.class_facts("m.C").unique


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("db.func.count", "sqlalchemy.func.count"),
        ("db.relationship", "sqlalchemy.orm.relationship"),
        ("db.Column", "sqlalchemy.Column"),
        ("db.session", "ext.db.session"),
        ("db.unheard_of", "flask_sqlalchemy.SQLAlchemy.unheard_of"),
    ],
)
def test_flask_sqlalchemy_hands_out_the_names_of_sqlalchemy(expression, name):
    files = {
        "ext.py": "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n",
        "m.py": f"from ext import db\n{expression}\n",
    }

    assert name_in(files, "m.py", expression) == name


def test_names_that_are_said_to_be_the_same_are_the_same_objects():
    checked = 0
    for library in knowledge().libraries:
        for row in library.same if library.distribution == "sqlalchemy" else ():
            if row.module == "sqlalchemy.ext.asyncio":
                continue  # needs greenlet to import
            home = importlib.import_module(row.module)
            for also in row.also:
                for name in row.names:
                    theirs = getattr(importlib.import_module(also), name, None)
                    ours = getattr(home, name, None)
                    # Its modules import typing's names, and ext.declarative wraps what it moved.
                    home_of = getattr(theirs, "__module__", "") or ""
                    if theirs is None or ours is None or not home_of.startswith("sqlalchemy"):
                        continue
                    if also == "sqlalchemy.ext.declarative" or name == "type_coerce":
                        continue
                    checked += 1
                    assert theirs is ours, (also, name)

    assert checked > 200


def test_every_row_about_sqlalchemy_names_something_that_exists():
    tables = knowledge()
    rows = [*tables.types, *tables.calls, *tables.managers, *tables.declarative_factories]
    rows += [*tables.declarative_roots, *tables.plain_bases, *tables.instances]
    checked = [row for row in rows if row.startswith("sqlalchemy.") and "asyncio" not in row]

    assert len(checked) > 15
    for row in checked:
        if row != "sqlalchemy.orm.scoping.ScopedSession":  # 1.4 only
            assert exists(row), row


def exists(dotted: str) -> bool:
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name, None)
        return found is not None
    return False


def test_a_namespace_has_what_other_distributions_put_there():
    pages = "from shop import model, web\nmodel.User\nweb\n"
    files = {"shop/web/__init__.py": "", "shop/web/pages.py": pages}

    assert name_in(files, "shop/web/pages.py", "model.User") == "shop.model.User"
    assert name_in(files, "shop/web/pages.py", "web") == "web"


def test_a_folder_between_packages_is_one_where_files_name_it_so():
    files = {
        "app/__init__.py": "",
        "app/io/celery/__init__.py": "from celery import shared_task\n",
        "app/io/celery/tasks.py": "from celery import shared_task\nimport app.io.celery\n",
    }
    project = program(files)
    module = project.module("app/io/celery/tasks.py")

    assert module is not None
    assert project.layout.name_of(module.path) == "app.io.celery.tasks"
    assert project.layout.find("celery", module.path).path is None
    assert project.layout.find("app.io.celery", module.path).path == "app/io/celery/__init__.py"

    elsewhere = program(files | {"app/io/celery/tasks.py": "from celery import shared_task\n"})
    assert elsewhere.layout.name_of(module.path) == "celery.tasks"


TAKEN_BACK = {
    "shop/__init__.py": "from .a import *\nfrom .b import *\nfrom .c import *\n",
    "shop/a.py": "if 0:\n    from . import Book\nclass Tag: ...\n",
    "shop/b.py": "from .a import Tag\nfrom . import a\nclass Book: ...\n",
    "shop/c.py": "from . import Missing\n",
}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Book", "shop.b.Book"),
        ("Tag", "shop.a.Tag"),
        ("a", "shop.a"),
        # What they only import from each other, none of them has.
        ("Missing", None),
    ],
)
def test_a_file_that_a_package_takes_all_of_may_take_names_back_from_it(name, meant):
    files = {**TAKEN_BACK, "main.py": f"from shop import {name}\n{name}\n"}
    assert name_in(files, "main.py", name) == meant


@pytest.mark.parametrize(
    "text",
    [
        "import shop.web.forms\nshop.web.forms.field()",
        "import shop as s\nimport shop.web.forms\ns.web.forms.field()",
        "import shop.web.forms as forms\nforms.field()",
        "from shop.web import forms\nforms.field()",
        "import shop.web.deep.forms\nshop.web.deep.forms.field()",
    ],
)
def test_a_folder_without_init_is_an_attribute_of_its_package(text):
    found = program(
        {
            "shop/__init__.py": "",
            "shop/web/forms.py": "def field(): ...",
            "shop/web/deep/forms.py": "def field(): ...",
            "main.py": text,
        }
    )
    module = found.module("main.py")
    (call,) = (one for one in module.walk() if isinstance(one, ast.Call))
    place = "shop.web.deep" if "deep" in text else "shop.web"
    assert found.qualified_name(module, call.func) == f"{place}.forms.field"
