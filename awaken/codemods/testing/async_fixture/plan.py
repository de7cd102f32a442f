"""Finds asynchronous fixtures that nobody runs, and hands them to pytest-asyncio."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from types import CoroutineType
from typing import TYPE_CHECKING, ClassVar, Literal

from awaken.codemods.testing.async_fixture.reasons import (
    AWAITED_BY_HAND,
    OTHER_ARGUMENTS,
    OTHER_DECORATORS,
    OTHER_LOOP,
    OTHER_PLUGIN,
    SETTINGS_UNREAD,
    SEVERAL_RUNNERS,
)
from awaken.contract import Edit, Phase, Place
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_behind
from awaken.kit.reasons import NAME_TAKEN, reasons_of
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.frameworks.testing.fixture_requests import Request, Requests
from awaken.project.names.functions.decorators import MANAGERS
from awaken.project.source.expressions.alternatives import conditions_passed
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of, last_name, without_arguments
from awaken.project.source.worklist import Worklist
from awaken.workspace.manifests.pytest_settings import PYTEST_READS

if TYPE_CHECKING:
    from awaken.project import Project

_PLAIN = "pytest.fixture"
_OURS = "pytest_asyncio.fixture"
_KEYWORDS = {"autouse", "ids", "name", "params", "scope"}
_HOOKS = ("pytest_fixture_setup", "pytest_pyfunc_call")
_NEVER_RUNS = "its body never runs today, and will run"
_Use = Literal["by-hand", "as-value", "unknown"]

_OF_COROUTINES = name_list("of_coroutines")


_LAZY = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


class AsyncFixture(SiteRule):
    """Rewrites ``@pytest.fixture`` on asynchronous functions to ``@pytest_asyncio.fixture``."""

    name = "async-fixture"
    family = "testing"
    phase = Phase.REPAIR
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"fixture",)
    anchors = ((b"pytest",), (b"async def",))
    # `pytest_asyncio.fixture` exists since then.
    needs: ClassVar[Mapping[str, str]] = {"pytest-asyncio": ">=0.17"}
    reads = PYTEST_READS
    reasons = reasons_of(globals(), NAME_TAKEN)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per fixture that nobody runs, and its change."""
        tests = project.coroutine_tests
        if not tests.uses_asyncio or tests.anyio_is_automatic:
            return ()
        if project.pytest.asyncio_mode != "strict":
            return ()
        return (
            decide(site, _rewrite, project, decorator, requests)
            for site, decorator in self._sites(project)
            if not _is_of_anyio(
                project, requests := tests.requests.requests_for(site.module, site.node)
            )
        )

    def _sites(self, project: Project) -> Iterator[tuple[Site[ast.AsyncFunctionDef], ast.expr]]:
        for module in site_modules(project, self.triggers):
            if b"async def" not in module.source.text:
                continue
            for node in module.nodes(ast.AsyncFunctionDef):
                decorator = _decorator(project, module, node)
                if decorator is not None:
                    yield Site(self.name, module, node), decorator


def _decorator(project: Project, module: Module, function: ast.AsyncFunctionDef) -> ast.expr | None:
    """Return the decorator of a plain fixture; None if there is none, or nothing to await."""
    node = None
    for decorator in function.decorator_list:
        name = project.qualified_name(module, without_arguments(decorator))
        # A context manager is not a coroutine: the test enters it.
        if name in MANAGERS:
            return None
        if name == _PLAIN:
            node = decorator
    return node


def _is_of_anyio(project: Project, requests: Requests) -> bool:
    """Whether tests ask for a fixture, and all of them run under AnyIO."""
    runners = [_kinds(project, test) for test in requests.tests]
    return bool(runners) and all("anyio" in runner or "trio" in runner for runner in runners)


def _kinds(project: Project, test: Request) -> set[str]:
    return {item.kind for item in project.coroutine_tests.runners_of(test.module, test.function)}


def _rewrite(
    site: Site[ast.AsyncFunctionDef], project: Project, decorator: ast.expr, requests: Requests
) -> Rewrite:
    _require_strict(project)
    _require_plain(site, decorator)
    loop_scope = _loop_scope(project, site, decorator, requests)
    for request in requests.direct:
        if _use_of(request) == "by-hand":
            because = (request.module.place(request.function),)
            raise Refused(AWAITED_BY_HAND, request.function.name, because=because)
    called = without_arguments(decorator)
    written, imports = name_behind(project, site, _OURS)
    edits: list[Edit] = [site.replace(called, written), *imports]
    if loop_scope and isinstance(decorator, ast.Call):
        edits = [_with_scope(site, decorator, written, loop_scope), *imports]
    elif loop_scope:
        edits[0] = site.replace(called, f'{written}(loop_scope="{loop_scope}")')
    edits += [site.release_import("pytest"), site.release_import("pytest", "fixture")]
    message = f"`{site.module.excerpt(called)}` of `{site.node.name}` becomes `{written}`"
    return Rewrite(message, edits, _caveats(project, requests))


