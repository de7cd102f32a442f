"""Test doubles of functions that become coroutine functions: what is refused of them."""

from __future__ import annotations

from textwrap import dedent

import pytest
from planned import program_of, reason_of, rewritten, session_to_async

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import accepting_more
from awaken.contract import Finding
from awaken.kit.sites import Site

PROGRAM = {
    "database.py": """
        from sqlalchemy.orm import sessionmaker

        LocalSession = sessionmaker()
    """,
    "shop.py": """
        from math import sqrt

        from sqlalchemy import select, text
        from sqlalchemy.orm import Session

        def price(db: Session) -> int:
            return db.scalar(text("select 1"))

        def plain() -> int:
            return 1

        def order(db: Session) -> int:
            return price(db) + plain()

        def order_alone() -> int:
            from database import LocalSession

            with LocalSession() as db:
                return order(db)

        class Prices:
            def of(self, db: Session) -> int:
                return price(db)
    """,
    "tests/test_shop.py": """
        import shop
        from functools import partial
        from unittest.mock import AsyncMock, MagicMock, Mock, patch
        from sqlalchemy.orm import Session

        def one(db):
            return 1

        {test}
    """,
}


def _findings(test: str) -> tuple[Finding, ...]:
    files = {path: dedent(text).replace("{test}", dedent(test)) for path, text in PROGRAM.items()}
    return session_to_async(files).findings


def _refused(test: str) -> list[str]:
    findings = _findings(test)
    return [finding.message for finding in findings if "test-double" in (finding.reason or "")]


MIXED = """
    def counted():
        return shop.price(Session())
    def test(monkeypatch):
        monkeypatch.setattr({0}, counted)
"""
BOTH = """
    def test(monkeypatch, db: Session):
        def fake(*args):
            return 1
        monkeypatch.setattr(shop, "price", fake)
        monkeypatch.setattr(shop, "plain", fake)
        shop.order(db)
"""
BOUND = """
    def test(monkeypatch, db: Session):
        monkeypatch.setattr(shop.Prices, "of", one)
        monkeypatch.setattr(shop, "plain", one)
        shop.Prices().of(db)
"""
MOCK = """
    def test(db: Session):
        with patch("shop.price", {0}) as mock:
            shop.order(db)
"""


def test_what_waits_stands_in_for_functions_of_the_program_alone():
    why = (
        "`counted` becomes a coroutine function, but `shop.sqrt`, which it replaces, "
        "stays synchronous"
    )

    assert _refused(MIXED.format('shop, "sqrt"')) == [why]
    assert _refused(MIXED.format('shop, "plain"')) == []
    assert _refused(MIXED.format('shop, "price"')) == []


def test_what_stands_in_for_both_kinds_is_called_by_a_mock():
    assert _refused(BOTH) == []


def test_a_method_is_replaced_by_what_is_given_its_object():
    (why,) = _refused(BOUND)

    assert why.startswith(
        "`shop.Prices.of` becomes a coroutine function; `one` replaces it in a test"
    )


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [
        ("new=Mock()", False),
        ("Mock(return_value=1)", False),
        ("AsyncMock()", False),
        ("new_callable=MagicMock", False),
        ("new_callable=partial(Mock, return_value=1)", True),
        ("partial(one)", True),
        ("one", False),
    ],
)
def test_what_a_mock_is_bound_to_stays_what_it_is(given, is_refused):
    assert bool(_refused(MOCK.format(given))) == is_refused


def test_a_result_has_methods_of_one_kind():
    test = """
        def test(db: Session):
            with patch("shop.price") as mock:
                mock.return_value.of.return_value = 1
                {0}
                shop.order(db)
    """

    assert _refused(test.format("")) == []
    (why,) = _refused(test.format("mock.return_value.upper.return_value = 2"))
    assert (
        why
        == "`shop.price` returns an object of which only some methods become coroutine functions"
    )


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [("sessionmaker()", False), ("Session", True), ("lambda: 1", True), ("Mock()", True)],
)
def test_a_factory_of_sessions_is_replaced_by_one(given, is_refused):
    test = f"""
        from sqlalchemy.orm import sessionmaker
        def test(monkeypatch):
            factory = {given}
            monkeypatch.setattr("database.LocalSession", factory)
            shop.order_alone()
    """

    assert bool(_refused(test)) == is_refused
    reasons = {finding.reason for finding in _findings(test)}
    assert "session-to-async/handed-session" not in reasons


