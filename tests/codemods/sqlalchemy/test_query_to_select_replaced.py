"""Methods of sessions and of Query that a program replaces, in every way that we know of."""

from __future__ import annotations

import pytest
from example_models import USER

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Level
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

MODELS = f'from sqlalchemy import create_engine\n{USER}\n\nengine = create_engine("sqlite://")\n'
QUERIES = {
    "scalars": "s.query(User).filter(User.id > 1).all()",
    "scalar": "s.query(User).count()",
    "execute": "s.query(User.id, User.id + 1).all()",
    "get": "s.query(User).get(1)",
    "written": "s.query(User).filter(User.id > 1).delete(synchronize_session=False)",
}
SESSIONS = """\
from sqlalchemy import orm
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from models import User, engine


class Plain(Session):
    def other(self):
        return self.info

"""
OWN = """\
class Own(Session):
    def {0}(self, *given, **named):
        return super().{0}(*given, **named)
"""
OTHERS = {
    "mixin": OWN.replace("Own(Session)", "Mixin") + "class Own(Mixin, Session):\n    pass\n",
    "assigned": "def own(self, *given):\n    pass\nclass Own(Session):\n    {0} = own\n",
    "in-init": "class Own(Session):\n    def __init__(self, bind):\n"
    "        super().__init__(bind)\n        self.{0} = print\n",
    "grandchild": OWN.replace("Own", "First") + "class Own(First):\n    pass\n",
    "by-a-module": OWN.replace("Session", "orm.Session"),
    "any-name": "class Own(Session):\n    def __getattribute__(self, name):\n"
    "        return super().__getattribute__(name)\n",
    "metaclass": "class Own(Session, metaclass=Logging):\n    pass\n",
    "decorated": "@logging\nclass Own(Session):\n    pass\n",
    "library": "from audit import Audited\nclass Own(Audited, Session):\n    pass\n",
    "made": "Own = type('Own', (Session,), {{'{0}': print}})\n",
    "made-by-name": "Own = type(str('Own'), (Session,), {{'{0}': print}})\n",
    "made-on-lines": "Own = type(\n    # ours\n    'Own',\n    (Session,), {{'{0}': print}})\n",
    "made-of-a-name": "name = 'Own'\nOwn = type(name, (Session,), {{'{0}': print}})\n",
}
GIVEN = {
    "annotated": "def f(s: Own):\n    return {}\n",
    "annotated-as-text": "def f(s: 'Own'):\n    return {}\n",
    "base-annotated": "def f(s: Session):\n    return {}\n",
    "made": "def f():\n    s = Own(engine)\n    return {}\n",
    "factory": "Make = sessionmaker(engine, class_=Own)\ndef f():\n"
    "    with Make() as s:\n        return {}\n",
    "configured": "Make = sessionmaker(engine)\nMake.configure(class_=Own)\ndef f():\n"
    "    s = Make()\n    return {}\n",
    "scoped": "s = scoped_session(sessionmaker(engine, class_=Own))\ndef f():\n    return {}\n",
    "by-use": "def f(s):\n    return {}\n",
}
OUTSIDE = {
    "assigned": "Session.{0} = print\n",
    "setattr": "setattr(Session, '{0}', print)\n",
    "computed": "def put(name):\n    setattr(Session, name, print)\n",
    "of-a-subclass": "Plain.{0} = print\n",
    "of-a-session": "def put(session: Session):\n    session.{0} = print\n",
    "patched-object": "from unittest import mock\nmock.patch.object(Session, '{0}').start()\n",
    "patched-several": "from unittest import mock\nmock.patch.multiple(Session, {0}=print)\n",
    "patched-text": "from unittest.mock import patch\n"
    "@patch('sqlalchemy.orm.Session.{0}')\ndef test(fake):\n    f(Session(engine))\n",
    "patched-home": "from unittest.mock import patch\n"
    "@patch('sqlalchemy.orm.session.Session.{0}')\ndef test(fake):\n    f(Session(engine))\n",
    "patched-own": "from unittest.mock import patch\n"
    "@patch('app.Plain.{0}')\ndef test(fake):\n    f(Session(engine))\n",
    "monkeypatch": "def test(monkeypatch):\n    monkeypatch.setattr(Session, '{0}', print)\n"
    "    f(Session(engine))\n",
}  # fmt: skip
CALLS = {"scalars": {"scalars", "execute"}, "scalar": {"scalar", "execute"}}
"""The methods of a session that a query, or its rewrite, calls; of the others only its own."""
CALLS |= {"execute": {"execute"}, "written": {"execute"}, "get": {"get"}}


def levels(text):
    sources = {
        f"{name}.py": decode(f"{name}.py", content.encode())
        for name, content in {"models": MODELS, "app": text}.items()
    }
    project = Project(Snapshot(sources), Targets(), settings=ProjectSettings(published=False))
    return [one.level for one in QueryToSelect().plan(project, Constraints()).findings]


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("method", ["execute", "scalars", "scalar", "get", "other"])
def test_what_a_session_class_overrides_is_said_however_it_is_given(given, method):
    used = "".join(GIVEN[given].format(query) for query in QUERIES.values())
    found = levels(SESSIONS + OWN.format(method) + used)

    unsafe = [Level.UNSAFE if method in calls else Level.SAFE for calls in map(CALLS.get, QUERIES)]
    assert found == unsafe


@pytest.mark.parametrize("own", OTHERS)
@pytest.mark.parametrize("query", QUERIES)
def test_every_way_to_write_such_a_class_is_seen(own, query):
    method = "execute" if query == "written" else query
    text = SESSIONS + OTHERS[own].format(method) + GIVEN["base-annotated"].format(QUERIES[query])

    assert levels(text) == [Level.UNSAFE]


@pytest.mark.parametrize("way", OUTSIDE)
@pytest.mark.parametrize("query", QUERIES)
def test_every_way_to_replace_a_method_from_outside_is_seen(way, query):
    method = "execute" if query == "written" else query
    text = SESSIONS + OUTSIDE[way].format(method) + GIVEN["base-annotated"].format(QUERIES[query])

    assert levels(text) == [Level.UNSAFE]


@pytest.mark.parametrize(
    "text",
    [
        "class Client:\n    def execute(self, statement):\n        return statement\n",
        "class Client:\n    pass\nClient.execute = print\n",
        "from unittest.mock import MagicMock\nsession = MagicMock()\nsession.scalars = print\n",
        "class Own(Session):\n    def __init__(self):\n        super().__init__(engine)\n",
    ],
)
def test_what_is_no_method_of_a_session_stands_against_nothing(text):
    used = "".join(GIVEN["base-annotated"].format(query) for query in QUERIES.values())

    assert set(levels(SESSIONS + text + used)) == {Level.SAFE}


@pytest.mark.parametrize("method", ["all", "first", "filter", "count", "__iter__", "where"])
@pytest.mark.parametrize(
    "text",
    [
        "Query.{0} = print\n",
        "orm.Query.{0} = print\n",
        "setattr(Query, '{0}', print)\n",
        "for name in ():\n    setattr(Query, name, print)\n",
        "from unittest import mock\nmock.patch.object(Query, '{0}').start()\n",
    ],
)
def test_replaced_methods_of_query_hold_every_query(method, text):
    start = SESSIONS + "from sqlalchemy.orm import Query\n" + text.format(method)

    assert levels(start + GIVEN["annotated"].format(QUERIES["get"]).replace("Own", "Session")) == [
        Level.MANUAL
    ]
