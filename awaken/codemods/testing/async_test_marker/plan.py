"""Finds coroutine tests that no plugin runs, and marks them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.testing.async_test_marker.reasons import (
    NO_PLUGIN,
    OTHER_LOOP,
    SETTINGS_UNREAD,
    TWO_PLUGINS,
    UNKNOWN_CLASS,
    YIELDS,
)
from awaken.contract import Edit, Level, Phase, Status
from awaken.kit.changes import Decided, decide, refused_together
from awaken.kit.imports import name_behind
from awaken.kit.reasons import NAME_TAKEN, reasons_of
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.testing.coroutine_tests import loop_scope_of
from awaken.project.source.trees import Function, parameters_of, without_arguments
from awaken.workspace.manifests.pytest_settings import PYTEST_READS

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_RUNNERS = ("anyio", "pytest", "pytest-asyncio")
_PLAIN = "pytest.fixture"
_OURS = "pytest_asyncio.fixture"
_RUNS = "it does not run today, so it may fail or affect later tests"
_HANDING_ON = tuple(name_list("keeping_coroutines"))


class AsyncTestMarker(SiteRule):
    """Puts ``@pytest.mark.asyncio`` or ``@pytest.mark.anyio`` on coroutine tests."""

    name = "async-test-marker"
    family = "testing"
    phase = Phase.REPAIR
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"async def ",)
    anchors = ((b"pytest",),)
    reads = PYTEST_READS
    status = Status.PREVIEW
    reasons = reasons_of(globals(), NAME_TAKEN)

    def decisions(self, project: Project) -> Iterator[Decided]:
        """Return one finding per test that nothing runs, and its change."""
        tests = project.coroutine_tests
        for module in site_modules(project, self.triggers) if _may_leave_tests(project) else ():
            sites = [
                Site(self.name, module, node)
                for node in module.nodes(ast.AsyncFunctionDef)
                if _is_left(project, module, node)
            ]
            if sites and not (tests.uses_asyncio or tests.uses_anyio):
                # One finding for each file is enough, because the cure is the same.
                number = f", so {len(sites)} tests of this file never run"
                yield refused_together(sites[:1], Refused(NO_PLUGIN, number))
                continue
            for site in sites:
                yield decide(site, _rewrite, project)


def _may_leave_tests(project: Project) -> bool:
    """Whether coroutine tests without a mark are left alone, as far as can be seen."""
    tests = project.coroutine_tests
    return _says_how_tests_run(project) and not (
        project.pytest.asyncio_mode != "strict"
        or tests.anyio_is_automatic
        or tests.other_plugins
        or tests.marking_hook is not None
        or tests.hooks("pytest_pyfunc_call", "pytest_pycollect_makeitem") is not None
    )


def _says_how_tests_run(project: Project) -> bool:
    """Whether the project declares how its tests run: a package without its settings does not."""
    is_declared = project.targets.declares_any(_RUNNERS)
    return is_declared or bool(project.pytest.path) or bool(project.pytest.unread)


def _is_left(project: Project, module: Module, node: ast.AsyncFunctionDef) -> bool:
    """Whether ``node`` is a test that nothing runs."""
    tests = project.coroutine_tests
    return (
        tests.requests.is_test(module, node)
        and all(_hands_on(project, module, decorator) for decorator in node.decorator_list)
        and not tests.runners_of(module, node)
        and not _is_of_unittest(project, module, node)
        and not _is_called(module, node)
    )


def _hands_on(project: Project, module: Module, decorator: ast.expr) -> bool:
    name = project.qualified_name(module, without_arguments(decorator)) or ""
    return name.startswith(_HANDING_ON)


def _is_of_unittest(project: Project, module: Module, node: ast.AsyncFunctionDef) -> bool:
    owner = module.enclosing_class(node)
    if owner is None:
        return False
    outside = project.library_ancestors(module.full_name(owner))
    return any(name.endswith("TestCase") for name in outside)


def _is_called(module: Module, node: ast.AsyncFunctionDef) -> bool:
    """Whether a function is a helper: its own file calls it with arguments."""
    needs = [arg for arg, default in parameters_of(node.args) if default is None]
    if not needs or module.enclosing_class(node) is not None:
        return False
    calls = (module.parent(mention) for mention in module.mentions(node.name))
    return any(isinstance(call, ast.Call) and (call.args or call.keywords) for call in calls)


def _rewrite(site: Site[ast.AsyncFunctionDef], project: Project) -> Rewrite:
    module, node = site.module, site.node
    if project.pytest.unread:
        raise Refused(SETTINGS_UNREAD, project.pytest.unread[0].path)
    if module.is_generator(node):
        raise Refused(YIELDS, node.name)
    _require_bases(project, site)
    kind, arguments = _kind(project, site), ""
    if kind == "asyncio":
        scope = _loop_scope(project, site)
        arguments = f'(loop_scope="{scope}")' if scope else ""
    written, imports = name_behind(project, site, "pytest.mark")
    mark = f"{written}.{kind}{arguments}"
    edits: list[Edit] = [*imports]
    line_end, indent = _layout(module, node)
    # The mark comes first, because other decorators may wrap the function.
    if node.decorator_list:
        edits.append(site.insert_before(node.decorator_list[0], f"{mark}{line_end}{indent}@"))
    else:
        edits.append(site.insert_before(node, f"@{mark}{line_end}{indent}"))
    return Rewrite(f"`{node.name}` gets a mark, so that it runs", edits, [_RUNS])


def _require_bases(project: Project, site: Site[ast.AsyncFunctionDef]) -> None:
    """Raise Refused for a test of a class with a base class outside the project."""
    owner = site.module.enclosing_class(site.node)
    if owner is None or not owner.bases:
        return
    facts = project.class_facts(site.module.full_name(owner))
    names = project.library_ancestors(site.module.full_name(owner))
    others = [name for name in names if name not in {"builtins.object", "typing.Generic"}]
    if facts is None or None in facts.bases or others:
        raise Refused(UNKNOWN_CLASS, owner.name)


def _layout(module: Module, node: ast.AsyncFunctionDef) -> tuple[str, str]:
    """Return the line end in front of a definition, and what its lines begin with."""
    text, start = module.source.text, module.span(node).start
    line_start = max(text.rfind(end, 0, start) for end in (b"\n", b"\r")) + 1
    before = text[:line_start]
    line_end = next((item for item in ("\r\n", "\n", "\r") if before.endswith(item.encode())), "")
    if not line_end:
        below = text[start:]
        result = [candidate for candidate in ("\r\n", "\n", "\r") if candidate.encode() in below]
        line_end = result[0] if result else "\n"
    return line_end, text[line_start:start].decode()


# ------------------------------------------------------------------------------ plugin and loop
def _kind(project: Project, site: Site[ast.AsyncFunctionDef]) -> str:
    """Return which plugin is to run a test: the one that is used, or what the file says."""
    tests = project.coroutine_tests
    if not tests.uses_anyio:
        return "asyncio"
    if not tests.uses_asyncio:
        return "anyio"
    kinds = set(_of_fixtures(project, site)) or _of_file(project, site.module)
    if not kinds:
        kinds = {name for name, used in tests.named_plugins.items() if used}
    if len(kinds) != 1:
        raise Refused(TWO_PLUGINS, site.node.name)
    return kinds.pop()


def _of_fixtures(project: Project, site: Site[ast.AsyncFunctionDef]) -> Iterator[str]:
    """Yield the plugins that run the fixtures of a test; of plain ones, as other tests say."""
    tests = project.coroutine_tests
    for module, function in tests.requests.fixtures_of(site.module, site.node):
        decorator = _fixture_decorator(project, module, function)
        if decorator is None or not isinstance(function, ast.AsyncFunctionDef):
            continue
        if project.qualified_name(module, without_arguments(decorator)) == _OURS:
            yield "asyncio"
            continue
        for test in tests.requests.requests_for(module, function).tests:
            yield from (each.kind for each in tests.runners_of(test.module, test.function))


def _of_file(project: Project, module: Module) -> set[str]:
    return {
        runner.kind
        for node in module.walk()
        if isinstance(node, ast.AsyncFunctionDef)
        for runner in project.coroutine_tests.runners_of(module, node)
    }


def _loop_scope(project: Project, site: Site[ast.AsyncFunctionDef]) -> str:
    """Return the scope of the loop that the fixtures of a test live in, empty for its own."""
    default = project.pytest.test_loop_scope
    scopes = set(_scopes(project, site)) or {default}
    if scopes == {default}:
        return ""
    if len(scopes) > 1 or "?" in scopes:
        raise Refused(OTHER_LOOP, ", ".join(f"`{scope}`" for scope in sorted(scopes)))
    if not project.targets.guarantees("pytest-asyncio", ">=0.24"):
        raise Refused(OTHER_LOOP, ", ".join(f"`{scope}`" for scope in sorted(scopes)))
    return scopes.pop()


def _scopes(project: Project, site: Site[ast.AsyncFunctionDef]) -> Iterator[str]:
    for module, function in project.coroutine_tests.requests.fixtures_of(site.module, site.node):
        decorator = _fixture_decorator(project, module, function)
        if decorator is None or not isinstance(function, ast.AsyncFunctionDef):
            continue
        said = loop_scope_of(decorator, ("loop_scope",))
        default = project.pytest.fixture_loop_scope
        yield said or default or loop_scope_of(decorator, ("scope",)) or "function"


def _fixture_decorator(project: Project, module: Module, function: Function) -> ast.expr | None:
    for decorator in function.decorator_list:
        if project.qualified_name(module, without_arguments(decorator)) in {_PLAIN, _OURS}:
            return decorator
    return None