PATCHED_CLASS = """
    def test(db: Session):
        session = MagicMock()
        session.__enter__.return_value = {0}
        with patch("shop.Session", {1}):
            shop.order(db)
"""


def test_a_patched_session_class_is_understood_by_its_mock_alone():
    entered = PATCHED_CLASS.format("session", "return_value=session")
    another = PATCHED_CLASS.format("db", "return_value=session")
    unknown = PATCHED_CLASS.format("session", "new=one")

    assert _refused(entered) == []
    assert "`shop.Session` becomes a coroutine function" in _refused(another)[0]
    assert "`shop.Session` becomes a coroutine function" in _refused(unknown)[0]


FAKE = """
    class Fake:
        def scalar(self, statement):
            return 1
        {0}
    def test(monkeypatch):
        session = Fake()
        monkeypatch.setattr("database.LocalSession", lambda: {1})
        assert shop.order_alone() == 2
        {2}
"""


@pytest.mark.parametrize(
    ("methods", "given", "more", "refused"),
    [
        ("", "session", "", ""),
        ("def close(self): pass", "Fake()", "session.scalar = lambda statement: 2", ""),
        ("", "Mock()", "", "`database.LocalSession` becomes a coroutine function"),
        ("def begin(self): return self", "session", "", "`begin` may or may not be awaitable"),
        ("def expire(self, item): pass", "session", "", "`expire` may or may not be awaitable"),
        ("@property\n        def commit(self): pass", "session", "", "`commit` may or may not"),
        ("", "session", "session.begin = lambda: session", "`begin` may or may not be awaitable"),
        ("", "session", "session.scalar('x')", "a test calls `scalar` itself"),
    ],
)
def test_a_session_by_hand_is_made_of_methods_that_are_awaited(methods, given, more, refused):
    why = _refused(FAKE.format(methods, given, more))
    assert bool(why) == bool(refused)
    assert any(refused in one for one in why) or not refused


@pytest.mark.parametrize(
    ("use", "is_refused"),
    [
        ("[one for one in db.scalars(statement)]", False),
        ("db.scalars(statement).all()", True),
        ("db.scalars(statement, execution_options={'stream_results': True}).first()", True),
        ("db.scalars(select(1)).all()", False),
    ],
)
def test_what_comes_row_by_row_is_used_by_loops(use, is_refused):
    text = f"""
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        def rows(db: Session):
            statement = select(1).execution_options(yield_per=10)
            return {use}
    """
    findings = session_to_async({"rows.py": dedent(text)}).findings
    assert any(reason_of(one) == "streamed" for one in findings) == is_refused


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("lambda: None", "lambda **kwargs: None"),
        ("lambda a, /: a", "lambda a, /, **kwargs: a"),
        ("lambda *a: a", "lambda *a, **kwargs: a"),
        ("lambda a, b=1: kwargs", "lambda a, b=1, **options: kwargs"),
        ("lambda **k: k", "lambda **k: k"),
    ],
)
def test_a_function_takes_what_it_is_passed_additionally(given, written):
    module = program_of({"fake.py": f"fake = {given}\n"}).module("fake.py")
    function = module.tree.body[0].value
    text = module.source.text.decode()
    for edit in accepting_more(Site("rule", module, function), function):
        text = text[: edit.anchor.start] + edit.text + text[edit.anchor.end :]
    assert text == f"fake = {written}\n"


REPLACED = """
    import shop
    from sqlalchemy import text

    def test(monkeypatch, db):
        def fake(db, name=None):
            {use}
            return 1
        monkeypatch.setattr({target})
        shop.order(db)
"""


