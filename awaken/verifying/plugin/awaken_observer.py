"""A plugin of pytest that writes down what each test does; awaken compares two such records.

It runs in the environment of the tests, on Python 3.8 and later, and imports nothing of awaken.
Each process writes a file of its own, one JSON document a line: a test that begins or ends, or
the end of the process.
"""

import ast
import builtins
import functools
import glob
import importlib.machinery
import json
import os
import re
import signal
import sys
import threading
import time
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType

import pytest

TOP = os.environ["AWAKEN_OBSERVE_TOP"]
RECORD = os.environ["AWAKEN_OBSERVE_RECORD"]
with open(os.environ["AWAKEN_OBSERVE_ASKED"], encoding="utf-8") as _file:
    ASKED = json.load(_file)
# The lines of each file that are watched, None for the beginnings of all its functions.
FILES = {path: lines and frozenset(lines) for path, lines in ASKED["files"].items()}

MOST_STATEMENTS = 2000  # of one test; of more only the number is kept
MOST_OF_TEST = 1 << 22  # characters of the statements of one test
MOST_OF_PROCESS = 1 << 27
MOST_FRAMES = 30
MOST_FRAMES_OF_STATEMENT = 3
CREATED = re.compile(r'File "(.+)", line (\d+)')  # in the warning of a forgotten coroutine
PAUSE = 0.2  # seconds between two looks at the test that runs
PATIENCE = 6  # times its limits, of the clock, where the system does not show who works
IMPORTED, ENDING = "", "the end"  # what runs before the first test, and after the last
NOT_ENDED = 71
PROBE = "__awaken_reached__"


