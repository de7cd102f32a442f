"""Test doubles of Query: which queries of a program they reach, and which mocks are none."""

from __future__ import annotations

import ast

import pytest
from doubles import HEAD, held, of

from awaken.project import Project, Snapshot
from awaken.project.frameworks.testing import double_index
from awaken.project.frameworks.testing.units import Unit
from awaken.workspace.sources import decode
from tests.project.programs import module_of, program


@pytest.mark.parametrize(
    ("body", "function"),
    [
        pytest.param("m = Mock(); m.query.return_value.first.return_value = 1; first(m)", "first"),
        pytest.param("m = Mock(); m.query().first.return_value = 1; first(m)", "first"),
        pytest.param("m = Mock(); m.query.return_value = 1; first(session=m)", "first"),
        pytest.param("m = Mock(); m.query.side_effect = [1]; first(m)", "first"),
        pytest.param("m = Mock(); first(m); m.query.assert_called_once_with(1)", "first"),
        pytest.param("m = Mock(); first(m); assert m.query.call_count == 1", "first"),
        pytest.param("m = Mock(); m.query = lambda model: None; first(m)", "first"),
        pytest.param("m = Mock(query=lambda model: None); first(m)", "first"),
        pytest.param("m = Mock(**{'query.side_effect': ValueError}); first(m)", "first"),
        pytest.param(
            "m = Mock(); m.configure_mock(**{'query.side_effect': []}); first(m)", "first"
        ),
        pytest.param("q = Mock(); m = Mock(); m.query.return_value = q; through(m)", "first"),
        pytest.param("m = n = Mock(); m.query.return_value = 1; first(n)", "first"),
        pytest.param("m = Mock(); s = m.x; s.query.return_value = 1; first(m.x)", "first"),
        pytest.param("m = Mock(); m.query.return_value = 1; Users(m).get()", "Users.get"),
        pytest.param("m = Mock(); m.query.return_value = 1; u = Users(m); u.get()", "Users.get"),
        pytest.param("u = Users(1); u.x = m = Mock(); m.query.x.all.called; u.get()", "Users.get"),
        pytest.param("m = Mock(); patch.object(m, 'query').start(); first(m)", "first"),
        pytest.param(
            "m = Mock(); n = Mock(); n.x = m; n.x.query.return_value = 1; first(m)", "first"
        ),
        pytest.param(
            "m = Mock(); u = Users(1); m.query.return_value = 1\n"
            "        with patch.object(u, 'session', m): u.get()",
            "Users.get",
        ),
        pytest.param("m = Mock(); m.query.return_value = 1; of_result(m)", "of_result"),
        pytest.param("with patch('app.users.db.session.query'): by_name()", "by_name"),
        pytest.param("with patch.object(db.session, 'query'): by_name()", "by_name"),
        pytest.param("with patch.object(db.session, 'query'): calls_by_name()", "by_name"),
        pytest.param("db.session.query = Mock(); by_name()", "by_name"),
        pytest.param(
            "with patch('app.users.db') as m: m.x.query.return_value = 1; by_name()", "by_name"
        ),
        pytest.param(
            "m = Mock(); m.query.return_value = 1\n"
            "        with patch('app.users.get_session', return_value=m): by_function()",
            "by_function",
        ),
        pytest.param(
            "m = Mock(); m.query.return_value = 1\n"
            "        with patch('app.storage.get_session', return_value=m): Users(1).late()",
            "Users.late",
        ),
        pytest.param("with patch('app.users.db.session.query'): Users(1).size", "Users.size"),
        pytest.param("m = Mock(wraps=db.session); first(m); assert len(m.method_calls)", "first"),
        pytest.param("m = Mock(wraps=db.session); first(m); print(m.mock_calls[0])", "first"),
        pytest.param("m = Mock(); through(m); assert call.query(1) in m.method_calls", "first"),
        pytest.param("m = Mock(); first(m); m.assert_has_calls([call.query(1)])", "first"),
    ],
)  # fmt: skip
def test_a_double_is_followed_into_the_program(body, function):
    project = of(f"    def test_one():\n        {body}\n")
    assert held(project) == {function}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("m = Mock(); first(m)", id="it is told nothing"),
        pytest.param("m = Mock(); m.commit.return_value = 1; first(m)", id="of something else"),
        pytest.param("m = Mock(); m.query.return_value = 1; print(m)", id="no function gets it"),
        pytest.param("m = Mock(); m.query.return_value = 1; first(1)", id="another one is passed"),
        pytest.param("m = Mock(); m.query.return_value = 1; Users(m)", id="no method is called"),
        pytest.param(
            "with patch('app.users.by_name'), patch('app.users.db.session.query'): calls_by_name()",
            id="what asks it is replaced",
        ),
        pytest.param("with patch('app.other.db.session.query'): by_name()", id="unknown file"),
        pytest.param(
            "m = Mock(); first(m); assert call.commit() in m.mock_calls", id="another call"
        ),
        pytest.param("m = Mock(); first(m); m.assert_has_calls([call.add(1)])", id="other calls"),
        pytest.param("m = Mock(); first(m); print(m.commit.mock_calls)", id="calls of another"),
        pytest.param(
            "with patch('app.users.db') as m: m.x.query.return_value = 1; others(1)",
            id="a function of the file that does not ask it",
        ),
        pytest.param(
            "m = Mock(); u = Mock(); m.query.return_value.first.return_value = u; first(u)",
            id="what it gives",
        ),
    ],
)
def test_nothing_else_is_held_back(body):
    project = of(f"    def test_one():\n        {body}\n")
    assert held(project) == set()


