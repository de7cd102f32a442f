"""The rule: calls of ``run_in_executor()``, and the variables of loops that they leave unused."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.asyncio.executor_to_thread.payload import Threaded
from awaken.contract import Constraints, Edit, Phase, Plan, Reason, Status
from awaken.kit.caveats.listing_calls import lists_names
from awaken.kit.changes import Decided, plan_of, refused_together, rewritten_together
from awaken.kit.imports import name_behind
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of
from awaken.knowledge.library_names import library_names, word_list
from awaken.project.source.replacing import puts_in
from awaken.project.source.trees import arguments_of, is_none, last_name, parameters_of, variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

NAMED_EXECUTOR = Reason(
    "named-executor",
    "`{}` runs in an executor that the program chose",
    "Keep it if the size or the kind of the pool matters. Otherwise pass None.",
    asks_nothing=True,
)
NOT_AWAITED = Reason(
    "not-awaited",
    "`{}` is not awaited here: the thread starts immediately, and `to_thread()` would not start it",
    "Start `asyncio.to_thread()` with `asyncio.create_task()`, or in a `TaskGroup`.",
)
OTHER_ARGUMENTS = Reason(
    "other-arguments",
    "the executor argument of `{}` is unknown",
    "Write the executor and the function as separate arguments.",
)

_OF_LOOP = "asyncio.AbstractEventLoop.run_in_executor"
_ASKED = library_names().loop_getters
_AWAITED_LATER = ("asyncio.gather", "asyncio.wait_for")
_REPLACED = re.compile(
    rb"run_in_executor(?:[\"']|\s*=[^=]|\.(?:return_value|side_effect|assert_|call|await))"
)
_DEFAULT = "_default_executor"
"""The attribute of a loop, and the end of the method that sets it."""
_OWN_CONTEXTS = (b"ContextVar", b"contextvars", b"localcontext", b"getcontext", b"setcontext")
_CONTEXTS_OF_LIBRARIES = word_list("contexts_of_libraries")
_DISPLAYS = (ast.GeneratorExp, ast.List, ast.ListComp, ast.Starred, ast.Tuple)

_Judged = tuple[Site[ast.Call], Rewrite | Refused]


class ExecutorToThread(Rule):
    """Rewrites ``run_in_executor(None, f)`` to ``to_thread(f)``."""

    name = "executor-to-thread"
    family = "asyncio"
    # session-to-async recognizes `to_thread()`, which this rule writes.
    phase = Phase.SESSIONS
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"run_in_executor",)
    needs: ClassVar[Mapping[str, str]] = {"python": ">=3.9"}
    status = Status.OPT_IN
    reasons = (INSIDE_FSTRING, NAME_TAKEN, NAMED_EXECUTOR, NOT_AWAITED, OTHER_ARGUMENTS)
    writers = (f"{__package__}.rewrite",)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per call, and one change for those that share a loop."""
        caveats = _of_program(project)
        return plan_of(
            decided
            for module in site_modules(project, self.triggers)
            for decided in self._decided_sites(project, module, constraints, caveats)
        )

    def _decided_sites(
        self, project: Project, module: Module, constraints: Constraints, caveats: Sequence[str]
    ) -> Iterator[Decided]:
        judged = [
            (site, outcome_of(_rewrite, site, project, caveats))
            for site in self._sites(project, module)
        ]
        together: dict[ast.stmt, list[_Judged]] = {}
        for site, outcome in judged:
            statement = _loop_statement(project, module, site.node)
            if isinstance(outcome, Refused):
                yield refused_together((site,), outcome)
            elif statement is None or site.id in constraints.excluded:
                yield rewritten_together((site,), outcome)
            else:
                together.setdefault(statement, []).append((site, outcome))
        for statement, members in together.items():
            yield from _with_loop(module, statement, members)

    def _sites(self, project: Project, module: Module) -> Iterator[Site[ast.Call]]:
        for node in module.walk():
            match node:
                case ast.Call(func=ast.Attribute(value=loop, attr="run_in_executor")):
                    names = project.effects.library_functions(module, node)
                    is_loop = not names or _OF_LOOP in names
                    if is_loop and (names or not project.instance_of(module, loop)):
                        yield Site(self.name, module, node)


def _of_program(project: Project) -> list[str]:
    """Return what may change at all sites of a program."""
    caveats: list[str] = []
    paths = project.files_with((b"run_in_executor",))
    if not paths:
        return caveats
    if project.files_with(_OWN_CONTEXTS + _CONTEXTS_OF_LIBRARIES):
        caveats.append("the function sees the context variables of its caller")
    if any(_REPLACED.search(project.snapshot[path].text) for path in paths):
        caveats.append("a test replaces `run_in_executor()`")
    if project.files_with((b"def run_in_executor",)):
        caveats.append("a loop class of the program overrides it")
    executors = _default_executors(project)
    other = next((pair for pair in executors if not _is_thread_pool(project, *pair)), None)
    if other is not None:
        module, node = other
        shown = module.excerpt(node)
        caveats.append(f"the loop has its own executor, `{shown}`, which gets a wrapper of it")
    return caveats