def _with_scope(
    site: Site[ast.AsyncFunctionDef], decorator: ast.Call, written: str, scope: str
) -> Edit:
    text = site.module.text_of(decorator).removeprefix(site.module.text_of(decorator.func))
    inside = text.strip()[1:-1].strip().removesuffix(",")
    said = f'{inside}, loop_scope="{scope}"' if inside else f'loop_scope="{scope}"'
    return site.replace(decorator, f"{written}({said})")


def _require_strict(project: Project) -> None:
    """Raise Refused where something else than pytest-asyncio in its strict mode may run it."""
    tests = project.coroutine_tests
    if project.pytest.unread:
        raise Refused(SETTINGS_UNREAD, project.pytest.unread[0].path)
    if tests.other_plugins:
        raise Refused(OTHER_PLUGIN, tests.other_plugins[0])
    hook = tests.hooks(*_HOOKS)
    if hook is not None:
        raise Refused(OTHER_PLUGIN, "a hook of the program", because=(hook,))


def _require_plain(site: Site[ast.AsyncFunctionDef], decorator: ast.expr) -> None:
    """Raise Refused for a fixture that is more than one decorator on a coroutine function."""
    for node in site.node.decorator_list:
        if node is not decorator:
            raise Refused(OTHER_DECORATORS, site.module.excerpt(node))
    if not isinstance(decorator, ast.Call):
        return
    others = [keyword for keyword in decorator.keywords if keyword.arg not in _KEYWORDS]
    for argument in (*decorator.args, *others):
        raise Refused(OTHER_ARGUMENTS, site.module.excerpt(argument))


def _loop_scope(
    project: Project, site: Site[ast.AsyncFunctionDef], decorator: ast.expr, requests: Requests
) -> str:
    """Return the scope of the loop that is to be written, empty if the default is right."""
    own = _scope(site, decorator)
    loops = _loops(project, requests)
    if _has_own_loop(project):
        return ""
    if own != "function" and requests.tests:
        loops = loops or {project.pytest.test_loop_scope: site.place}
    default = project.pytest.fixture_loop_scope or own
    if not loops or set(loops) == {default}:
        return ""
    if len(loops) > 1 or "?" in loops or own not in {"function", *loops}:
        raise Refused(OTHER_LOOP, _of_loops(own, list(loops)), because=tuple(loops.values()))
    if not project.targets.guarantees("pytest-asyncio", ">=0.24"):
        raise Refused(
            OTHER_LOOP, "its tests share a loop, and this pytest-asyncio has no `loop_scope`"
        )
    return next(iter(loops))


def _loops(project: Project, requests: Requests) -> dict[str, Place]:
    """Return the scopes of the loops that tests run in, each with a place that says so."""
    tests = project.coroutine_tests
    if tests.marking_hook is not None:
        why = "a hook of the program puts marks on tests"
        raise Refused(OTHER_LOOP, why, because=(tests.marking_hook,))
    if requests.unseen and (tests.uses_anyio or project.files_with((b"loop_scope",))):
        raise Refused(OTHER_LOOP, requests.unseen)
    loops: dict[str, Place] = {}
    if tests.uses_anyio and not any("asyncio" in _kinds(project, test) for test in requests.tests):
        raise Refused(OTHER_PLUGIN, "AnyIO")
    for request in requests.tests:
        runners = {each.kind: each for each in tests.runners_of(request.module, request.function)}
        if not runners.keys() <= {"asyncio"}:
            because = (request.module.place(request.function),)
            raise Refused(SEVERAL_RUNNERS, request.function.name, because=because)
        for runner in runners.values():
            scope = runner.loop_scope or project.pytest.test_loop_scope
            loops.setdefault(scope, runner.place)
    return loops


def _of_loops(own: str, loops: list[str]) -> str:
    if len(loops) > 1:
        return "its tests run in loops of different scopes"
    if "?" in loops:
        return "the loop of its tests is computed"
    return f"its scope is `{own}`, and its tests run in loops of the scope `{loops[0]}`"


def _has_own_loop(project: Project) -> bool:
    """Whether the program makes the loop of all tests itself, which ended with 1.0."""
    has_fixture = bool(project.files_with((b"def event_loop(",)))
    return has_fixture and project.targets.guarantees("pytest-asyncio", "<1")


def _scope(site: Site[ast.AsyncFunctionDef], decorator: ast.expr) -> str:
    scope = keyword_of(decorator, "scope") if isinstance(decorator, ast.Call) else None
    if scope is None:
        return "function"
    if isinstance(scope, ast.Constant) and isinstance(scope.value, str):
        return scope.value
    raise Refused(OTHER_ARGUMENTS, site.module.excerpt(scope))