def test_fixtures_and_helpers_are_part_of_a_test():
    test = """
    def configured(session):
        session.query.return_value = 1

    @pytest.fixture
    def users(session):
        return Users(session)

    def test_one(users, session):
        configured(session)
        users.get()
    """
    conftest = """
    import pytest
    from unittest.mock import Mock

    @pytest.fixture
    def session():
        return Mock()
    """
    assert held(of(test, tests__conftest=conftest)) == {"Users.get"}


def test_a_double_of_conftest_is_followed_from_the_tests_that_ask_for_it():
    conftest = """
    import pytest
    from unittest.mock import Mock

    @pytest.fixture
    def broken():
        session = Mock()
        session.query.side_effect = ValueError
        return session
    """
    project = of("    def test_one(broken):\n        others(broken)\n", tests__conftest=conftest)
    assert held(project) == {"others"}
    assert [one.name for one in project.doubles.in_file("tests/conftest.py")] == ["session.query"]
    assert project.doubles.in_file("tests/test_users.py") == []


def test_parts_of_what_a_fixture_gives_are_told_apart():
    test = """
    @pytest.fixture
    def mocks():
        one, other = Mock(), Mock()
        other.query.return_value = 1
        return {"one": one, "other": other}

    @pytest.fixture
    def pair():
        one, other = Mock(), Mock()
        one.query.return_value = 1
        return one, other

    def test_one(mocks):
        first(mocks["one"])
        others(mocks["other"])

    def test_two(pair):
        one, other = pair
        through(other)
    """
    assert held(of(test)) == {"others"}


def test_what_a_helper_makes_can_be_handed_on():
    test = """
    def make():
        one, other = Mock(), Mock()
        other.query.return_value = 1
        return one, other

    @pytest.fixture
    def pair():
        made = make()
        return made

    def test_one(pair):
        one, other = pair
        first(one)
        others(other)
    """
    assert held(of(test)) == {"others"}


def test_a_helper_gets_its_arguments_from_the_test_not_from_fixtures():
    test = """
    @pytest.fixture
    def session():
        session = Mock()
        session.query.return_value = 1
        return session

    def run(session):
        first(session)

    def test_one():
        run(Mock())

    def test_two(session):
        others(session)
    """
    assert held(of(test)) == {"others"}


def test_automatic_fixtures_are_part_of_a_test():
    test = """
    @pytest.fixture(autouse=True)
    def patched():
        with patch("app.users.db") as db:
            db.session.query.return_value = 1
            yield

    def test_one():
        by_name()
    """
    assert held(of(test)) == {"by_name"}


def test_any_function_of_a_file_may_use_what_is_patched_there_if_no_call_is_seen():
    test = """
    def test_one(client):
        with patch("app.users.db") as db:
            db.session.query.return_value = 1
            client.get("/somewhere")
    """
    assert held(of(test)) == {"by_name", "outer", "Users.size"}


