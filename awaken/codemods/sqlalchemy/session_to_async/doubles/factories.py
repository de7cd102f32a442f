"""Patches of what makes sessions: ``patch("app.tasks.SessionLocal")``, entered by the program.

Their mock says what the program is given: by ``mock.return_value.__enter__``, or as what a call
gives (``return_value=session``). That is a session, or a mock whose methods ``mocked_objects``
rewrites.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import PartFacts
from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import (
    ASYNC_MOCK,
    ASYNCHRONOUS,
    Manager,
    entered_asynchronously,
    managers_of,
    not_understood,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.called_methods import (
    EFFECT,
    RESULT,
    results_given,
)
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.effects.construction import is_builtin_error
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.frameworks.testing import Mocked, Replacement
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, keyword_of, parameter_names
from awaken.project.values.pytest_fixtures import parametrized_values

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_ASKED = {"call_args", "call_args_list", "call_count", "called"}
"""What tests ask a mock about its calls."""
_MODULES_OF_ERRORS = name_list("modules_of_errors")
_ENTERED = {"__enter__", "__aenter__"}
_DUNDERS = {*ASYNCHRONOUS, *ASYNCHRONOUS.values()}


class PatchedFactories(PartFacts):
    """Writes them for one program."""

    def patch_rewrite(self, site: Site[ast.AST], replacement: Replacement) -> Rewrite:
        """Return the patch of a factory, whose mock is entered asynchronously. Raises Refused."""
        module, call = site.module, replacement.node
        refused = not_understood(replacement, module.excerpt(call))
        message = f"the mock of `{replacement.shown}` returns asynchronous sessions"
        keywords = call.keywords if isinstance(call, ast.Call) else []
        is_plain = {keyword.arg for keyword in keywords} <= {"return_value"}
        value = keywords[0].value if is_plain and keywords and not replacement.bound else None
        if value is not None and self._is_session(module, value):
            return Rewrite(message, [])
        if self._only_raises(module, replacement, keywords):
            return Rewrite(f"the mock of `{replacement.shown}` raises as before", [])
        managers = [*managers_of(self._project, module, replacement)]
        kept = (self._is_kept(replacement, manager) for manager in managers)
        if not is_plain or not managers or not all(kept):
            raise refused
        # A mock of its own is the session of who enters none.
        ways = [True] if all(manager.is_result for manager in managers) else [True, False]
        if not self._is_only_used(module, replacement, *ways):
            raise refused
        given = [*sessions_entered(managers)]
        made_at = self._project.mocks.made_at
        if not given or not all(made_at(*pair) or self._is_session(*pair) for pair in given):
            raise refused
        edits = list(entered_asynchronously(self._project, site, replacement))
        # A helper of tests that makes the mock is changed with the patch.
        helping = (item for item in managers if item.around is not module.enclosing_def(call))
        places = (item.module.place(node) for item in helping for node in item.methods())
        return Rewrite(message, edits, related=tuple(places))

    def _only_raises(
        self, module: Module, replacement: Replacement, keywords: Sequence[ast.keyword]
    ) -> bool:
        """Whether all that a mock does is to raise an exception where it is called."""
        around = module.enclosing_def(replacement.node)
        uses = _uses(module, around, replacement.bound)
        is_asked = all(isinstance(use, ast.Attribute) and _asks(use.attr) for use in uses)
        if [keyword.arg for keyword in keywords] != [EFFECT] or not is_asked:
            return False
        effects = _passed_by_pytest(around, keywords[0].value)
        return all(effect and self._is_error(module, effect) for effect in effects)

    def _is_error(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a class of exceptions, or makes one."""
        made = node.func if isinstance(node, ast.Call) else node
        name = self._project.qualified_name(module, made) or ""
        return any(
            base.rpartition(".")[0] in _MODULES_OF_ERRORS or is_builtin_error(base)
            for base in (name, *self._project.library_ancestors(name))
        )

    def is_only_called(self, module: Module, replacement: Replacement) -> bool:
        """Whether the mock of a patch makes the sessions by itself, and the program enters none.

        Tests tell that session by ``factory.return_value``.
        """
        around, call = module.enclosing_def(replacement.node), replacement.node
        keywords = call.keywords if isinstance(call, ast.Call) else []
        # Unpacked arguments tell attributes of the mock.
        if not replacement.factory or {keyword.arg for keyword in keywords} - {None, RESULT}:
            return False
        results = _results_told(self._project, module, replacement)
        made_at = self._project.mocks.made_at
        return (
            isinstance(call, ast.Call)
            and replacement.given is None
            and all(_tells_result(module, use) for use in _uses(module, around, replacement.bound))
            and all(made_at(module, value) or self._is_session(module, value) for value in results)
            and self._is_only_used(module, replacement, False)
        )

    def of_mock(self, site: Site[ast.AST], replacement: Replacement) -> Rewrite:
        """Return what stays as it is: a mock that gives the mock of a session. Raises Refused."""
        module = site.module
        session = session_given(self._project, module, replacement)
        if session is None or not self._is_only_used(module, replacement, False):
            raise not_understood(replacement, module.excerpt(replacement.given or site.node))
        return Rewrite(f"the mock of `{replacement.shown}` returns asynchronous sessions", [])

    def _is_session(self, module: Module, node: ast.expr) -> bool:
        # The proof asks as well, when it has become asynchronous.
        proof = self._project.orm.session_of(module, node)
        return isinstance(proof, SessionProof) and proof.kind in {"async", "session"}

    # ---------------------------------------------------------------------------- in the program
    def _is_only_used(self, module: Module, replacement: Replacement, *ways: bool) -> bool:
        """Whether the program only enters what the factory makes, or only calls the factory.

        ``ways`` are those that may be: True for ``with factory() as session``, False for a call.
        """
        mentions = list(_mentions(self._project, module, replacement))
        return bool(mentions) and all(self._is_used(*pair, ways) for pair in mentions)

    def _is_used(self, module: Module, node: ast.expr, ways: Collection[bool]) -> bool:
        call = module.call_of(node)
        if call is None or isinstance(module.parent(call), ast.withitem) not in ways:
            return False
        # Asynchronous generators are no steps of a program that was rewritten.
        is_done = isinstance(module.enclosing_function(node), ast.AsyncFunctionDef)
        return is_done or _function_around(self._part, module, node) is not None

    # ------------------------------------------------------------------------------- in the test
    def _is_kept(self, replacement: Replacement, manager: Manager) -> bool:
        """Whether all that tests do with the mock is understood."""
        around, stores = manager.around, 0
        if not isinstance(around, Function):
            return False
        for node in manager.module.walk(around):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) if name == manager.name:
                    stores += 1
                case ast.Name(id=name) if name == manager.name:
                    if not self._is_understood(replacement, manager, node, around):
                        return False
        return stores == (manager.name not in parameter_names(around.args))

    def _is_understood(
        self, replacement: Replacement, manager: Manager, name: ast.Name, around: Function
    ) -> bool:
        module, above = manager.module, manager.module.parent(name)
        whole = above if manager.is_result else name
        method = module.parent(whole)
        if manager.is_at(whole) and isinstance(method, ast.Attribute) and method.attr in _DUNDERS:
            return self._is_told(module, method)
        match above:
            case ast.Attribute(attr=attribute):
                return _asks(attribute)
            case ast.Yield() | ast.Return():
                return self._is_never_used(module, around) or (
                    not manager.is_result and self._is_only_helping(replacement, module, around)
                )
        return not manager.is_result and self._is_given(replacement, module, name)

    def _is_given(self, replacement: Replacement, module: Module, node: ast.AST | None) -> bool:
        """Whether ``node`` is what the mock of the same factory gives, in this patch or another."""
        keyword = module.parent(node)
        call = module.parent(keyword) if isinstance(keyword, ast.keyword) else None
        return any(
            (other.node, other.home, other.name) == (call, replacement.home, replacement.name)
            for other in self._project.replacements.in_module(module)
        )

    def _is_only_helping(self, replacement: Replacement, module: Module, helper: Function) -> bool:
        """Whether all that tests do with the result of a helper is to have a factory give it."""
        return module.enclosing_class(helper) is None and all(
            self._is_given(replacement, home, home.call_of(mention))
            for home in modules_with(self._project, [helper.name.encode()])
            for mention in home.mentions(helper.name)
            if not isinstance(mention, ast.alias)
        )

    def _is_told(self, module: Module, method: ast.Attribute) -> bool:
        """Whether a test says what entering or leaving gives, or asks about it."""
        above = module.parent(method)
        if isinstance(above, ast.Assign):
            return len(above.targets) == 1 and self._is_mock(module, above.value, method.attr)
        if not isinstance(above, ast.Attribute):
            return False
        if above.attr == "return_value":
            further = module.parent(above)
            return isinstance(further, ast.Assign) and further.targets == [above]
        return _asks(above.attr)

    def _is_mock(self, module: Module, value: ast.expr, method: str) -> bool:
        if not isinstance(value, ast.Call) or value.args:
            return False
        told = {keyword.arg for keyword in value.keywords}
        if told - {"return_value"} or (method in _ENTERED and not told):
            return False
        is_done = self._project.qualified_name(module, value.func) == ASYNC_MOCK
        return is_done if method.startswith("__a") else self._project.mocks.is_made(module, value)

    def _is_never_used(self, module: Module, fixture: Function) -> bool:
        """Whether nobody does anything with what a fixture gives."""
        requests = self._project.coroutine_tests.requests
        asked = requests.requests_for(module, fixture)
        return requests.name_of(module, fixture) is not None and not any(
            isinstance(node, ast.Name) and request.parameter and node.id == request.parameter.arg
            for request in asked.direct
            for node in request.module.walk(request.function)
        )


