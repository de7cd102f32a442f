"""The requests of an application as a suite of tests: each is one, and its answer the outcome."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from awaken.contract import UserError
from awaken.project.source.trees import last_name, values_given
from awaken.verifying.suites import Copy, Suite, SuiteRun, Watched
from awaken.workspace.manifests.project_server import read_server
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.reading import METADATA_LIMIT

_CHILD = Path(__file__).parent / "child"
_SCRIPT = _CHILD / "awaken_requests.py"
_STARTERS = ("pytest", "py.test", "coverage")
_NO_ANSWER = "answered 401"
_LISTED = 5
_FRAMEWORK = "FastAPI"
_TESTS = {"test", "tests", "testing", "docs", "examples"}


class TestsAndRequests(Suite):
    """The tests of a project, followed by the requests of its application.

    ``project`` is the directory of the project in the copy, ``named`` its application. The first
    run sends the requests twice: parts of the original's answers that vary are not compared.
    """

    def __init__(
        self,
        tests: Suite,
        copy: Copy,
        project: Path,
        command: Sequence[str],
        named: str | None,
    ) -> None:
        application = application_of(copy.path, project, named)
        self._tests = tests
        self._kept = copy.path.parent / "requests"
        self._kept.mkdir()
        words = [*_python(command), str(_SCRIPT), application.place]
        self._requests = Suite(copy, words)
        self._requests.own = {
            "AWAKEN_REQUESTS_PLACE": str(self._kept),
            "AWAKEN_REQUESTS_HOME": str(project),
            "AWAKEN_REQUESTS_ROOTS": json.dumps([str(_CHILD), str(application.directory)]),
        }
        self._names: frozenset[str] = frozenset()

    def run(self, only: Collection[str] = (), *, watched: Watched | None = None) -> SuiteRun:
        """Run the tests and send the requests, or ``only`` those. Raises UserError."""
        self._tests.needs = self.needs
        self._tests.packages = self._requests.packages = self.packages
        tests = [name for name in only if name not in self._names]
        requests = [name for name in only if name in self._names]
        runs = [self._tests.run(tests, watched=watched)] if tests or not only else []
        if runs and runs[0].lacking is not None:
            return runs[0]
        if not self._names:
            runs.append(self._first(watched))
        elif requests or not only:
            runs.append(self._send_requests("later", requests, watched=watched))
        return _joined_suite_run(runs)

    def _first(self, watched: Watched | None) -> SuiteRun:
        run = self._send_requests("first")
        if not run.tests:
            lines = [line for line in run.output.splitlines() if line.startswith("awaken: ")]
            why = lines[-1].removeprefix("awaken: ") if lines else "nothing answered"
            raise UserError(f"no request can be sent: {why}")
        self._names = frozenset(run.tests)
        self._send_requests("second")
        # An answer that varies by itself says so on both sides.
        return self._send_requests("later", watched=watched)

    def _send_requests(
        self, phase: str, only: Collection[str] = (), *, watched: Watched | None = None
    ) -> SuiteRun:
        self._requests.own = {**self._requests.own, "AWAKEN_REQUESTS_PHASE": phase}
        return self._requests.run(only, watched=watched)

    def notes(self, before: SuiteRun, after: SuiteRun) -> Iterator[str]:
        """Yield what could not be asked or compared, and what was; each is one sentence."""
        own = {name: before.tests[name] for name in sorted(self._names & before.tests.keys())}
        notes = self._kept / "notes.json"
        known = json.loads(notes.read_text("utf-8")) if notes.exists() else {}
        yield f"{len(own)} requests were sent to both sides."
        for kind, why in (
            ("skipped", "need a database that is a server, so they were not compared"),
            (_NO_ANSWER, "have no answer but 401: they need a user who is logged in"),
            ("answered 403", "have no answer but 403: they need a user who is allowed to"),
            ("varies by itself", "have another status from run to run, so they were not compared"),
        ):
            names = [
                name
                for name, test in own.items()
                if test.outcome == kind and after.tests.get(name, test).outcome == kind
            ]
            if names:
                yield f"{len(names)} {why}: {_listed_text(names)}."
        if known.get("failed"):
            yield f"The application does not start, so no lifespan ran: {known['failed']}"
        if known.get("servers"):
            servers = " and ".join(known["servers"])
            yield f"The program connects to {servers}; name an SQLite database in its environment."
        if known.get("empty"):
            yield f"No rows could be made for these tables: {_listed_text(known['empty'])}."
        if known.get("without"):
            yield f"No value is known for these paths: {_listed_text(known['without'])}."


def _python(command: Sequence[str]) -> list[str]:
    """Return the words that start Python in the environment of a command."""
    for number, word in enumerate(command):
        name = Path(word).name
        if name.startswith("python"):
            return list(command[: number + 1])
        if name in _STARTERS and number:
            return [*command[:number], "python"]
        if name in _STARTERS and "/" in word:
            return [str(Path(word).parent / "python")]
    return ["python"]


def _joined_suite_run(runs: Sequence[SuiteRun]) -> SuiteRun:
    codes = [run.exit_code for run in runs]
    return SuiteRun(
        tests={name: test for run in runs for name, test in run.tests.items()},
        exit_code=None if None in codes else max((code or 0 for code in codes), default=0),
        seconds=sum(run.seconds for run in runs),
        modules={name: place for run in runs for name, place in run.modules.items()},
        imported=frozenset().union(*(run.imported for run in runs)),
        output="\n".join(run.output for run in runs),
        observed=any(run.observed for run in runs),
    )


def _listed_text(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


class Application(Struct, frozen=True):
    """``module:name`` of an application, and the directory that its modules are imported from."""

    place: str
    directory: Path


def application_of(copy: Path, project: Path, named: str | None) -> Application:
    """Return the application of a project, the one that is ``named``, or the only one.

    ``project`` is the directory of the project in ``copy``. Raises UserError where there is none,
    and where there are several.
    """
    if named is not None:
        return Application(named, _directory_of(project, named.partition(":")[0]))
    applications = list(_applications(copy, project))
    if len(applications) > 1:
        served = read_server(project)
        if served is not None:
            module = served.module.removesuffix(".py").replace("/", ".")
            own = [item for item in applications if item.place.partition(":")[0] == module]
            applications = own or applications
    if not applications:
        raise UserError(
            "no application of FastAPI is at the top of a module; name it by --app MODULE:NAME"
        )
    if len(applications) > 1:
        listed = ", ".join(sorted(application.place for application in applications))
        raise UserError(f"there are several applications ({listed}); name one of them by --app")
    return applications[0]


def _applications(copy: Path, project: Path) -> Iterator[Application]:
    modules = dict(_modules(project))
    makers = {
        function.name
        for tree in modules.values()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and _makes(function)
    }
    for path, tree in modules.items():
        for name in _names(tree, makers):
            directory = _import_root(copy, path, tree)
            module = ".".join(path.relative_to(directory).with_suffix("").parts)
            yield Application(f"{module.removesuffix('.__init__')}:{name}", directory)


def _modules(project: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(project.rglob("*.py")):
        inside = path.relative_to(project)
        is_test = path.name.startswith(("test_", "conftest")) or not _TESTS.isdisjoint(inside.parts)
        if is_test or path.is_symlink():
            continue
        content = path.read_bytes() if path.stat().st_size <= METADATA_LIMIT else b""
        if _FRAMEWORK.encode() in content:
            # One that is no Python, or that of another version, has no application for us.
            with suppress(Unparsable, UnicodeDecodeError):
                yield path, parse_text(content)


def _makes(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and last_name(node.func) == _FRAMEWORK
        for node in ast.walk(function)
    )


def _names(tree: ast.Module, makers: Iterable[str]) -> Iterator[str]:
    for name, value in values_given(tree.body):
        if isinstance(value, ast.Call) and last_name(value.func) in {_FRAMEWORK, *makers}:
            yield name


def _import_root(copy: Path, path: Path, tree: ast.Module) -> Path:
    """Return the directory from which the imports of a module are found most often."""
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    package = path.parent
    while (package / "__init__.py").exists() and package != copy:
        package = package.parent
    above = [package, *(parent for parent in package.parents if parent.is_relative_to(copy))]
    return max(above, key=lambda item: sum(_is_module(item, name) for name in names))


def _is_module(directory: Path, name: str) -> bool:
    return bool(name) and ((directory / name).is_dir() or (directory / f"{name}.py").is_file())


def _directory_of(project: Path, module: str) -> Path:
    top = module.split(".", maxsplit=1)[0]
    places = (project, project / "src", *(path.parent for path in sorted(project.rglob(f"{top}*"))))
    return next((place for place in places if _is_module(place, top)), project)
