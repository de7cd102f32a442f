"""What code raises, and what a handler catches of it."""

from __future__ import annotations

import ast
import builtins

import pytest
from asked_functions import function
from programs import last


def raised(text, **files):
    """Return the classes that `f` may raise, `?` with the reason for what is unknown."""
    found = project_raises(text, **files)
    names = [one.exception.removeprefix("builtins.") for one in found.known]
    return names + [f"? {one.why}" for one in found.unknown]


def project_raises(text, **files):
    project, module, node = function(text, **files)
    return project.effects.may_raise(module, node)


QUIET = {
    "an awaited sleep": "async def f(x):\n    await asyncio.sleep(1)",
    "logged and None": """
        async def f(x):
            try:
                return await httpx.AsyncClient().get(x)
            except Exception:
                logger.exception("failed for %s", x)
                return None
    """,
    "a bare except": """
        async def f(x):
            try:
                return await x()
            except:
                return None
    """,
    "appended to a list of the function around": """
        async def outer(urls):
            failures = []
            async def f(url):
                try:
                    await httpx.AsyncClient().get(url)
                except Exception as error:
                    failures.append(f"{url}: {type(error).__name__}: {error}")
    """,
    "timed in a finally": """
        async def outer(urls):
            times: list[float] = []
            async def f(url):
                start = time.perf_counter()
                try:
                    await httpx.AsyncClient().get(url)
                except Exception as error:
                    return {"ok": False, "error": str(error)}
                finally:
                    times.append((time.perf_counter() - start) * 1000)
    """,
    "a helper of the program that logs": """
        def _failed(name: str, error: Exception) -> None:
            logger.error("%s: %s", name, error)
        async def f(x):
            try:
                await x()
            except Exception as error:
                _failed("x", error)
    """,
    "a tuple of handlers, and all else": """
        async def f(x):
            try:
                return await x()
            except (ValueError, KeyError) as error:
                logger.warning("odd: %s", error)
            except Exception as error:
                logger.warning("bad: %s", error)
    """,
    "suppressed": "async def f(x):\n    with contextlib.suppress(Exception):\n        await x()",
    "behind a semaphore": """
        limit = asyncio.Semaphore(5)
        async def f(x):
            async with limit:
                try:
                    await x()
                except Exception:
                    pass
    """,
    "a semaphore of the function around": """
        async def outer(xs):
            limit = asyncio.Semaphore(5)
            async def f(x):
                async with limit:
                    with contextlib.suppress(Exception):
                        await x()
    """,
    "tried again": """
        async def f(x):
            for attempt in range(3):
                try:
                    return await x()
                except Exception as error:
                    if attempt == 2:
                        return None, str(error)
                await asyncio.sleep(1.5 * attempt)
            return None, "never"
    """,
    "cancellation let through": """
        async def f(x):
            try:
                await x()
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.exception("poll")
    """,
    "bound on both ways": """
        async def f(x):
            try:
                data = await x()
            except TimeoutError:
                data = {"error": "timeout"}
            except Exception:
                data = {"error": "unknown"}
            return {"info": data}
    """,
    "an attribute of a dataclass": """
        @dataclass
        class Item:
            title: str
            score: float = 0
            notes: list[str] = field(default_factory=list)
        async def f(item: Item):
            try:
                await item.load()
            except Exception as error:
                item.score = 0.0
                item.notes.append(f"{item.title}: {error}")
    """,
    "an instance of the program's own class": """
        @dataclass(frozen=True)
        class Outcome:
            ok: bool
            error: str = ""
        async def f(x):
            try:
                return await x()
            except Exception as error:
                return Outcome(ok=False, error=str(error))
    """,
    "state of self": """
        class Poller:
            def __init__(self):
                self.log = logging.getLogger("poller")
                self.failed = 0
                self.errors = []
            async def f(self, x):
                try:
                    await x()
                except Exception as error:
                    self.failed += 1
                    self.errors.append(error)
                    self.log.debug("failed", exc_info=True)
    """,
    "a key of a dictionary": """
        async def outer(names):
            results: dict[str, object] = {}
            async def f(name: str):
                try:
                    results[name] = await httpx.AsyncClient().get(name)
                except Exception:
                    results[name] = None
    """,
    "a return in the finally": """
        async def f(x):
            try:
                await x()
            finally:
                return None
    """,
    "raised and caught": """
        def f(x):
            try:
                raise ValueError("no")
            except ValueError:
                return None
    """,
    "a subclass caught by its base": """
        class Odd(KeyError): ...
        def f(x):
            try:
                raise Odd("no")
            except LookupError:
                return None
    """,
    "itself called": """
        def f(x):
            if not x:
                return 0
            return f("")
    """,
    "nested handlers": """
        async def f(x):
            try:
                await x()
            except Exception:
                try:
                    await x.close()
                except Exception:
                    pass
                return []
    """,
    "a property that raises nothing": """
        class Box:
            def __init__(self, size: int):
                self._size = size
            @property
            def size(self):
                return self._size
        def f(box: Box):
            return box.size
    """,
    "a context manager of the program": """
        @contextlib.contextmanager
        def timed():
            start = time.monotonic()
            yield
            logger.info("%s", time.monotonic() - start)
        def f(x):
            with timed():
                logger.info(x)
    """,
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_what_raises_nothing(text):
    assert raised(text) == []


LOUD = {
    "raised": ("def f(x):\n    raise ValueError(x)", ["ValueError"]),
    "asserted": ("def f(x):\n    assert x", ["AssertionError"]),
    "a narrow handler": (
        "def f(x):\n    try:\n        raise KeyError(x)\n    except ValueError:\n        pass",
        ["KeyError"],
    ),
    "raised again": (
        """
        def f(x):
            try:
                raise KeyError(x)
            except Exception:
                logger.exception("x")
                raise
        """,
        ["KeyError"],
    ),
    "raised again by name, sometimes": (
        """
        def f(x):
            try:
                raise KeyError(x)
            except Exception as error:
                if x:
                    raise error
        """,
        ["KeyError"],
    ),
    "another one raised instead": (
        """
        class Failed(Exception): ...
        def f(x):
            try:
                x()
            except Exception as error:
                raise Failed(str(error)) from error
        """,
        ["m.Failed"],
    ),
    "raised in the else": (
        """
        def f(x):
            try:
                x()
            except Exception:
                pass
            else:
                raise KeyError(x)
        """,
        ["KeyError"],
    ),
    "raised in the finally": (
        """
        def f(x):
            try:
                x()
            except Exception:
                pass
            finally:
                raise KeyError(x)
        """,
        ["KeyError"],
    ),
    "bound only if nothing was raised": (
        """
        async def f(x):
            try:
                data = await x()
            except Exception:
                logger.exception("x")
            return data
        """,
        ["UnboundLocalError"],
    ),
    "in a function that is called": (
        "def g(x):\n    raise KeyError(x)\ndef f(x):\n    g(x)",
        ["KeyError"],
    ),
    "two functions that call each other": (
        """
        def g(x):
            if x:
                raise KeyError(x)
            return f(x)
        def f(x):
            if x:
                raise ValueError(x)
            return g(x)
        """,
        ["ValueError", "KeyError"],
    ),
    "not suppressed": (
        "def f(x):\n    with contextlib.suppress(KeyError):\n        raise ValueError(x)",
        ["ValueError"],
    ),
    "a property": (
        """
        class Box:
            @property
            def size(self):
                raise KeyError("size")
        def f(box: Box):
            return box.size
        """,
        ["KeyError"],
    ),
    "an initialiser": (
        """
        class Box:
            def __init__(self, size):
                if not size:
                    raise ValueError(size)
        def f(x):
            return Box(x)
        """,
        ["ValueError"],
    ),
    "a format that fits numbers only": ("def f(x):\n    return f'{x:.2f}'", ["? formatting"]),
    "an item": ("def f(x):\n    return x['a']", ["? reading `x['a']`"]),
    "an attribute of anything": ("def f(x):\n    return x.a", ["? reading `x.a`"]),
    "an order of anything": ("def f(x):\n    return x < 1", ["? `x < 1` may"]),
    "a sum of anything": ("def f(x):\n    return x + 1", ["? `x + 1` may"]),
    "a division by a name": ("def f(x: int, y: int):\n    return x / y", ["? `x / y` may"]),
    "a loop over anything": ("def f(x):\n    for y in x:\n        pass", ["? iterating over `x`"]),
    "an unpacked value": ("def f(x):\n    a, b = x", ["? assigning to `a, b`"]),
    "a frozen dataclass": (
        "@dataclass(frozen=True)\nclass A:\n    a: int\ndef f(x: A):\n    x.a = 1",
        ["? assigning to `x.a`"],
    ),
    "a library that is not known": ("def f(x):\n    return json.loads(x)", ["? `json.loads(x)`"]),
    "what is passed": ("def f(x):\n    return x()", ["? parameter `x` has no annotation"]),
    "a decorated function": (
        "def g(h):\n    return lambda: h()\n@g\ndef k():\n    pass\ndef f():\n    k()",
        ["? `k` has a decorator"],
    ),
    "a function that its decorator gives back": (
        "def g(h):\n    return h\n@g\ndef k():\n    pass\ndef f():\n    k()",
        [],
    ),
    "a decorator whose wrapper may raise": (
        """
        def g(h):
            def wrapper(*args):
                check(args)
                return h(*args)
            return wrapper
        @g
        def k():
            pass
        def f():
            k()
        """,
        ["? `k` has a decorator"],
    ),
    "an import that may fail": ("def f():\n    import nowhere", ["? `import nowhere` may"]),
    "a context manager of anywhere": (
        "def f(x):\n    with x:\n        pass",
        ["? entering or leaving `x`"],
    ),
    "what is awaited": ("async def f(x):\n    await x", ["? what `x` is that is awaited"]),
    "an `except*`": (
        "def f(x):\n    try:\n        x()\n    except* ValueError:\n        pass",
        ["? `except*`"],
    ),
    "a key that may be a list": (
        "def f(x, y: dict):\n    y[x] = 1",
        ["? assigning to `y[x]`"],
    ),
    "unpacked keywords of anything": (
        "def g(**more): ...\ndef f(x):\n    g(**x)",
        ["? unpacking `x`"],
    ),
    "an attribute set only later": (
        """
        class A:
            def start(self):
                self.log = logging.getLogger("a")
            def f(self):
                self.log.info("a")
        """,
        ["? reading `self.log`"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), LOUD.values(), ids=LOUD)
def test_what_may_raise(text, expected):
    found = raised(text)
    assert len(found) == len(expected), found
    assert all(one.startswith(part) for one, part in zip(found, expected, strict=True)), found


KNOWN_TYPES = "def f(x, n: int, m: float, t: str, l: list[int], d: dict[str, int], s: set[str]):"
QUIET_LINES = [
    "n + m * 2 - 1", "-n", "n / 2", "n % 2", "t + 'a'", "l + [1]", "'x %s' + t", "not x",
    "x == n != t", "x is None", "n < m <= 2", "t > 'a'", "x in l", "t in d", "n not in s",
    "x in (1, 2)", "[y for y in l if y]", "{t: x}", "{n for y in l}", "{**d}", "{t, n}",
    "f'{x}{x!r:>10}{n:.2f}'", "(x, *l)", "lambda y: y[0]", "x and n or t", "x if n else t",
    "for y in range(x): y", "for y, z in enumerate(l): y", "for y in reversed(l): y",
    "for y, z in d.items(): y", "for y in d.values(): y", "for y in t: y", "a, b = n, t",
    "d[t] = x", "d['a'] = 1", "l.append(x)", "x = y = n", "n += 1", "t += 'a'", "del x",
    "import json, os.path", "from asyncio import sleep", "with contextlib.suppress(ValueError): x",
    "def g(y=n): y.a", "global G", "while n: break", "print(x, n)", "ValueError(x)",
    "isinstance(x, int)", "match n:\n        case 1 | None: x",
]  # fmt: skip
LOUD_LINES = [
    "x + 1",
    "n + t", "t - t", "l * l", "s + s", "-x", "n / m", "n / 0", "t / 2", "n // n", "n ** -1",
    "t % 2",
    "n < t", "x < n", "l < l", "x in t", "x in d", "l in s", "x in x", "[y for y in x]",
    "[y for y, z in l]", "{x: 1}", "{x for y in l}", "{x: 1 for y in l}", "{**x}", "{x}", "(*x,)",
    "f'{t:{x}}'", "for y in reversed(x): y", "for y, z in l: y", "for y, z in zip(l, l, l): y",
    "for y in x.items(): y", "for y in l.items(): y", "a, b = l", "[a, *b] = n, t", "d[x] = 1",
    "l[0] = 1", "x.append(1)", "n += t", "x += 1", "del d[t]", "import a.b", "from . import a",
    "with contextlib.suppress(ValueError): raise KeyError", "def g(y=x.a): y", "x.y.z",
    "@x\n    def g(): y", "class A: ...", "yield from x", "match x:\n        case {'a': 1}: x",
    "(y for y in x)", "with open(t): x", "raise x", "undefined", "raise",
]  # fmt: skip


@pytest.mark.parametrize("line", QUIET_LINES)
def test_a_line_that_raises_nothing(line):
    assert raised(f"{KNOWN_TYPES}\n    {line}\n") == []


@pytest.mark.parametrize("line", LOUD_LINES)
def test_a_line_that_may_raise(line):
    assert raised(f"{KNOWN_TYPES}\n    {line}\n")


HANDLERS = {
    "an alias of the same class": ("TimeoutError", "asyncio.TimeoutError", []),
    "a base": ("ConnectionResetError", "OSError", []),
    "a base under its old name": ("FileNotFoundError", "IOError", []),
    "one of several": ("KeyError", "(ValueError, LookupError)", []),
    "another one": ("KeyError", "(ValueError, TypeError)", ["KeyError"]),
    "a class of a library": ("httpx.ReadTimeout", "httpx.HTTPError", ["httpx.ReadTimeout"]),
    "the very class of a library": ("httpx.ReadTimeout", "httpx.ReadTimeout", []),
    "a class of nowhere": ("KeyError", "errors()", ["KeyError"]),
    "cancellation": ("KeyError", "asyncio.CancelledError", ["KeyError"]),
}


@pytest.mark.parametrize(("error", "handler", "expected"), HANDLERS.values(), ids=HANDLERS)
def test_what_a_handler_catches(error, handler, expected):
    body = f"try:\n        raise {error}\n    except {handler}:\n        pass"

    assert raised(f"def f(errors):\n    {body}") == expected


@pytest.mark.parametrize(
    ("error", "handler", "again"),
    [
        ("KeyError", "LookupError", ["KeyError"]),
        ("KeyError", "ValueError", ["KeyError"]),
        ("httpx.ReadTimeout", "httpx.HTTPError", ["httpx.ReadTimeout"]),
    ],
)
def test_what_is_raised_again_is_what_was_caught(error, handler, again):
    body = f"try:\n        raise {error}\n    except {handler}:\n        raise"

    assert raised(f"def f():\n    {body}") == again


def test_what_is_unknown_is_raised_again_by_those_who_may_catch_it():
    body = "try:\n        {}\n    except {}:\n        raise ValueError from None"

    narrow = raised(f"def f(x):\n    {body.format('x()', 'asyncio.CancelledError')}")
    wide = raised(f"def f(x):\n    {body.format('x()', 'Exception')}")

    assert narrow == ["ValueError", "? parameter `x` has no annotation"]
    assert wide == ["ValueError"]


def test_what_a_coroutine_raises_comes_only_when_it_is_awaited():
    project, module, _ = function("async def f(x):\n    raise ValueError(x)\nf(1)")
    call = last(module, "f(1)")

    assert project.effects.may_raise(module, call).nothing
    awaited = project.effects.may_raise(module, call, awaited=True)
    assert [one.exception for one in awaited.known] == ["builtins.ValueError"]


def test_the_calls_that_lead_to_what_is_raised():
    found = project_raises(
        "from a import g\ndef f(x):\n    return g(x)", a="def g(x):\n    raise KeyError(x)"
    )

    (one,) = found.known
    assert (one.place.path, [place.path for place in one.chain]) == ("a.py", ["m.py"])


def test_a_function_that_calls_itself_is_answered_alike_whoever_is_asked_first():
    text = "def g(x):\n    f(x)\n    raise KeyError(x)\n"
    project, module, f = function(text + "def f(x):\n    g(x)\n    raise ValueError(x)")
    g = next(one for one in module.walk() if isinstance(one, ast.FunctionDef))
    names = {"builtins.KeyError", "builtins.ValueError"}

    assert {one.exception for one in project.effects.may_raise(module, f).known} == names
    assert {one.exception for one in project.effects.may_raise(module, g).known} == names


def test_too_many_functions_are_not_followed():
    steps = "\n".join(f"def g{n}(x):\n    g{n + 1}(x)" for n in range(30))

    found = raised(f"{steps}\ndef g30(x): ...\ndef f(x):\n    g0(x)")

    assert found == ["? too much has to be followed to tell"]


def test_a_handler_of_all_exceptions_that_are_named_does_not_catch_those_that_are_not():
    names = [one.__name__ for one in ArithmeticError.__subclasses__() + OSError.__subclasses__()]
    names += [
        "AttributeError",
        "BufferError",
        "EOFError",
        "IndexError",
        "KeyError",
        "NameError",
        "TypeError",
    ]
    wanted = [name for name in dict.fromkeys(names) if name in dir(builtins)]
    lines = [f"    if x == {at}: raise {name}" for at, name in enumerate(wanted)]
    body = "\n".join(lines)

    found = raised(f"""
def g(x):
{body}
def f(x):
    try:
        g(x)
    except ({", ".join(wanted[:20])}):
        return None
""")

    assert len(wanted) > 20
    assert found == ["? more exceptions than are followed may be raised"]


def test_code_that_is_nested_very_deep_is_answered():
    deep = "".join(f"{'el' if n else ''}if x == {n}:\n        return {n}\n    " for n in range(300))

    assert raised(f"def f(x):\n    {deep}") == []