def _passed_by_pytest(around: ast.AST | None, node: ast.expr) -> list[ast.expr | None]:
    """Return what ``parametrize`` gives the parameter that ``node`` names; ``node`` elsewhere."""
    if isinstance(around, Function) and isinstance(node, ast.Name):
        return parametrized_values(around, node.id) or [node]
    return [node]


def makes_sessions(part: SynchronousPart, replacement: Replacement) -> bool:
    """Whether a patch replaces a factory of sessions, or a manager that gives one to ``with``."""
    for module, function in filter(None, map(part.node_of, replacement.functions)):
        for node in module.yields_of(function):
            if isinstance(node, ast.Yield) and node.value is not None:
                return isinstance(part.project.orm.session_of(module, node.value), SessionProof)
    return replacement.factory


def sessions_given(
    part: SynchronousPart, home: Module, replacement: Replacement
) -> Iterator[tuple[FunctionPlace, Module, ast.expr]]:
    """Yield the functions that wait, each with what the mock of a patched factory gives it."""
    project = part.project
    entered = [*sessions_entered(managers_of(project, home, replacement))]
    session = session_given(project, home, replacement)
    called = [] if session is None else [(home, session)]
    for module, node in _mentions(project, home, replacement):
        function = _function_around(part, module, node)
        call = module.call_of(node)
        is_entered = call is not None and isinstance(module.parent(call), ast.withitem)
        given = (entered or called) if is_entered else (called or entered)
        yield from ((function, *pair) for pair in given if function is not None)


