"""A plugin of pytest that writes down what each test does; awaken compares two such records.

It runs in the environment of the tests, on Python 3.8 and later, and imports nothing of awaken.
Each process writes a file of its own, one JSON document a line: a test, or the end of the process.
"""

import json
import os
import sys
import threading

import pytest

TOP = os.environ["AWAKEN_OBSERVE_TOP"]
RECORD = os.environ["AWAKEN_OBSERVE_RECORD"]
ONLY = os.environ.get("AWAKEN_OBSERVE_ONLY", "")
with open(os.environ["AWAKEN_OBSERVE_FILES"], encoding="utf-8") as _file:
    FILES = frozenset(json.load(_file))

MOST_STATEMENTS = 2000  # of one test; of more only the number is kept
MOST_FRAMES = 30
IMPORTED = ""


class Test:
    """What is seen while one test runs."""

    def __init__(self, name):
        self.name = name
        self.outcome = "passed"
        self.error = ""
        self.frames = []
        self.statements = []
        self.count = 0
        self.lines = set()


class Observer:
    def __init__(self):
        # Lines that run on import belong to no test.
        self.test = Test(IMPORTED)
        self.stream = open("%s.%d" % (RECORD, os.getpid()), "a", encoding="utf-8")
        self.listens = False
        self.only = None
        if ONLY:
            with open(ONLY, encoding="utf-8") as file:
                self.only = frozenset(json.load(file))

    def write(self, **document):
        self.stream.write(json.dumps(document) + "\n")
        self.stream.flush()

    def listen(self):
        """Note statements from now on, where SQLAlchemy is loaded."""
        if self.listens or "sqlalchemy.engine" not in sys.modules:
            return
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", self.executed)
        self.listens = True

    def executed(self, conn, cursor, statement, parameters, context, executemany):
        test = self.test
        test.count += 1
        if len(test.statements) < MOST_STATEMENTS:
            test.statements.append([statement, innermost_frame()])

    # ------------------------------------------------------------------------------------- hooks
    def pytest_collection_modifyitems(self, config, items):
        if self.only is not None:
            out = [item for item in items if item.nodeid not in self.only]
            items[:] = [item for item in items if item.nodeid in self.only]
            config.hook.pytest_deselected(items=out)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        before, self.test = self.test, Test(item.nodeid)
        self.listen()
        yield
        test, self.test = self.test, before
        self.write(
            test=test.name,
            outcome=test.outcome,
            error=test.error,
            frames=test.frames,
            statements=test.statements,
            count=test.count,
            lines=sorted(test.lines),
        )

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        result = yield
        report, test = result.get_result(), self.test
        if report.failed and test.outcome != "failed":
            test.outcome = "failed" if report.when == "call" else "error"
        elif report.skipped and test.outcome == "passed":
            test.outcome = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        elif report.passed and report.when == "call" and hasattr(report, "wasxfail"):
            test.outcome = "xpassed"
        if report.failed and call.excinfo is not None and not test.error:
            test.error = call.excinfo.type.__name__
            test.frames = frames_of(call.excinfo.value)

    def pytest_sessionfinish(self, session):
        places = {}
        for module in list(sys.modules.values()):
            place = getattr(module, "__file__", None)
            if isinstance(place, str) and place.endswith(".py"):
                places[module.__name__] = os.path.realpath(place)
        self.write(modules=places, lines=sorted(self.test.lines))

    def pytest_unconfigure(self, config):
        self.stream.flush()


def inside(place):
    return place.startswith(TOP)


def innermost_frame():
    """Return the innermost line of the project that runs; empty where none does."""
    frame = sys._getframe(2)
    current = None
    while True:
        while frame is not None:
            if inside(frame.f_code.co_filename):
                return [frame.f_code.co_filename[len(TOP) :], frame.f_lineno]
            frame = frame.f_back
        # SQLAlchemy runs what is asynchronous in a greenlet: whoever awaits it is in another one.
        greenlet = sys.modules.get("greenlet")
        if greenlet is None:
            return []
        current = greenlet.getcurrent().parent if current is None else current.parent
        if current is None:
            return []
        frame = current.gr_frame


def frames_of(error):
    """Return the lines of the project in the traceback of an error and of its causes."""
    found, seen = [], set()
    while error is not None and id(error) not in seen and len(seen) < MOST_FRAMES:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            place = trace.tb_frame.f_code.co_filename
            if inside(place):
                found.append([place[len(TOP) :], trace.tb_lineno])
            trace = trace.tb_next
        inner = getattr(error, "exceptions", None)
        error = inner[0] if inner else (error.__cause__ or error.__context__)
    return found[-MOST_FRAMES:]


OBSERVER = Observer()


def missing():
    """Return the distributions that the changes need and this environment does not have."""
    from importlib import metadata

    found = []
    for name in json.loads(os.environ.get("AWAKEN_OBSERVE_NEEDS", "[]")):
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            found.append(name)
    return found


def pytest_configure(config):
    config.pluginmanager.register(OBSERVER, "awaken-observer")
    OBSERVER.write(missing=missing())
    watch_lines()


def watch_lines():
    """Note which lines of the changed files run, in all threads."""
    if not FILES:
        return
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None and monitoring.get_tool(4) is None:
        _monitor(monitoring)
        return

    def local(frame, event, argument):
        if event == "line":
            OBSERVER.test.lines.add((frame.f_code.co_filename[len(TOP) :], frame.f_lineno))
        return local

    def started(frame, event, argument):
        return local if frame.f_code.co_filename in FILES else None

    if sys.gettrace() is None:
        threading.settrace(started)
        sys.settrace(started)


def _monitor(monitoring):
    events = monitoring.events
    monitoring.use_tool_id(4, "awaken")

    def started(code, offset):
        if code.co_filename in FILES:
            monitoring.set_local_events(4, code, events.LINE)
        return monitoring.DISABLE

    def line(code, number):
        OBSERVER.test.lines.add((code.co_filename[len(TOP) :], number))

    monitoring.register_callback(4, events.PY_START, started)
    monitoring.register_callback(4, events.LINE, line)
    monitoring.set_events(4, events.PY_START)