def test_a_function_inside_another_is_named_once():
    project = of(
        "    def test_one():\n        with patch('app.users.db.session.query'): run('outer')\n"
    )
    assert held(project) == set()
    test = """
    def test_one(app):
        with patch("app.users.db") as db:
            db.session.query.return_value = 1
            app.outer()
    """
    (double,) = of(test).doubles.in_file("tests/test_users.py")
    assert [use.function for use in double.uses] == ["outer"]


def test_files_may_be_dropped_and_parsed_again(monkeypatch):
    monkeypatch.setattr("awaken.project.source.programs.module_store.KEPT_SOURCE_BYTES", 1)
    test = """
    from tests.helpers import make, configured

    def test_one(session):
        configured(session)
        first(session)
        others(make())
    """
    helpers = """
    from unittest.mock import Mock

    def make():
        return Mock(query=lambda model: None)

    def plain():
        return Mock()

    def configured(session):
        session.query.return_value = 1
    """
    conftest = """
    import pytest
    from tests.helpers import plain

    @pytest.fixture
    def session():
        return plain()
    """
    assert held(of(test, tests__helpers=helpers, tests__conftest=conftest)) == {"first", "others"}


def test_the_mocks_of_decorators_are_given_from_the_last_one_on():
    test = """
    @patch("app.users.get_session")
    class TestUsers:
        @patch("app.users.first")
        @patch("app.users.db")
        def test_one(self, db, first, get_session):
            db.session.query.return_value = 1
            by_name()
            by_function()

        @patch("app.users.db", Mock())
        def test_two(self, get_session):
            get_session.return_value.query.return_value = 1
            by_function()
    """
    assert held(of(test)) == {"by_name", "by_function"}


def test_a_fixture_runs_before_what_a_test_patches():
    test = """
    @pytest.fixture
    def number():
        return by_name()

    @patch("app.users.db.session.query")
    def test_one(query, number):
        calls_nothing = number
    """
    assert held(of(test)) == set()


def test_a_class_with_a_query_is_a_double_at_its_definition():
    test = """
    from tests.fakes import Fake, Other

    def test_one(monkeypatch):
        first(Fake())
        monkeypatch.setattr(users, "get_session", Fake)
        by_function()
        others(Other())

    class Heir(Fake):
        query = None

    def test_two(session: Fake):
        given: Fake = session
        through(given)
    """
    fakes = """
    class Fake:
        def query(self, *entities):
            return self

    class Other:
        def execute(self, statement):
            return self
    """
    project = of(test, tests__fakes=fakes)
    assert held(project) == {"first", "by_function"}
    assert [one.name for one in project.doubles.in_file("tests/fakes.py")] == ["Fake.query"]


def test_a_double_that_nothing_in_sight_gets_is_unseen():
    test = """
    def test_one(plugin):
        session = Mock()
        session.query.return_value.filter.return_value = 1
        plugin.run(session)

    def test_two(plugin):
        client = Mock()
        client.query.return_value.rows = 1
        plugin.run(client)
    """
    doubles = of(test).doubles.in_file("tests/test_users.py")
    assert [(one.name, one.unseen) for one in doubles] == [
        ("session.query", True),
        ("client.query", False),
    ]


def test_a_query_is_found_by_its_place():
    project = of("    def test_one():\n        m = Mock(); m.query.return_value = 1; first(m)\n")
    module = module_of(project, "app/users.py")
    one, other, *_ = [
        n for n in module.walk() if isinstance(n, ast.Attribute) and n.attr == "query"
    ]
    double = project.doubles.double_of(module, one)
    assert double is not None
    assert double.place.path == "tests/test_users.py"
    assert project.doubles.double_of(module, other) is None


def test_another_session_of_the_function_is_not_held_back():
    app = """
    from models import User

    def two(session, other):
        return session.query(User).all(), other.query(User).all()
    """
    test = """
    from app.both import two

    def test_one():
        double = Mock()
        double.query.return_value = 1
        two(double, None)
    """
    (double,) = of(test, app__both=app).doubles.in_file("tests/test_users.py")
    assert [(use.function, use.text) for use in double.uses] == [("two", "session.query")]


def test_a_fixture_may_make_doubles_by_a_function_inside():
    conftest = """
    import pytest
    from unittest.mock import Mock

    @pytest.fixture
    def make():
        def inner(name):
            session = Mock()
            session.query().all.return_value = [name]
            return session
        return inner
    """
    test = """
    def test_one(make):
        session = make("ann")
        others(session)
    """
    assert held(of(test, tests__conftest=conftest)) == {"others"}