def callers_of_factory(
    part: SynchronousPart, home: Module, replacement: Replacement
) -> list[FunctionPlace]:
    """Return the functions that wait and call the factory while a patch replaces it."""
    mentions = _mentions(part.project, home, replacement)
    around = (_function_around(part, module, node) for module, node in mentions)
    return sorted({function for function in around if function is not None})


def session_given(project: Project, module: Module, replacement: Replacement) -> ast.expr | None:
    """Return the mock of a session that the mock of a factory gives, whoever makes that."""
    given, values = replacement.given, _results_told(project, module, replacement)
    mocked = None if given is None or values else project.mocks.made_at(module, given)
    if mocked is not None and mocked.module is module and _is_only_asked(module, mocked):
        match mocked.call:
            case ast.Call(args=[], keywords=[ast.keyword(arg="return_value", value=value)]):
                values = [value]
    is_mock = len(values) == 1 and project.mocks.made_at(module, values[0]) is not None
    return values[0] if is_mock else None


def _results_told(project: Project, module: Module, replacement: Replacement) -> list[ast.expr]:
    """Return what a test has the mock of a factory give."""
    results = results_given(project, module, replacement)
    return [value for name, value in results if name == RESULT]


def _is_only_asked(module: Module, mocked: Mocked) -> bool:
    """Whether tests pass on the variables of a mock, and ask it about its calls."""
    return all(
        isinstance(above, ast.Call) or (isinstance(above, ast.Attribute) and _asks(above.attr))
        for _, around, name in mocked.variables
        for above in _uses(module, around, name)
    )