@pytest.mark.parametrize(
    ("target", "is_seen"),
    [
        ("shop, 'price', fake", True),
        ("'shop.price', fake", True),
        ("shop, 'plain', fake", False),
        ("shop.Prices, 'of', fake", True),
    ],
)
def test_a_function_in_the_place_of_another_is_given_what_that_is_given(target, is_seen):
    files = {path: dedent(text) for path, text in PROGRAM.items() if "tests" not in path}
    test = REPLACED.format(use='db.execute(text("select 2"))', target=target)
    program = program_of({**files, "tests/test_shop.py": dedent(test)})
    found = list(program.orm.operations.in_module(program.module("tests/test_shop.py")))
    assert [one.method for one in found] == (["execute"] if is_seen else [])


ENTERED = """
    def test(db: Session):
        {0}
        with patch("database.LocalSession"{1}) as mock:
            {2}
            shop.order_alone()
"""
GIVEN = "mock.return_value.__enter__ = MagicMock(return_value={0})"


@pytest.mark.parametrize(
    ("options", "told", "is_refused"),
    [
        ("", GIVEN.format("db"), False),
        ("", GIVEN.format("fake"), False),
        ("", GIVEN.format("1"), True),
        ("", "mock.return_value.__enter__.return_value = db", False),
        ("", "mock.return_value.__enter__.return_value = fake", False),
        ("", "mock.return_value.__enter__ = one", True),
        ("", "mock.return_value.__enter__ = MagicMock(side_effect=one)", True),
        ("", "mock.return_value.__enter__ = MagicMock()", True),
        ("", "mock.return_value = db", True),
        ("", f"{GIVEN.format('db')}; mock.assert_not_called()", False),
        ("", f"{GIVEN.format('db')}; one(mock)", True),
        ("", f"{GIVEN.format('db')}; mock = 1", True),
        ("", "pass", True),
        (", autospec=True", GIVEN.format("db"), True),
    ],
)
def test_the_mock_of_a_factory_says_what_entering_it_gives(options, told, is_refused):
    test = ENTERED.format("fake = MagicMock()", options, told)

    assert bool(_refused(test)) == is_refused


@pytest.mark.parametrize(
    ("module", "is_refused"),
    [("self.MODULE", False), ("self.other", True), ("MODULE", False), ("str(1)", True)],
)
def test_the_text_of_a_patch_is_put_together_of_constants(module, is_refused):
    test = f"""
        MODULE = "database"
        class TestShop:
            MODULE = "database"
            def test(self, db: Session):
                with patch(f"{{{module}}}.LocalSession") as mock:
                    mock.return_value.__enter__ = MagicMock(return_value=db)
                    shop.order_alone()
    """

    assert bool(_refused(test)) == is_refused


@pytest.mark.parametrize(("given", "is_refused"), [("db", False), ("1", True), ("Mock()", True)])
def test_a_factory_may_give_a_session_itself(given, is_refused):
    test = f"""
        @patch("database.LocalSession", return_value={given})
        def test(mock, db: Session):
            shop.order_alone()
    """
    unbound = f"""
        def test(db: Session):
            with patch("database.LocalSession", return_value={given}):
                shop.order_alone()
    """

    assert _refused(test)
    assert bool(_refused(unbound)) == is_refused


def test_a_factory_that_is_not_entered_is_no_such_mock():
    test = ENTERED.format("", "", GIVEN.format("db"))
    program = PROGRAM["shop.py"] + "\n        def made():\n            return {0}\n"
    files = dict(PROGRAM)
    for made, is_refused in (("1", False), ("database.LocalSession().scalar('x')", True)):
        files["shop.py"] = f"\n        import database{program.format(made)}"
        texts = {path: dedent(text).replace("{test}", dedent(test)) for path, text in files.items()}
        reasons = {reason_of(one) for one in session_to_async(texts).findings}
        assert ("test-double" in reasons) == is_refused


FIXTURE = """
    import pytest
    @pytest.fixture
    def patched(db: Session):
        with patch("database.LocalSession") as mock:
            mock.return_value.__enter__.return_value = db
            yield mock
    def test(patched):
        {0}
        shop.order_alone()
"""


@pytest.mark.parametrize(("use", "is_refused"), [("pass", False), ("patched.x = 1", True)])
def test_the_mock_of_a_factory_is_kept_by_its_fixture(use, is_refused):
    assert bool(_refused(FIXTURE.format(use))) == is_refused