FIRST = "m = Mock(); m.query.return_value = 1; first(m)"
HELPERS = f"""{HEAD}
    mock = Mock()
    mock.query.return_value = 1

    def call(session):
        first(session)
"""


def edited(earlier: Project, path: str, old: str, new: str) -> Project:
    """Return a program after an edit of one file, with what was found before."""
    files = {one: earlier.snapshot[one] for one in earlier.snapshot}
    text = files[path].text.replace(old.encode(), new.encode())
    assert text != files[path].text
    return Project(Snapshot(files | {path: decode(path, text)}), None, earlier)


def test_an_edited_helper_changes_what_holds_its_tests_double():
    test = "    from tests.helpers import call\n    def test_one():\n        {}\n"
    earlier = of(test.format(FIRST.replace("first", "call")), tests__helpers=HELPERS)
    assert held(earlier) == {"first"}
    later = edited(earlier, "tests/helpers.py", "first(session)", "others(session)")
    assert held(later) == {"others"}


MADE = """
    import pytest
    @pytest.fixture
    def session():
        m = Mock()
        m.query.return_value = 1
        return m
    @pytest.fixture(name="db")
    def named_otherwise():
        m = Mock()
        m.query.return_value = 1
        return m
    def made():
        m = Mock()
        m.query.return_value = 1
        return m
    def made_by_another():
        return made()
    @pytest.fixture
    def asked(session):
        return first(session)
    class Base:
        def make(self):
            m = Mock()
            m.query.return_value = 1
            return m
        @classmethod
        def make_for_class(cls):
            m = Mock()
            m.query.return_value = 1
            return m
"""


@pytest.mark.parametrize(
    "test",
    [
        "def test_one(session): first(session)",
        "def test_one(db): first(db)",
        "def test_one(asked): assert asked",
        "from tests.helpers import made\n    def test_one(): first(made())",
        "from tests.helpers import made as m\n    def test_one(): first(m())",
        "import tests.helpers\n    def test_one(): first(tests.helpers.made())",
        "import tests.helpers as h\n    def test_one(): first(h.made_by_another())",
        (
            "from tests.helpers import Base\n    class TestOne(Base):\n"
            "        def test_one(self): first(self.make())"
        ),
        (
            "from tests.helpers import Base as B\n    class TestOne(B):\n"
            "        def test_one(self): first(B.make_for_class())"
        ),
        (
            "class TestOne:\n        def setUp(self):\n            self.m = m = Mock()\n"
            "            m.query.return_value = 1\n        def test_one(self): first(self.m)"
        ),
        "m = Mock()\n    m.query.return_value = 1\n    def test_one(): first(m)",
        (
            "def test_one():\n        def inside(): return tests.helpers.made()\n"
            "        import tests.helpers\n        first(tests.helpers.made())"
        ),
    ],
)
def test_a_test_is_followed_if_it_names_what_makes_a_double(test):
    made = f"{HEAD}\n{MADE}"
    project = of(f"    {test}\n", tests__helpers=made, tests__conftest=made)
    assert held(project) == {"first"}


@pytest.mark.parametrize(
    "other",
    [
        "def test_two(): first(1)",
        "def test_two():\n        m = Mock()\n        m.make(1)\n        first(m)",
        "class TestTwo:\n        def test_two(self): first(self.other)",
    ],
)
def test_a_test_that_names_nothing_that_makes_a_double_is_not_followed(other, monkeypatch):
    followed: list[str] = []

    def noted(suite, test):
        followed.append(test.node.name)
        return Unit(suite, test)

    monkeypatch.setattr(double_index, "Unit", noted)
    test = f"    from tests.helpers import made\n    def test_one(): first(made())\n    {other}\n"
    assert held(of(test, tests__helpers=f"{HEAD}\n{MADE}")) == {"first"}
    assert followed == ["test_one"]


def test_files_that_cannot_hold_a_double_are_not_parsed():
    files = {
        "app.py": "def f(session):\n    return session.query(1)\n",
        "tests/test_other.py": "def test_one( query = 1 session.query(1).all()",
        "tests/test_mock.py": "from unittest.mock import Mock; ( query",
        "notes.py": "( m.query.return_value = 1",
    }
    project = program(files)
    assert project.doubles.in_file("tests/test_other.py") == []
    assert project.parse_failures == {}
