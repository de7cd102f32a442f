"""What runs while a patch of a test holds: the suites are run before and after the rewrite."""

from __future__ import annotations

import pytest
from programs_with_suites import Program, check_levels

MAIN = """\
import _thread
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


engine = create_engine(
    "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
)
Base.metadata.create_all(engine)
SessionLocal = sessionmaker(engine)
jobs = queue.Queue()


def load(number):
    with SessionLocal() as db:
        return db.query(User).filter(User.id == number).first()


def work(load=load):
    while (number := jobs.get()) is not None:
        load(number)
        jobs.task_done()
    jobs.task_done()


def send():
    jobs.put(1)
    jobs.join()


"""
TEST = """\
import threading
from unittest import TestCase, mock

from sqlalchemy.orm import Session

"""
BLOCK = """
def test_it({}):
    with patch.object(Session, "execute", autospec=True, side_effect=Session.execute) as execute:
        main.send()
    assert execute.call_count == 1
"""
STOP = "\n    yield\n    main.jobs.put(None)\n"
FIXTURE = "@pytest.fixture\ndef worker():\n    "


def program(test, level="unsafe", more=""):
    caveat = "test_main.py replaces `Session.execute`"
    return Program("query-to-select", MAIN + more, TEST + test, (level,), caveat)


THREADS = {
    "a thread of a fixture": program(
        FIXTURE + "threading.Thread(target=main.work).start()" + STOP + BLOCK.format("worker")
    ),
    "a thread of a fixture, while the whole test is patched": program(
        FIXTURE
        + "threading.Thread(target=main.work).start()"
        + STOP
        + """
@patch.object(Session, "execute", autospec=True, side_effect=Session.execute)
def test_it(execute, worker):
    main.send()
    assert execute.call_count == 1
"""
    ),
    "a thread of a fixture that is joined later": program(
        FIXTURE
        + "thread = threading.Thread(target=main.work)\n    thread.start()"
        + STOP
        + "    thread.join()\n"
        + BLOCK.format("worker")
    ),
    "a thread of the program": program(
        FIXTURE + "main.start()" + STOP + BLOCK.format("worker"),
        more="def start():\n    threading.Thread(None, work).start()\n",
    ),
    "a thread of the program that runs what it is handed": program(
        FIXTURE + "main.start(main.work)" + STOP + BLOCK.format("worker"),
        more="def start(function):\n    threading.Thread(target=function).start()\n",
    ),
    "a thread that runs what nobody sees": program(
        FIXTURE + "main.start('work')" + STOP + BLOCK.format("worker"),
        more="def start(name):\n    threading.Thread(target=globals()[name]).start()\n",
    ),
    "a class of threads": program(
        FIXTURE + "main.Worker().start()" + STOP + BLOCK.format("worker"),
        more="class Worker(threading.Thread):\n    def run(self):\n        work()\n",
    ),
    "a timer": program(
        FIXTURE + "threading.Timer(0, main.work).start()" + STOP + BLOCK.format("worker")
    ),
    "an executor": program(
        FIXTURE + "main.pool.submit(main.work)" + STOP + BLOCK.format("worker"),
        more="pool = ThreadPoolExecutor()\n",
    ),
    "an executor that maps": program(
        FIXTURE + "main.pool.map(main.work, [main.load])" + STOP + BLOCK.format("worker"),
        more="pool = ThreadPoolExecutor()\n",
    ),
    "an executor that a block enters around a fixture": program(
        FIXTURE
        + "with main.ThreadPoolExecutor() as pool:\n        pool.submit(main.work)\n"
        + "        yield\n        main.jobs.put(None)\n"
        + BLOCK.format("worker")
    ),
    "a thread of Python's own module": program(
        FIXTURE + "main._thread.start_new_thread(main.work, ())" + STOP + BLOCK.format("worker")
    ),
    "a method of a thread": program(
        FIXTURE
        + "threading.Thread(target=main.Later().work).start()"
        + STOP
        + BLOCK.format("worker"),
        more="class Worker:\n    def work(self):\n        pass\n\n\n"
        "class Later(Worker):\n    def work(self):\n        work()\n",
    ),
    "a thread of a class of tests": program("""
class TestIt(TestCase):
    def setUp(self):
        threading.Thread(target=main.work).start()

    def tearDown(self):
        main.jobs.put(None)

    def test_it(self):
        with mock.patch.object(
            Session, "execute", autospec=True, side_effect=Session.execute
        ) as execute:
            main.send()
        self.assertEqual(execute.call_count, 1)
"""),
    "a thread of a file": program(
        "threading.Thread(target=main.work, daemon=True).start()\n" + BLOCK.format("")
    ),
    "a thread that starts in one branch and ends in another": program(
        """
@pytest.fixture
def worker():
    main.start(wait=False)
"""
        + STOP
        + BLOCK.format("worker"),
        more="def start(wait):\n    thread = threading.Thread(target=work)\n    thread.start()\n"
        "    if wait:\n        thread.join()\n",
    ),
    "a thread that ends with the test": program("""
def test_it():
    thread = threading.Thread(target=main.work)
    thread.start()
    with patch.object(Session, "execute", autospec=True, side_effect=Session.execute) as execute:
        main.send()
    main.jobs.put(None)
    thread.join()
    assert execute.call_count == 1
"""),
    "a thread around what a function is handed": program(
        """
def patched():
    with patch.object(Session, "execute", autospec=True, side_effect=Session.execute) as execute:
        main.send()
    return execute.call_count

def test_it():
    assert main.beside(patched) == 1
""",
        more="def beside(function):\n    thread = threading.Thread(target=work)\n"
        "    thread.start()\n    result = function()\n    jobs.put(None)\n"
        "    thread.join()\n    return result\n",
    ),
    "a thread of another test": program(
        """
def test_other():
    thread = threading.Thread(target=main.load, args=(1,))
    thread.start()
    thread.join(timeout=60)

def test_it():
    with patch.object(Session, "execute", autospec=True, side_effect=Session.execute) as execute:
        main.jobs.put(1)
    main.jobs.get()
    assert execute.call_count == 0
""",
        "safe",
    ),
    "a thread that waits for others": program(
        FIXTURE
        + "threading.Thread(target=main.wait).start()"
        + STOP
        + BLOCK.format("worker").replace("== 1", "== 0"),
        "safe",
        "def wait():\n    with threading.Lock():\n        threading.Event().is_set()\n"
        "    while jobs.get() is not None:\n        jobs.task_done()\n",
    ),
    "a thread that ends with its function": program(
        """
def test_other():
    main.run()

def test_it():
    with patch.object(Session, "execute", autospec=True, side_effect=Session.execute) as execute:
        main.jobs.put(1)
    main.jobs.get()
    assert execute.call_count == 0
""",
        "safe",
        "def run():\n    threads = [threading.Thread(target=load, args=(1,)) for _ in range(2)]\n"
        "    for thread in threads:\n        thread.start()\n"
        "    for thread in threads:\n        thread.join()\n",
    ),
    "an executor that ends with its block": program(
        """
def test_other():
    main.run()

def test_it():
    with patch.object(Session, "execute", autospec=True, side_effect=Session.execute) as execute:
        main.jobs.put(1)
    main.jobs.get()
    assert execute.call_count == 0
""",
        "safe",
        "def run():\n    with ThreadPoolExecutor() as pool:\n        pool.submit(load, 1)\n",
    ),
    "a thread that runs no query": program(
        FIXTURE
        + "threading.Thread(target=main.drain).start()"
        + STOP
        + BLOCK.format("worker").replace("== 1", "== 0"),
        "safe",
        "def drain():\n    while jobs.get() is not None:\n        jobs.task_done()\n",
    ),
}

