"""Whether context managers end the exceptions of their block: the answer, and what Python does."""

from __future__ import annotations

from textwrap import dedent

import pytest
from programs import last, module_of, program

MADE = """
    import contextlib, io, tempfile, threading
    from contextlib import asynccontextmanager, contextmanager, suppress
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session, sessionmaker

    engine = create_engine("sqlite://")
    Local = sessionmaker(engine)
    lock = threading.Lock()

    class Plain:
        def __enter__(self): return self
        def __exit__(self, *error): return None

    class Ending(Plain):
        def __exit__(self, *error): return True

    class Sub(Session):
        def __exit__(self, *error): return True

    @contextmanager
    def raising():
        try:
            yield Local()
        except Exception:
            print("failed")
            raise
        finally:
            print("closed")

    @contextmanager
    def through_another():
        with raising() as session:
            yield session

    @contextmanager
    def again(depth=2):
        if depth:
            with again(depth - 1):
                yield depth
        else:
            yield depth

    @contextmanager
    def ending():
        try:
            yield 1
        except ValueError:
            print("failed")

    @contextmanager
    def sometimes():
        try:
            yield 1
        except ValueError as error:
            if not error.args:
                raise

    @contextmanager
    def leaving():
        try:
            yield 1
        finally:
            return

    @contextmanager
    def through_ending():
        with suppress(ValueError):
            yield 1

    @contextmanager
    def delegating():
        yield from ending.__wrapped__()
"""
LETS_THROUGH = [
    "raising()",
    "through_another()",
    "again()",
    "Plain()",
    "open('/dev/null')",
    "io.StringIO()",
    "lock",
    "Session(engine)",
    "Local()",
    "Local.begin()",
    "engine.begin()",
    "engine.connect()",
    "Session(engine).begin()",
    "contextlib.closing(Local())",
    "contextlib.nullcontext()",
    "tempfile.TemporaryDirectory()",
]
ENDS = [
    "ending()",
    "sometimes()",
    "leaving()",
    "through_ending()",
    "delegating()",
    "Ending()",
    "Sub(engine)",
    "suppress(ValueError)",
]


def returned(manager: str) -> bool:
    """Return whether awaken proves that a function returns in the end, out of such a block."""
    text = dedent(MADE) + f"\ndef function():\n    with {manager}:\n        return int('x')\n"
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    function = next(node for node in module.functions if node.name == "function")
    return project.calls.always_returns(module, function)


def raises(manager: str) -> bool:
    """Return whether an exception of the block leaves it in Python."""
    names: dict[str, object] = {}
    exec(dedent(MADE) + f"\ndef function():\n    with {manager}:\n        int('x')\n", names)
    try:
        names["function"]()  # type: ignore[operator]
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("manager", LETS_THROUGH)
def test_it_lets_exceptions_through(manager):
    assert returned(manager)
    assert raises(manager)


@pytest.mark.parametrize("manager", ENDS)
def test_it_ends_exceptions(manager):
    assert not returned(manager)
    assert not raises(manager)


def test_an_unknown_manager_may_end_exceptions():
    assert not returned("unknown()")
    assert not returned("raising(), ending()")


@pytest.mark.parametrize(("manager", "ends"), [("ending()", "swallows"), ("raising()", None)])
def test_a_guard_says_how_a_generator_ends_exceptions(manager, ends):
    text = dedent(MADE) + f"\ndef function():\n    with {manager}:\n        work()\n"
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    guards = project.effects.guards(module, last(module, "work()"))
    assert [guard.ends for guard in guards if guard.kind == "with"] == [ends]
