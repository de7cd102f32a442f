"""Methods of sessions that a test replaces for a while: which queries may run meanwhile."""

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
SHOP = """\
from sqlalchemy import event
from sqlalchemy.orm import Session

from models import User


def find(s: Session):
    return s.query(User).all()


def counted(s: Session):
    return len(find(s))


def add(s: Session):
    s.execute("insert ...", [{"name": "a"}])
    s.commit()


def each(s: Session, work):
    work(s)


class Users:
    def __init__(self, s: Session):
        self.s = s

    @property
    def found(self):
        return find(self.s)

    def of(self):
        return find(self.s)
"""
TESTS = """\
from contextlib import ExitStack, contextmanager
from unittest import TestCase
from unittest.mock import Mock, patch

import pytest
from sqlalchemy.orm import Session

from models import User
from shop import Users, add, counted, each, find


"""
BLOCK = """\
def test_adds(s: Session, users: Users, client):
    with patch.object(s, "execute"):
        {0}
    after = s.query(User).all()


def test_other(s: Session):
    assert s.query(User).all() == []
"""
SHOP_SITE, AFTER, OTHER = 0, 1, 2


def levels(tests, shop=SHOP):
    """Return the levels of the queries: of the shop, then of the tests in their order."""
    texts = {"models.py": MODELS, "shop.py": shop, "tests/test_shop.py": TESTS + tests}
    sources = {path: decode(path, text.encode()) for path, text in texts.items()}
    project = Project(Snapshot(sources), Targets(), settings=ProjectSettings(published=False))
    return [one.level for one in QueryToSelect().plan(project, Constraints()).findings]


@pytest.mark.parametrize(
    ("inside", "runs"),
    [
        ("add(s)", False),
        ("find(s)", True),
        ("counted(s)", True),
        ("each(s, find)", True),
        ("each(s, add)", False),
        ("sorted([s], key=find)", True),
        ("[each(one, add) for one in [s]]", False),
        ("users.found", True),
        ("users.of()", True),
        ("Users(s)", False),
        ("Users(s).of()", True),
        ("(lambda: find(s))()", True),
        ("client.get('/users')", True),
        ("unknown(s)", True),
        ("getattr(users, 'of')()", True),
        ("s.commit()", False),
        ("len([s])", False),
    ],
)
def test_only_what_a_block_runs_may_meet_what_it_replaces(inside, runs):
    found = levels(BLOCK.format(inside))

    assert found[SHOP_SITE] is (Level.UNSAFE if runs else Level.SAFE)
    assert found[OTHER] is Level.SAFE


def test_the_statements_of_the_block_meet_it_and_those_behind_do_not():
    inside, after, other = levels(BLOCK.format("s.query(User).all()"))[1:]

    assert (inside, after, other) == (Level.UNSAFE, Level.SAFE, Level.SAFE)


def test_code_that_listens_runs_in_all_blocks():
    listener = """

@event.listens_for(Session, "after_flush")
def flushed(s: Session, context):
    counted(s)
"""

    assert levels(BLOCK.format("add(s)"), SHOP + listener)[SHOP_SITE] is Level.UNSAFE
    assert levels(BLOCK.format("add(s)"), SHOP)[SHOP_SITE] is Level.SAFE