TRACED = """\
def traced(function):
    def wrapper(*args, **kwargs):
        {}
        return function(*args, **kwargs)
    return wrapper


"""
ANSWER = "{}\ndef answer():\n    {}return 1\n"
PATCHED = """
{}
def test_it():
    {}
    with patch.object(Session, "execute", autospec=True, side_effect=Session.execute) as execute:
        main.answer()
    assert execute.call_count == {}
"""
OTHER = PATCHED.format("", "main.load(1)", 0)
CALLED = PATCHED.format("", "main.load(1)", 1)
MAKER = """\
def named(name):
    def traced(function):
        def wrapper(*args, **kwargs):
            print(name)
            return function(*args, **kwargs)
        return wrapper
    return traced


"""
DECORATED = {
    "another function": program(
        OTHER, "safe", TRACED.format("print()") + ANSWER.format("@traced", "")
    ),
    "another function than the one of a decorator with arguments": program(
        OTHER, "safe", MAKER + ANSWER.format("@named('answer')", "")
    ),
    "another function than a decorated method": program(
        OTHER.replace("main.answer", "main.Answers().answer"),
        "safe",
        MAKER + "class Answers:\n    @named('answer')\n    def answer(self):\n        return 1\n",
    ),
    "another function than what gives something else": program(
        OTHER,
        "safe",
        TRACED.format("print()").replace("return function(", "return 1, function(")
        + ANSWER.format("@traced", ""),
    ),
    "what is decorated": program(
        CALLED, more=TRACED.format("print()") + ANSWER.format("@traced", "load(1)\n    ")
    ),
    "what is decorated, by a decorator with arguments": program(
        CALLED, more=MAKER + ANSWER.format("@named('answer')", "load(1)\n    ")
    ),
    "what a decorator runs": program(
        CALLED, more=TRACED.format("load(1)") + ANSWER.format("@traced", "")
    ),
    "what a decorator runs that it is handed": program(
        CALLED,
        more=MAKER.replace("print(name)", "name(1)") + ANSWER.format("@named(load)", ""),
    ),
    "what the decorator is called with elsewhere": program(
        CALLED,
        more=TRACED.format("print()")
        + "other = traced(lambda: load(1))\n\n\n"
        + ANSWER.format("@traced", "other()\n    "),
    ),
    "what takes the place of the function": program(
        CALLED,
        more="def instead(function):\n    return lambda: load(1)\n\n\n"
        + ANSWER.format("@instead", ""),
    ),
    "what a property runs": program(
        CALLED.replace("main.answer()", "main.Answers().answer"),
        more="class Answers:\n    @property\n    def answer(self):\n        return load(1)\n",
    ),
}