def _default_executors(project: Project) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what the program gives to loops as their default executor."""
    for module in project.modules_at(project.files_with((_DEFAULT.encode(),))):
        for node in module.nodes_of(ast.Call):
            if last_name(node.func) == f"set{_DEFAULT}":
                yield from ((module, executor) for executor in arguments_of(node)[:1])
        yield from ((module, put.value or put.node) for put in puts_in(module).get(_DEFAULT, ()))


def _is_thread_pool(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an executor is one of the standard library, which calls whatever it gets."""
    return project.instance_of(module, node) == ("concurrent.futures.ThreadPoolExecutor",)


# ------------------------------------------------------------------------------------- one call
def _rewrite(site: Site[ast.Call], project: Project, caveats: Sequence[str]) -> Rewrite:
    module, call = site.module, site.node
    shown = module.excerpt(call)
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, shown)
    executor, function = _first_two(call)
    if executor is None or function is None:
        raise Refused(OTHER_ARGUMENTS, shown)
    if not is_none(executor):
        raise Refused(NAMED_EXECUTOR, shown)
    later = _awaited_later(project, module, call)
    if later and not isinstance(module.parent(call), ast.Await):
        caveats = ["the thread starts in the next iteration of the loop, not immediately", *caveats]
    elif not isinstance(module.parent(call), ast.Await):
        raise Refused(NOT_AWAITED, shown)
    written, imports = name_behind(project, site, "asyncio.to_thread", _asked_node(module, call))
    through = _is_seen_through(project, module, call)
    edits: list[Edit] = [site.rewrite(call, "to-thread", Threaded(written, through)), *imports]
    edits += [site.release_import("asyncio", name.rpartition(".")[2]) for name in _ASKED]
    if through:
        edits += [site.release_import("functools"), site.release_import("functools", "partial")]
    said = f"`{module.excerpt(call.func)}(None, ...)` becomes `{written}(...)`"
    if _is_coroutine_function(module, function):
        shown = module.excerpt(function)
        caveats = [f"a loop in debug mode rejects `{shown}`, a coroutine function", *caveats]
    # The class of the loop is unknown, so every replacement of its method counts.
    replaced = project.replaced_names.of_library(module, call.func, "asyncio.to_thread")
    doubles = tuple(replacement.place for replacement in replaced)
    end = "replaces `asyncio.to_thread`"
    clauses = [f"{double.path} {end}" for double in doubles]
    caveats = [*_of_receiver(project, module, call), *caveats, *clauses[:1]]
    return Rewrite(said, edits, caveats, doubles)


def _is_coroutine_function(module: Module, function: ast.expr) -> bool:
    if not isinstance(function, ast.Name):
        return False
    bindings = module.scopes.bindings_of(function)
    return any(isinstance(binding.node, ast.AsyncFunctionDef) for binding in bindings)


def _asked_node(module: Module, call: ast.Call) -> ast.expr | None:
    """Return the function that was asked for the loop of ``call``, if one function was."""
    loop = call.func.value if isinstance(call.func, ast.Attribute) else None
    loop = module.scopes.only_value(loop) or loop
    return loop.func if isinstance(loop, ast.Call) else None


def _first_two(call: ast.Call) -> tuple[ast.expr | None, ast.expr | None]:
    """Return the executor and the function, if they come before all other arguments."""
    arguments: list[ast.expr] = arguments_of(call)
    names = ["executor", "func"][len(call.args) :]
    in_order = [keyword.arg for keyword in call.keywords] == names
    if len(arguments) < len(("executor", "func")) or not in_order:
        return None, None
    if any(isinstance(argument, ast.Starred) for argument in arguments[:2]):
        return None, None
    return arguments[0], arguments[1]