@pytest.mark.parametrize(
    ("replacing", "expected"),
    [
        # from the first statement of the test to the end of its fixtures
        (
            (
                "def test_adds(s: Session, monkeypatch):\n"
                "    monkeypatch.setattr(s, 'execute', print)\n"
                "    add(s)\n    s.query(User).all()\n"
            ),
            [Level.SAFE, Level.UNSAFE, Level.SAFE],
        ),
        (
            (
                "@patch('sqlalchemy.orm.Session.execute')\n"
                "def test_adds(fake, s: Session):\n    add(s)\n    s.query(User).all()\n"
            ),
            [Level.SAFE, Level.UNSAFE, Level.SAFE],
        ),
        (
            (
                "@patch('sqlalchemy.orm.Session.execute')\n"
                "def test_adds(fake, s: Session):\n    find(s)\n    s.query(User).all()\n"
            ),
            [Level.UNSAFE, Level.UNSAFE, Level.SAFE],
        ),
        # nothing puts it back
        (
            (
                "def test_adds(s: Session):\n    patch.object(s, 'execute').start()\n"
                "    s.query(User).all()\n"
            ),
            [Level.UNSAFE, Level.UNSAFE, Level.UNSAFE],
        ),
        (
            "def test_adds(s: Session):\n    s.execute = print\n    s.query(User).all()\n",
            [Level.UNSAFE, Level.UNSAFE, Level.UNSAFE],
        ),
        # a test that another one calls
        (
            (
                "def test_adds(s: Session):\n    with patch.object(s, 'execute'):\n"
                "        test_other(s)\n    s.query(User).all()\n"
            ),
            [Level.SAFE, Level.SAFE, Level.UNSAFE],
        ),
    ],
)
def test_how_long_a_method_is_replaced_depends_on_what_replaces_it(replacing, expected):
    other = "\n\ndef test_other(s: Session):\n    assert s.query(User).all() == []\n"

    assert levels(replacing + other) == expected


SAFE, UNSAFE = Level.SAFE, Level.UNSAFE
OTHER_TEST = "\n\ndef test_other(s: Session):\n    assert s.query(User).all() == []\n"
RUNS = "ask(s), s.query(User).all()"
"""What a test does: the shop may ask, and it asks itself."""
TEST = f"""\
def test_adds(s: Session, mocker, monkeypatch):
    {{}}
    {RUNS}
"""
WITHIN = f"""\
def test_adds(s: Session, monkeypatch):
    with {{}}:
        {{}}
        {RUNS}
"""
FINALLY = f"""\
def test_adds(s: Session):
    kept = s.execute
    patcher = {{}}
    other = patch('shop.add')
    try:
        {{}}
        {RUNS}
    finally:
        {{}}
"""
DECORATED = f"""\
{{}}
def test_adds(s: Session, *given):
    {RUNS}
"""
SPY = f"""\
@pytest.fixture{{}}
def spy(s: Session, monkeypatch):
    {{}}

{{}}
def test_adds(s: Session{{}}):
    {RUNS}
"""
CASE = f"""\
class TestAdds(TestCase):
    def setUp(self):
        {{}}

    def tearDown(self):
        {{}}

    def test_adds(self):
        s: Session = make()
        {RUNS}
"""
SET = "monkeypatch.setattr(s, 'execute', print)"
WITH = "with patch.object(s, 'execute'):\n        yield"
ON_CLASS = "patch.object(Session, 'execute')"
ONE_TEST = {
    "mocker": TEST.format("mocker.patch.object(s, 'execute')"),
    "mocker-text": TEST.format("mocker.patch('sqlalchemy.orm.Session.execute')"),
    "mocker-spy": TEST.format("mocker.spy(s, 'execute')"),
    "monkeypatch": TEST.format(SET),
    "monkeypatch-text": TEST.format("monkeypatch.setattr('sqlalchemy.orm.Session.execute', print)"),
    "keywords": TEST.format("monkeypatch.setattr(target=s, name='execute', value=print)"),
    "namespace": TEST.format("monkeypatch.setitem(s.__dict__, 'execute', print)"),
    "computed": TEST.format("monkeypatch.setattr(s, 'exec' + 'ute', print)"),
    "context": WITHIN.format("monkeypatch.context() as patches", f"patches{SET[11:]}"),
    "several": WITHIN.format(f"patch('shop.add'), {ON_CLASS} as fake", "fake"),
    "stack": WITHIN.format(f"ExitStack() as stack, stack.enter_context({ON_CLASS})", "stack"),
    "entered": WITHIN.format("ExitStack() as stack", f"stack.enter_context({ON_CLASS})"),
    "multiple": DECORATED.format("@patch.multiple(Session, execute=print)"),
    "stacked": DECORATED.format(f"@patch('shop.add')\n@{ON_CLASS}"),
    "coroutine": DECORATED.replace("def ", "async def ").format(f"@{ON_CLASS}"),
    "restored": FINALLY.format("None", "s.execute = print", "s.execute = kept"),
    "stopped": FINALLY.format(ON_CLASS, "patcher.start()", "patcher.stop()"),
    "class": f"@{ON_CLASS}\nclass TestAdds:\n"
    f"    def test_adds(self, fake, s: Session):\n        {RUNS}\n",
    "set-up": CASE.format(
        f"self.patcher = {ON_CLASS}\n        self.patcher.start()", "self.patcher.stop()"
    ),
    "cleaned-up": CASE.format(
        f"{ON_CLASS}.start()\n        self.addCleanup(patch.stopall)", "pass"
    ),
    "entered-for-a-test": CASE.format(f"self.enterContext({ON_CLASS})", "pass"),
    "fixture": SPY.format("", SET, "", ", spy"),
    "fixture-with": SPY.format("", WITH, "", ", spy"),
    "fixture-marked": SPY.format("", SET, "@pytest.mark.usefixtures('spy')", ""),
    "fixture-renamed": SPY.format("(name='spied')", SET, "", ", spied"),
    "fixture-of-a-fixture": SPY.format(
        "", SET, "@pytest.fixture\ndef ready(spy):\n    pass\n", ", ready"
    ),
    "fixture-restored": SPY.format(
        "", "kept = s.execute\n    s.execute = print\n    yield\n    s.execute = kept", "", ", spy"
    ),
    "helper": f"def put(s: Session, monkeypatch):\n    {SET}\n\n"
    + TEST.format("put(s, monkeypatch)"),
    "manager": f"@contextmanager\ndef put(s: Session):\n    {WITH}\n\n"
    + WITHIN.format("put(s)", "s"),
}
"""Ways to replace a method while one test runs."""
LASTING = {
    "started": TEST.format(f"{ON_CLASS}.start()"),
    "assigned": TEST.format("s.execute = print"),
    "another-stopped": FINALLY.format(ON_CLASS, "patcher.start()", "other.stop()"),
    "set-up-only": CASE.format(f"{ON_CLASS}.start()", "pass"),
    "automatic": SPY.format("(autouse=True)", SET, "", ""),
    "of-a-module": SPY.format("(scope='module')", WITH, "", ", spy"),
    "of-a-session": SPY.format("(scope='session')", WITH, "", ", spy"),
    "class-mocker": TEST.replace("mocker,", "class_mocker,").format(
        "class_mocker.patch.object(s, 'execute')"
    ),
    "own-mocker": "@pytest.fixture(scope='session')\ndef mocker():\n    return make()\n\n"
    + TEST.format("mocker.patch.object(s, 'execute')"),
    "by-the-module": "def put(s: Session, monkeypatch):\n"
    f"    {SET}\n\nput(make(), pytest.MonkeyPatch())\n\n" + TEST.format("add(s)"),
}
"""Ways that hold for other tests, too."""