@pytest.mark.parametrize("program", THREADS.values(), ids=THREADS)
@pytest.mark.slow
def test_threads_go_on_while_a_patch_holds(program, tmp_path):
    check_levels(program, tmp_path)


@pytest.mark.parametrize("program", DECORATED.values(), ids=DECORATED)
@pytest.mark.slow
def test_decorated_functions_run_what_they_decorate(program, tmp_path):
    check_levels(program, tmp_path)


CASE = """
class TestIt(TestCase):
    def load(self):
        return main.load(1)

    def test_other(self):
        self.load()

    @mock.patch.object(Session, "execute", autospec=True, side_effect=Session.execute)
    def test_it(self, execute):
        {}
        self.assertEqual(execute.call_count, {})
"""
CLASS = """
@mock.patch.object(Session, "execute", autospec=True, side_effect=Session.execute)
class TestIt(TestCase):
    def load(self):
        return main.load(1)

    def test_it(self, execute):
        {}
        self.assertEqual(execute.call_count, {})
"""
HELPERS = {
    "a helper that nothing calls": program(CLASS.format("main.jobs.put(1)", 0), "safe"),
    "a helper that a test of a patched class calls": program(CLASS.format("self.load()", 1)),
    "a special method": program(
        CLASS.format("main.jobs.put(self + 1)", 1).replace("def load(self)", "def __add__(self, _)")
    ),
    "a helper of another test": program(CASE.format("main.jobs.put(1)", 0), "safe"),
    "a helper of this test": program(CASE.format("self.load()", 1)),
    "an assertion of its own": program(
        CASE.format("self.assertNothing()", 1)
        + "\n    def assertNothing(self):\n        self.load()\n"
    ),
}


@pytest.mark.parametrize("program", HELPERS.values(), ids=HELPERS)
@pytest.mark.slow
def test_helpers_of_test_cases_run_where_they_are_called(program, tmp_path):
    check_levels(program, tmp_path)