def _uses(module: Module, around: ast.AST | None, name: str) -> Iterator[ast.AST | None]:
    """Yield what a function does with its variable ``name``."""
    for node in () if around is None else module.walk(around):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield module.parent(node)


def _tells_result(module: Module, node: ast.AST | None) -> bool:
    """Whether ``node`` asks a mock, sets its result, or leads to an attribute of that."""
    match node, module.parent(node):
        case ast.Attribute(attr="return_value"), ast.Attribute(attr=name):
            return name not in _DUNDERS
        case ast.Attribute(attr=name), above:
            return _asks(name) or (name == RESULT and isinstance(above, ast.Assign))
    return False


def _asks(attribute: str) -> bool:
    return attribute in _ASKED or attribute.startswith("assert_")


def sessions_entered(managers: Iterable[Manager]) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what tests have mocks give to ``with``."""
    for manager in managers:
        for method in manager.methods():
            above = manager.module.parent(method)
            if method.attr not in _ENTERED:
                continue
            match above, None if above is None else manager.module.parent(above):
                case ast.Assign(value=ast.Call() as value), _:
                    given = keyword_of(value, "return_value")
                    yield from [] if given is None else [(manager.module, given)]
                case ast.Attribute(attr="return_value"), ast.Assign(value=value):
                    yield manager.module, value


def _mentions(
    project: Project, home: Module, replacement: Replacement
) -> Iterator[tuple[Module, ast.expr]]:
    """Yield where the program may read a name that a patch of ``replacement.home`` replaces."""
    put = home.place(replacement.node)
    for module in modules_with(project, [replacement.name.encode()], is_around_tests):
        for node in module.mentions(replacement.name):
            if isinstance(node, ast.expr) and not project.in_force.may_run(put, module, node):
                continue
            match node:
                case ast.Attribute():
                    owner = project.qualified_name(module, node.value)
                    # The same name of another file is another one.
                    path = None if owner is None else project.layout.path_of(owner)
                    if path in {None, replacement.home}:
                        yield module, node
                case ast.Name():
                    # A name that a file has imported is its own name.
                    bindings = module.scopes.bindings_of(node)
                    is_own = any(binding.scope.node is module.tree for binding in bindings)
                    if module.path == replacement.home or not is_own:
                        yield module, node


def _function_around(part: SynchronousPart, module: Module, node: ast.expr) -> FunctionPlace | None:
    """Return the function around ``node``, if it waits."""
    around = module.enclosing_function(node)
    if not isinstance(around, Function):
        return None
    function = part.function_at(*module.key_of(around))
    return function if function is not None and function in part.steps else None