def _awaited_later(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether the call is an argument of a function that is awaited, and awaits it."""
    above = module.parent(call)
    while isinstance(above, _DISPLAYS):
        above = module.parent(above)
    return (
        isinstance(above, ast.Call)
        and isinstance(module.parent(above), ast.Await)
        and project.qualified_name(module, above.func) in _AWAITED_LATER
    )


def _of_receiver(project: Project, module: Module, call: ast.Call) -> list[str]:
    """Return what may change because of the receiver of the call."""
    loop = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    shown = module.excerpt(loop)
    if isinstance(loop, ast.Call) and project.qualified_name(module, loop.func) not in _ASKED:
        return [f"`{shown}` is no longer called"]
    if _OF_LOOP not in project.effects.library_functions(module, call):
        return [f"`{shown}` may not be an asyncio loop"]
    if isinstance(loop, ast.Attribute) and not _is_quiet(project, module, loop):
        return [f"`{shown}` is no longer read, and reading it may have an effect"]
    return []


def _is_seen_through(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether the function inside ``partial`` or ``lambda`` can be passed directly."""
    if "#" in module.text_of(call):
        return False
    alone = len(call.args) + len(call.keywords) == len(("executor", "func"))
    match _first_two(call)[1]:
        case ast.Call(func=func, args=[first, *_], keywords=named):
            is_partial = project.qualified_name(module, func) == "functools.partial"
            # Keywords are then evaluated after all other arguments.
            in_order = alone or all(_is_quiet(project, module, keyword.value) for keyword in named)
            return is_partial and in_order and not isinstance(first, ast.Starred)
        case ast.Lambda(args=parameters, body=ast.Call() as inner):
            passed = arguments_of(inner)
            steady = all(_is_steady(module, node) for node in passed)
            steady = steady and _is_steady_function(project, module, inner)
            return alone and steady and not parameters_of(parameters)
    return False


def _is_quiet(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` runs no code, so that the time of its evaluation does not matter."""
    if isinstance(node, ast.Attribute):
        known = project.qualified_name(module, node) is not None
        return known or project.effects.is_plain_read(module, node)
    return isinstance(node, ast.Constant | ast.Name)


def _is_steady(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` in a lambda means the same before the thread has begun.

    Until then other coroutines and threads run: they may rebind names, and assign to attributes.
    """
    is_name = isinstance(node, ast.Name) and _is_steady_name(module, node)
    return is_name or isinstance(node, ast.Constant)


def _is_steady_name(module: Module, name: ast.Name) -> bool:
    owner = module.scopes.owner(name.id, module.scopes.scope_of(name))
    if owner is None:
        return True  # a builtin
    bindings = owner.bindings[name.id]
    function = module.enclosing_def(name)
    if owner.node is function:
        # The function awaits meanwhile, so only functions inside it can rebind its names.
        return all(module.scopes.scope_of(binding.node) is owner for binding in bindings)
    is_defined = bindings[0].kind in {"class", "function", "import"}
    is_defined |= bindings[0].kind == "parameter" and owner.kind == "function"
    return len(bindings) == 1 and is_defined


def _is_steady_function(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a lambda calls the same function before the thread has begun."""
    func = call.func
    if not isinstance(func, ast.Attribute):
        return _is_steady(module, func)
    qualified = project.qualified_name(module, func)
    if qualified is not None and project.effects.library_functions(module, call):
        return True
    if project.files_with((f".{func.attr} =".encode(), f".{func.attr}=".encode(), b"setattr(")):
        return False
    if qualified is not None:
        defined = project.definition(qualified)
        return defined is not None and defined.kind == "function"
    return _is_steady(module, func.value) and project.effects.is_plain_read(module, func)


# ------------------------------------------------------------------------ the variable of a loop
def _loop_statement(project: Project, module: Module, call: ast.Call) -> ast.stmt | None:
    """Return the statement that does nothing but ask for the loop of ``call``, in its coroutine."""
    loop = call.func.value if isinstance(call.func, ast.Attribute) else None
    binding = module.scopes.only_binding(loop)
    statement = None if binding is None else module.parent(binding.node)
    asked = None if binding is None or variable_of(statement) is None else binding.value
    if not isinstance(statement, ast.stmt) or not isinstance(asked, ast.Call):
        return None
    if asked.args or asked.keywords:
        return None
    coroutine = module.enclosing_coroutine(statement)
    is_local = bool(coroutine and binding and binding.scope.node is coroutine)
    is_asked = project.qualified_name(module, asked.func) in _ASKED
    return statement if is_local and is_asked and _has_own_line(module, statement) else None


def _has_own_line(module: Module, statement: ast.stmt) -> bool:
    """Whether the line of ``statement``, one of several in its block, holds nothing else."""
    return not any(module.text_alongside(statement)) and len(module.block_of(statement)) > 1


def _with_loop(
    module: Module, statement: ast.stmt, members: Sequence[_Judged]
) -> Iterator[Decided]:
    """Yield the changes of calls of one loop: one change where nothing else uses the loop."""
    sites = [site for site, _ in members]
    rewrites = [outcome for _, outcome in members if isinstance(outcome, Rewrite)]
    used = [site.node.func.value for site in sites if isinstance(site.node.func, ast.Attribute)]
    reads = module.scopes.reads_of(used[0]) if isinstance(used[0], ast.Name) else []
    listed = lists_names(module, module.scopes.scope_of(statement))
    if listed is not None or any(read not in used for read in reads):
        yield from map(rewritten_together, ([site] for site in sites), rewrites)
        return
    edits = [edit for rewrite in rewrites for edit in rewrite.edits]
    caveats = dict.fromkeys(text for rewrite in rewrites for text in rewrite.caveats)
    edits.append(sites[0].remove_statement(statement))
    dropped = module.place(statement, "nothing else uses it")
    yield rewritten_together(sites, Rewrite(rewrites[0].message, edits, tuple(caveats), (dropped,)))
