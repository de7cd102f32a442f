"""Nothing in awaken prints but through the modules that make text harmless."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import awaken

PACKAGE = Path(awaken.__file__).parent
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}
PRINTS = {"echo", "secho", "echo_via_pager", "print_exception", "print_exc", "showwarning"}
PRINTS |= {"warn", "print_json", "excepthook", "unraisablehook"}
HARMLESS = {"console_on", "make_console", "send"}
"""What takes a stream and lets nothing through that could act."""
ASKED_ABOUT = {"isatty", "encoding", "flush", "fileno"}
"""What may be asked of a stream by anybody."""
WAYS_OUT = {
    "cli/__init__.py": "opens the streams, and closes them where their reader went away",
    "preview/streams/messages.py": "sentences on stderr",
    "preview/streams/output.py": "forms on stdout and in files",
    "preview/console/pager.py": "what a console drew, to a pager or to the stream of the console",
}
CONSOLES = "preview/console/console.py"


@pytest.mark.slow
def test_nothing_goes_around_the_ways_out() -> None:
    names = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    found = {name: printing(name) for name in names - WAYS_OUT.keys()}

    assert {name: ways for name, ways in found.items() if ways} == {
        CONSOLES: ["_Console()"],
        # Each row, made harmless.
        "preview/console/plain_console.py": ["self.file.write"],
        # To whoever listens; the command line says it (cli/__init__.py).
        "engine/run_projects.py": ["logging"],
        "engine/planning/rule_planning.py": ["logging"],
        # Listens; what it does not want goes to the hook of before.
        "engine/machine/signals.py": ["sys.unraisablehook"] * 3,
        # Foreign code prints into a file, and awaken shows what stands there.
        "passes/child/foreign_serving.py": ["sys.stdout", "sys.stderr", "sys.stdout", "sys.stderr"],
        "testing/running.py": ["logging"],  # listens
        # In the process of the target; awaken reads it as it reads the output of tests.
        "verifying/requests/child/awaken_requests.py": ["print()"] * 2 + ["sys.stderr"] * 2,
        # In a process of its own, whose log is cleaned of secrets; and lines of a patch.
        "batch/working/changing.py": ["print()", "file.writelines"],
        "batch/working/child.py": ["traceback.print_exc"],
        "testing/concurrency/observed_runs.py": ["sys.stdout"],  # the process that asked reads it
    }


def test_the_ways_out_are_no_more_than_that() -> None:
    found = {name: set(ways_around(tree(name))) for name in WAYS_OUT}

    assert found == {
        "cli/__init__.py": {"logging", "sys.stdout", "sys.stderr"},
        "preview/streams/messages.py": {"sys.stderr.write"},
        "preview/streams/output.py": {"sys.stdout", "stream.write", "stream.buffer.write"},
        "preview/console/pager.py": {"sys.stdout", "stream.write"},
    }


@pytest.mark.parametrize(
    "code",
    [
        "print(text)",
        "builtins.print(text)",
        "sys.stdout.write(text)",
        "sys.stderr.buffer.write(text)",
        "sys.stdout.writelines(text)",
        "out = sys.stdout",
        "def f(stream=sys.stderr): ...",
        "typer.echo(text, err=True)",
        "from typer import echo",
        "from sys import stdout",
        "from rich import print",
        "import logging",
        "rich.console.Console().print(text)",
        "Console(stderr=True)",
        "traceback.print_exception(error)",
        "warnings.warn(text)",
        "os.write(1, text)",
        "Path('/dev/stdout').open('w').write(text)",
    ],
)
def test_each_way_around_is_seen(code: str) -> None:
    assert list(ways_around(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ["make_console(sys.stdout, color)", "send(pieces, sys.stdout)", "sys.stderr.isatty()"],
)
def test_the_ways_out_are_for_everybody(code: str) -> None:
    assert list(ways_around(ast.parse(code))) == []


def tree(name: str) -> ast.Module:
    return ast.parse((PACKAGE / name).read_bytes())


def printing(name: str) -> list[str]:
    """Return the ways around in a module: the engine writes, but only to files that it opened."""
    found = ways_around(tree(name))
    shows = name.startswith(("cli/", "preview/"))
    return [way for way in found if shows or not way.endswith(".write") or "sys." in way]


def ways_around(module: ast.Module) -> Iterator[str]:
    """Yield what in ``module`` could print by itself, as it is written there."""
    nodes = list(ast.walk(module))
    allowed = {id(stream) for node in nodes for stream in _harmless(node)}
    for node in nodes:
        match node:
            case ast.Call(func=function):
                yield from _called(function)
            case ast.Attribute(attr=name) if name in PRINTS:
                yield ast.unparse(node)
            case ast.Attribute(value=ast.Name("sys"), attr=name) if name in STREAMS:
                if id(node) not in allowed:
                    yield ast.unparse(node)
            case ast.Import(names=names) if "logging" in {one.name for one in names}:
                yield "logging"
            case ast.ImportFrom(module=origin, names=names):
                yield from (f"{origin}.{one.name}" for one in names if _prints(origin, one.name))


def _called(function: ast.expr) -> Iterator[str]:
    match function:
        case ast.Name("print" | "Console" | "_Console"):
            yield f"{function.id}()"
        case ast.Attribute(attr="print", value=ast.Name("builtins" | "rich")):
            yield f"{ast.unparse(function)}()"
        case ast.Attribute(attr="Console"):
            yield f"{ast.unparse(function)}()"
        case ast.Attribute(attr="write" | "writelines"):
            yield ast.unparse(function)


def _prints(module: str | None, name: str) -> bool:
    return (
        module == "logging"
        or name in PRINTS
        or (module == "sys" and name in STREAMS)
        or (module == "rich" and name == "print")
    )


def _harmless(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the streams that ``node`` only asks about, writes to as a whole, or hands on."""
    match node:
        case ast.Call(func=ast.Name(name), args=arguments) if name in HARMLESS:
            yield from arguments
        case ast.Attribute(value=stream, attr=name) if name in {*ASKED_ABOUT, "write"}:
            yield stream