def test_what_is_entered_can_be_awaited():
    texts = {"database": PROGRAM["database.py"], "shop": PROGRAM["shop.py"]}
    told = "mock.return_value.__exit__ = MagicMock(return_value=None)"
    test = ENTERED.format("fake = MagicMock()", "", f"{GIVEN.format('fake')}\n{' ' * 12}{told}")
    texts["tests/test_shop"] = PROGRAM["tests/test_shop.py"]
    whole = {path: dedent(text).replace("{test}", dedent(test)) for path, text in texts.items()}

    written = rewritten(**whole).files["tests/test_shop.py"].decode()

    assert "fake = MagicMock(scalar=AsyncMock(return_value=MagicMock()))" in written
    assert "mock.return_value.__aenter__ = AsyncMock(return_value=fake)" in written
    assert "mock.return_value.__aexit__ = AsyncMock(return_value=None)" in written


KEPT = """
    from app import Handler
    def test(db: Session):
        handler = Handler({0})
        handler.prices.of.{1}
        assert handler.total(db) == 1
"""
HANDLER = """
from shop import Prices
from sqlalchemy.orm import Session

class Handler:
    def __init__(self, prices: Prices) -> None:
        self.prices = prices

    def total(self, db: Session) -> int:
        return self.prices.of(db)
"""


@pytest.mark.parametrize(
    ("given", "told", "is_refused"),
    [
        ("MagicMock()", "return_value = 1", False),
        ("MagicMock()", "assert_not_called()", False),
        ("MagicMock()", "side_effect = one", False),
        ("prices=Mock()", "return_value = 1", False),
        ("shop.Prices()", "return_value = 1", True),
        ("one(1)", "return_value = 1", True),
        ("MagicMock()", "delay()", True),
    ],
)
def test_a_mock_that_an_object_keeps_is_told_what_its_method_gives(given, told, is_refused):
    files = {**PROGRAM, "app.py": HANDLER}
    test = dedent(KEPT.format(given, told))
    texts = {path: dedent(text).replace("{test}", test) for path, text in files.items()}

    reasons = {reason_of(one) for one in session_to_async(texts).findings}

    assert ("handed-on" in reasons) == is_refused


NESTED = {
    "database": """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)
""",
    "notes": """\
from sqlalchemy import text
from sqlalchemy.orm import Session

from database import LocalSession


class Store:
    def count(self, db: Session) -> int:
        return db.scalar(text("select 1"))


class Service:
    def __init__(self) -> None:
        self.store = Store()

    def found(self) -> "Service":
        return self


service = Service()


def counted() -> int:
    with LocalSession() as db:
        other = service.found()
        asked = getattr(other.store, "counted", None) or getattr(other.store, "count", None)
        if asked is not None:
            print(asked(db))
        return service.store.count(db) + Store().count(db)
""",
    "test_notes": """\
from unittest.mock import MagicMock, patch

from notes import Store, counted

""",
}


@pytest.mark.parametrize(
    ("test", "written"),
    [
        (
            """\
@patch("notes.service")
def test(mock_service):
    mock_service.store.count.return_value = 2
    counted()
""",
            '"store.count": AsyncMock(return_value=MagicMock())',
        ),
        (
            """\
@patch("notes.Store")
def test(mock_store):
    made = MagicMock()
    made.count.return_value = 2
    mock_store.return_value = made
    counted()
""",
            "made = MagicMock(count=AsyncMock(return_value=MagicMock()))",
        ),
        (
            """\
@patch("notes.service")
def test(mock_service):
    made = MagicMock()
    mock_service.found.return_value = made
    counted()
""",
            '"store.count": AsyncMock(return_value=MagicMock()),\n',
        ),
        (
            """\
def test():
    told = {"return_value": 2}
    with patch.object(Store, "count", **told):
        counted()
""",
            '**{"return_value": MagicMock(), **told}):',
        ),
    ],
)
def test_what_a_mock_gives_is_said_where_the_program_calls_it(test, written):
    result = rewritten(**{**NESTED, "test_notes": NESTED["test_notes"] + test})

    assert written in result.files["test_notes.py"].decode(), result.files["test_notes.py"].decode()