def _caveats(project: Project, requests: Requests) -> list[str]:
    """Return what may change: tests that pass today without the fixture."""
    if requests.unseen:
        return [f"{requests.unseen}: {_NEVER_RUNS}"]
    failing = next(filter(_is_expected_to_fail, requests.tests), None)
    if failing is not None:
        return [f"`{failing.function.name}` is expected to fail: {_NEVER_RUNS}"]
    # pytest fails every test that requests the fixture.
    if project.targets.guarantees("pytest", ">=9"):
        return []
    waiting = Worklist(requests.direct, lambda request: request.key)
    for request in waiting:
        if _is_left(project, request):
            # The body does not run today, so only the requests of the fixture count.
            waiting += project.coroutine_tests.requests.requests_for(
                request.module, request.function
            ).direct
        elif _use_of(request) == "unknown":
            return [f"`{request.function.name}` may pass today without its value: {_NEVER_RUNS}"]
    return []


def _is_expected_to_fail(request: Request) -> bool:
    """Whether ``xfail`` is a mark of a test, of classes or of the file, or the test calls it."""
    mentions = request.module.mentions("xfail")
    return any(request.module.enclosing_def(x) in {None, request.function} for x in mentions)


def _is_left(project: Project, request: Request) -> bool:
    """Whether a function is an asynchronous fixture that nobody runs."""
    function = request.function
    return isinstance(function, ast.AsyncFunctionDef) and (
        _decorator(project, request.module, function) is not None
    )


def _use_of(request: Request) -> _Use:
    """Return whether a function awaits a fixture itself, or uses it as what it is to be.

    ``as-value`` is proven: a coroutine or an asynchronous generator fails there, on the first
    statement of the function that may fail with it.
    """
    if request.parameter is None:
        return "unknown"
    module, name = request.module, request.parameter.arg
    reads = module.scopes.reads_in(module.scopes.scope_made_by(request.function), name)
    uses = [_use(module, node) for node in reads]
    if "by-hand" in uses:
        return "by-hand"
    return "as-value" if any(_is_certain(module, request, node) for node in reads) else "unknown"


def _use(module: Module, node: ast.Name) -> _Use:
    match module.parent(node):
        case ast.Await() | ast.AsyncFor() | ast.comprehension(is_async=1):
            return "by-hand"
        case ast.Attribute(attr=attribute) as method:
            call = module.call_of(method)
            # A coroutine has methods of these names, and their results cannot be awaited.
            is_awaited = call is not None and isinstance(module.parent(call), ast.Await)
            is_its_own = attribute in _OF_COROUTINES and not (
                is_awaited and hasattr(CoroutineType, attribute)
            )
            return "by-hand" if is_its_own else "as-value"
        case ast.Subscript(value=value) if value is node:
            return "as-value"
        case ast.Call(func=func) if func is node:
            return "as-value"
    return "unknown"


def _is_certain(module: Module, request: Request, node: ast.Name) -> bool:
    """Whether a function always comes to a use that fails with a coroutine, and fails with it.

    Only statements at the top of its body count, or in ``with`` blocks there.
    """
    if _use(module, node) != "as-value":
        return False
    for below, above in module.steps_up(node):
        if above is request.function:
            return isinstance(below, ast.stmt) and _comes_to(request.function.body, below)
        if _may_pass_over(above, below):
            return False
    return False


def _may_pass_over(above: ast.AST, below: ast.AST) -> bool:
    """Whether ``above`` runs without ``below``, or is content with its failure."""
    match above:
        case ast.With() | ast.AsyncWith():
            # `with pytest.raises(AttributeError):` is content with the failure.
            return below not in above.items and _catches(above)
        case ast.Compare():
            # A comparison of several parts stops at the first that is false.
            return len(above.ops) > 1
        case ast.stmt():
            # The first part of a block is run before the block decides anything.
            return isinstance(below, ast.stmt | ast.ExceptHandler | ast.match_case)
    return isinstance(above, _LAZY) or any(conditions_passed(above, below))


def _catches(statement: ast.With | ast.AsyncWith) -> bool:
    words = {last_name(part) for item in statement.items for part in ast.walk(item.context_expr)}
    return bool(words & {"raises", "suppress", "subtests", "assertRaises"})


def _comes_to(body: list[ast.stmt], statement: ast.stmt) -> bool:
    """Whether nothing in front of ``statement`` may leave the function in good order."""
    for part in body:
        if part is statement:
            return True
        if any(isinstance(node, ast.Return) for node in own_nodes([part])):
            return False
        # Functions inside may be called by then.
        if any(
            isinstance(node, ast.Raise) or last_name(node) in {"skip", "xfail", "exit"}
            for node in ast.walk(part)
        ):
            return False
    return False