_REACHED = {"cleaned-up", "entered-for-a-test", "manager", "set-up", "stopped"}
"""What calls something unknown, which may call the shop."""


@pytest.mark.parametrize("way", ONE_TEST)
@pytest.mark.parametrize("calls", ["find", "add"])
def test_what_one_test_replaces_reaches_what_that_test_runs(way, calls):
    found = levels(ONE_TEST[way].replace("ask(", f"{calls}(") + OTHER_TEST)

    reached = calls == "find" or way in _REACHED
    assert found == [UNSAFE if reached else SAFE, UNSAFE, SAFE]


@pytest.mark.parametrize("way", LASTING)
def test_what_holds_for_more_than_one_test_reaches_the_others(way):
    assert levels(LASTING[way].replace("ask(", "find(") + OTHER_TEST) == [UNSAFE, UNSAFE, UNSAFE]


@pytest.mark.parametrize(
    ("method", "met"),
    [("all", True), ("first", False), ("__iter__", True), ("_iter", True), ("filter", False)],
)
def test_a_replaced_method_of_query_reaches_the_queries_that_call_it(method, met):
    replacing = f"patch('sqlalchemy.orm.Query.{method}')"
    found = levels(WITHIN.format(replacing, "s").replace("ask(", "find(") + OTHER_TEST)

    assert found == [UNSAFE if met else SAFE] * 2 + [SAFE]