def processor_seconds():
    """Return what this process and its children that ended have used of the processor."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


class Test:
    """Observations while one test runs."""

    def __init__(self, name):
        self.name = name
        self.outcome = "passed"
        self.error = ""
        self.frames = []
        self.statements = []
        self.count = 0
        self.size = 0
        self.lines = set()
        self.started, self.processed = time.monotonic(), processor_seconds()
        self.waited = 0.0

    def worked(self):
        return processor_seconds() - self.processed

    def took(self):
        return time.monotonic() - self.started

    def takes_too_long(self, working, waiting):
        """Whether it computes or waits for longer than these seconds.

        It waits where each thread of it sleeps. One that others keep from the processor does not.
        """
        family = descendants()
        if self.worked() + sum(map(seconds_of, family)) > working:
            return True
        if not os.path.isdir(TASKS):
            return self.took() > PATIENCE * max(working, waiting)
        if self.took() > waiting and not any(map(is_busy, [os.getpid(), *family])):
            self.waited += PAUSE
        return self.waited > waiting

    def document(self):
        return {
            "test": self.name,
            "outcome": self.outcome,
            "error": self.error,
            "frames": self.frames,
            "statements": list(self.statements),
            "count": self.count,
            "lines": sorted(self.lines.copy()),
            "seconds": self.took(),
            "worked": self.worked(),
        }


class Observer:
    def __init__(self):
        # Lines that run on import belong to no test.
        self.test = Test(IMPORTED)
        self.stream = open("%s.%d" % (RECORD, os.getpid()), "a", encoding="utf-8")
        self.listens = False
        self.only = frozenset(ASKED["only"])
        self.size = 0
        # Of fixtures that several tests share: the lines that ran when they were set up.
        self.shared = {}

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
        has_room = test.size < MOST_OF_TEST and self.size < MOST_OF_PROCESS
        if has_room and len(test.statements) < MOST_STATEMENTS:
            test.size += len(statement)
            self.size += len(statement)
            test.statements.append([statement, innermost_frames()])

    # ------------------------------------------------------------------------------------- hooks
    def pytest_collection_modifyitems(self, config, items):
        if self.only:
            out = [item for item in items if item.nodeid not in self.only]
            items[:] = [item for item in items if item.nodeid in self.only]
            config.hook.pytest_deselected(items=out)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        self.listen()
        self.write(begins=item.nodeid)
        before, self.test = self.test, Test(item.nodeid)
        yield
        test, self.test = self.test, before
        info = getattr(item, "_fixtureinfo", None)
        for name in getattr(item, "fixturenames", ()):
            for fixture in getattr(info, "name2fixturedefs", {}).get(name, ()):
                test.lines |= self.shared.get(fixture, frozenset())
        self.write(**test.document())

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if not FILES or fixturedef.scope == "function":
            yield
            return
        test, before = self.test, self.test.lines
        test.lines = set()
        yield
        self.shared[fixturedef] = frozenset(test.lines)
        test.lines |= before

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

    @pytest.hookimpl(optionalhook=True)
    def pytest_warning_recorded(self, warning_message):
        """Note a forgotten coroutine: a test passes where nobody looks at what it should do."""
        said, _, created = str(warning_message.message).partition("\n")
        if said.endswith(" was never awaited"):
            self.test.error = self.test.error or said
            # It comes up where it is thrown away: who made it says more, whatever failed by it.
            places = [(warning_message.filename, warning_message.lineno), *CREATED.findall(created)]
            self.test.frames += [[name[len(TOP) :], int(at)] for name, at in places if inside(name)]

    def pytest_sessionfinish(self, session):
        places = {}
        for module in list(sys.modules.values()):
            place = getattr(module, "__file__", None)
            if isinstance(place, str) and place.endswith(".py"):
                places[module.__name__] = os.path.realpath(place)
        config = session.config
        settings = getattr(config, "inipath", None) or getattr(config, "inifile", None)
        read = [os.path.realpath(str(settings))] if settings else []
        self.write(modules=places, lines=sorted(self.test.lines), settings=read)

    def pytest_unconfigure(self, config):
        self.stream.flush()
        self.test = Test(ENDING)


def inside(place):
    return place.startswith(TOP)


def innermost_frames():
    """Return the innermost lines of the project that run; empty where none does."""
    frame, current, found = sys._getframe(2), None, []
    while len(found) < MOST_FRAMES_OF_STATEMENT:
        while frame is not None and len(found) < MOST_FRAMES_OF_STATEMENT:
            if inside(frame.f_code.co_filename):
                found.append([frame.f_code.co_filename[len(TOP) :], frame.f_lineno])
            frame = frame.f_back
        # SQLAlchemy runs what is asynchronous in a greenlet: whoever awaits it is in another one.
        greenlet = sys.modules.get("greenlet")
        if greenlet is None:
            break
        current = greenlet.getcurrent().parent if current is None else current.parent
        if current is None:
            break
        frame = current.gr_frame
    return found


def frames_of(error):
    """Return the lines of the project in the traceback of an error and of its causes.

    Where a frame has a coroutine that nobody awaited, the lines that made it come last.
    """
    found, made, seen = [], [], set()
    while error is not None and id(error) not in seen and len(seen) < MOST_FRAMES:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            place = trace.tb_frame.f_code.co_filename
            if inside(place):
                found.append([place[len(TOP) :], trace.tb_lineno])
            made += makers_of(trace.tb_frame.f_locals)
            trace = trace.tb_next
        inner = getattr(error, "exceptions", None)
        error = inner[0] if inner else (error.__cause__ or error.__context__)
    return (found + made)[-MOST_FRAMES:]


def makers_of(variables):
    """Return the lines of the project that made the coroutines which have not begun to run."""
    return [
        [name[len(TOP) :], line]
        for value in list(variables.values())
        if type(value) is CoroutineType and getcoroutinestate(value) == CORO_CREATED
        for name, line, _ in reversed(value.cr_origin or ())
        if inside(name)
    ]


OBSERVER = Observer()


def installed():
    """Return the version of each distribution of this environment, by name."""
    from importlib import metadata

    found = {}
    for each in metadata.distributions():
        name = each.metadata["Name"]
        if name:  # what an interrupted installation left has none
            found.setdefault(name, each.version)
    return found


def canonical(name):
    return name.lower().replace("_", "-").replace(".", "-")


def pytest_load_initial_conftests():
    """End before any file of the project runs where something that is needed is not installed."""
    if ASKED["needs"]:
        known = installed()
        names = {canonical(name) for name in known}
        missing = [name for name in ASKED["needs"] if canonical(name) not in names]
        if missing:
            version = "%d.%d.%d" % sys.version_info[:3]
            OBSERVER.write(missing=missing, python=[sys.executable, version], installed=known)
            raise pytest.UsageError("the changes need %s" % ", ".join(missing))


def pytest_configure(config):
    config.pluginmanager.register(OBSERVER, "awaken-observer")
    threading.Thread(target=guard, daemon=True).start()
    sys.set_coroutine_origin_tracking_depth(MOST_FRAMES_OF_STATEMENT)
    threading.Thread.run = traced(threading.Thread.run)


def traced(run):
    """Return ``run`` with coroutines that know who made them; each thread has a depth of its own.

    A client of Starlette runs its application in another thread.
    """

    @functools.wraps(run)
    def wrapped(thread):
        sys.set_coroutine_origin_tracking_depth(MOST_FRAMES_OF_STATEMENT)
        return run(thread)

    return wrapped


# --------------------------------------------------------------------------------------- an ending
def guard():
    """End the process where a test takes too long, or nobody waits for what it does."""
    limits = ASKED["limits"]
    OWN.append(threading.get_native_id())
    while True:
        time.sleep(PAUSE)
        if os.name == "posix" and not runs(ASKED["parent"]):
            os.killpg(os.getpgrp(), signal.SIGKILL)
        test = OBSERVER.test
        if test.name == ENDING:  # a thread that nobody stops keeps the process, idle for ever
            if test.takes_too_long(float("inf"), ASKED["ending"]):
                os._exit(NOT_ENDED)
            continue
        limit = limits.get(test.name, ASKED["limit"])
        if test.name == IMPORTED or not limit or not test.takes_too_long(*limit):
            continue
        test.outcome, test.error = "failed", "it did not end"
        test.frames = running_frames()
        OBSERVER.write(**dict(test.document(), ended=True))
        os._exit(70)


def runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


TASKS = "/proc/self/task"
OWN = []  # the thread that looks is none of the test


def descendants():
    """Return the processes that this one has started, and those that they have; Linux alone."""
    found, waiting = [], [os.getpid()]
    while waiting:
        process = waiting.pop()
        for place in glob.glob("/proc/%d/task/*/children" % process):
            own = [int(each) for each in read(place).split()]
            found += own
            waiting += own
    return found


def seconds_of(process):
    numbers = read("/proc/%d/stat" % process).rpartition(")")[2].split()
    return sum(map(int, numbers[11:15])) / TICKS if numbers else 0.0


def is_busy(process):
    """Whether a thread of a process works, or would where it had the processor or a disk."""
    states = [
        read(place).rpartition(")")[2].split()[:1]
        for place in glob.glob("/proc/%d/task/*/stat" % process)
        if place.split("/")[-2] not in map(str, OWN)
    ]
    return any(state in (["R"], ["D"]) for state in states)


def read(place):
    try:
        with open(place) as file:
            return file.read()
    except OSError:  # it has ended
        return ""


TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def running_frames():
    """Return the lines of the project that all threads are at, those of the main one last."""
    found, main = [], threading.main_thread().ident
    frames = sorted(sys._current_frames().items(), key=lambda one: one[0] == main)
    for _, innermost in frames:
        frame, own = innermost, []
        while frame is not None:
            if inside(frame.f_code.co_filename):
                own.append([frame.f_code.co_filename[len(TOP) :], frame.f_lineno])
            frame = frame.f_back
        found += reversed(own)
    return found[-MOST_FRAMES:]


# ------------------------------------------------------------------------------------------ probes
# A trace function costs each call of the program; a probe costs only the lines that it reports.
PLACES = []


def reached(number):
    OBSERVER.test.lines.update(PLACES[number])


def watch_files():
    """Put probes into the watched files when they are imported, also by pytest itself."""
    setattr(builtins, PROBE, reached)
    loader = importlib.machinery.SourceFileLoader
    compiled = loader.source_to_code

    def source_to_code(self, data, path, *rest, **named):
        if path in FILES and not isinstance(data, ast.AST):
            try:
                tree = ast.parse(data, "")
            except (SyntaxError, ValueError):  # the import says so itself
                return compiled(self, data, path, *rest, **named)
            put_probes(tree, path[len(TOP) :], FILES[path])
            data = tree
        return compiled(self, data, path, *rest, **named)

    loader.source_to_code = source_to_code
    try:
        from _pytest.assertion import rewrite

        rewritten = rewrite.rewrite_asserts
    except (ImportError, AttributeError):
        return

    def rewrite_asserts(mod, source, module_path=None, config=None):
        rewritten(mod, source, module_path, config)
        if module_path in FILES:
            put_probes(mod, module_path[len(TOP) :], FILES[module_path])

    rewrite.rewrite_asserts = rewrite_asserts


def put_probes(node, path, lines):
    """Put a call before each statement with one of ``lines``, in place."""
    for child in list(ast.iter_child_nodes(node)):
        put_probes(child, path, lines)
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        if isinstance(statements, list) and statements and isinstance(statements[0], ast.stmt):
            setattr(node, name, list(probed(node, name, statements, path, lines)))


def probed(node, name, statements, path, lines):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    at = 0
    if name == "body" and isinstance(node, (*functions, ast.ClassDef, ast.Module)):
        first = statements[0]
        value = getattr(first, "value", None) if isinstance(first, ast.Expr) else None
        if isinstance(getattr(value, "value", None), str):
            at = 1
        while at < len(statements) and getattr(statements[at], "module", "") == "__future__":
            at += 1
    for one in statements[:at]:
        yield one
    # The first expressions of a function or a handler have run when its first statement does.
    if name == "body" and isinstance(node, functions):
        begin = min([node.lineno] + [one.lineno for one in node.decorator_list])
        yield from probe(path, lines, begin, statements[0].lineno - 1, statements[0], lines is None)
    elif name == "body" and not hasattr(node, "lineno") and hasattr(node, "pattern"):
        begin = node.pattern.lineno
        yield from probe(path, lines, begin, statements[0].lineno - 1, statements[0])
    elif name == "body" and isinstance(node, ast.ExceptHandler):
        yield from probe(path, lines, node.lineno, statements[0].lineno - 1, statements[0])
    for one in statements[at:]:
        if not isinstance(one, functions):
            inner = getattr(one, "body", None) or getattr(one, "cases", None)
            begin = inner[0] if isinstance(inner, list) else None
            begin = getattr(begin, "pattern", begin)
            # pytest's text for an assertion has no limit.
            end = one.end_lineno or one.lineno
            end = end if begin is None else max(one.lineno, begin.lineno - 1)
            yield from probe(path, lines, one.lineno, end, one)
        yield one


def probe(path, lines, begin, end, near, always=False):
    """Yield a statement that reports those of ``lines`` from ``begin`` to ``end``, if any."""
    own = [(path, 0)] if always else []
    if lines:
        own = [(path, line) for line in lines if begin <= line <= end]
    if own:
        PLACES.append(own)
        call = ast.Call(ast.Name(PROBE, ast.Load()), [ast.Constant(len(PLACES) - 1)], [])
        new = ast.Expr(call)
        new.lineno = new.end_lineno = near.lineno
        new.col_offset = new.end_col_offset = 0
        yield ast.fix_missing_locations(new)


if FILES:
    # Now: a conftest imports the program long before pytest is configured.
    watch_files()