@pytest.mark.parametrize(
    "inside",
    [
        "monkeypatch.setattr('shop.add', find); add(s)",
        "mocker.patch('shop.add', side_effect=find); add(s)",
        "mocker.patch('shop.add', users.of); add(s)",
        "Mock(side_effect=find)(s)",
        "helper(s)",
        "pytest.raises(OSError, find, s)",
        "TestCase().assertRaises(OSError, find, s)",
    ],
)
def test_what_a_test_hands_on_runs_while_a_method_is_replaced(inside):
    test = (
        "def helper(s):\n    find(s)\n\n"
        "def test_adds(s: Session, users: Users, mocker, monkeypatch):\n"
        f"    mocker.patch.object(s, 'execute')\n    {inside}\n    s.query(User).all()\n"
    )

    assert levels(test + OTHER_TEST) == [UNSAFE, UNSAFE, SAFE]


IN_CLASS = f"""\
class Base:
    def found(self, s: Session):
        find(s)

    {{}}


class TestAdds(Base):
    def test_adds(self, s: Session, monkeypatch):
        {SET}
        {{}}
        s.query(User).all()
"""
FIXTURE = f"""\
@pytest.fixture{{}}
def ready(s: Session, request):
    {{}}

def test_adds(s: Session, monkeypatch, ready):
    {SET}
    add(s)
    s.query(User).all()
"""
IN_A_BLOCK = "try:\n        yield\n    finally:\n        find(s)"
AGAIN = "for _ in range(2):\n        find(s)\n        yield"
STATEMENTS = "from sqlalchemy import delete, update; from sqlalchemy.dialects.{} import insert; "


@pytest.mark.parametrize(
    ("test", "is_reached"),
    [
        (IN_CLASS.format("", "add(s)"), False),
        (IN_CLASS.format("", "self.found(s)"), True),
        (IN_CLASS.format("def teardown_method(self):\n        find(Session())", "add(s)"), True),
        (FIXTURE.format("", "return find(s)"), False),
        (FIXTURE.format("", "find(s)\n    yield"), False),
        (FIXTURE.format("", "yield\n    find(s)"), True),
        (FIXTURE.format("", "find((yield))"), True),
        (FIXTURE.format("", "kept = yield"), False),
        (FIXTURE.format("", IN_A_BLOCK), True),
        (FIXTURE.format("", AGAIN), True),
        (FIXTURE.format("", "request.addfinalizer(lambda: find(s))"), True),
        (FIXTURE.format("(scope='module')", "yield\n    find(s)"), False),
        # a fixture that is set up after the one that replaces the method
        (
            SPY.format("", SET, FIXTURE.partition("def test")[0].format("", "find(s)"), ", ready")
            .replace("ask(", "add(")
            .replace("ready(s: Session", "ready(spy, s: Session"),
            True,
        ),
    ],
)
def test_what_runs_around_a_test_that_replaces_a_method(test, is_reached):
    assert levels(test + OTHER_TEST) == [UNSAFE if is_reached else SAFE, UNSAFE, SAFE]


@pytest.mark.parametrize(
    ("inside", "is_reached"),
    [
        ("getattr(users, 's', None)", False),
        ("getattr(users, 'found', None)", True),
        ("list(map(getattr(users, 'of'), []))", True),
        ("getattr(users, make())", True),
        (STATEMENTS.format("postgresql") + "s.execute(insert(User).values(id=1))", False),
        (
            STATEMENTS.format("sqlite")
            + "s.execute(insert(User).values(id=1).on_conflict_do_nothing())",
            False,
        ),
        (
            STATEMENTS.format("mysql")
            + "s.execute(insert(User).values(id=1).on_duplicate_key_update(id=2))",
            False,
        ),
        (
            STATEMENTS.format("mysql")
            + "s.execute(update(User).where(User.id == 1).values(id=2)); "
            "s.execute(delete(User).where(User.id == 1).returning(User.id))",
            False,
        ),
    ],
)
def test_what_a_test_reads_and_executes_while_a_method_is_replaced(inside, is_reached):
    test = (
        "def test_adds(s: Session, users: Users, monkeypatch):\n"
        f"    {SET}\n    {inside}\n    s.query(User).all()\n"
    )

    assert levels(test + OTHER_TEST) == [UNSAFE if is_reached else SAFE, UNSAFE, SAFE]
