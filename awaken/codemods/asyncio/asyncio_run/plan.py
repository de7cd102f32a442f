"""The rule: coroutines that a loop of its own runs at the entry of a program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.contract import Edit, Phase, Reason
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_behind
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN, reasons_of
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import name_list, word_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_none, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.bindings import Binding

GATHER = Reason(
    "gather",
    "`{}` needs a running event loop",
    "Write a coroutine function that awaits it, and run that function.",
)
NOT_A_COROUTINE = Reason(
    "not-a-coroutine",
    "`{}` may not be a coroutine",
    "Write a coroutine function that awaits it, and run that function.",
)
OTHER_USE = Reason(
    "other-use",
    "the event loop has another use: {}",
    "Do that in the coroutine, with `asyncio.get_running_loop()`, or use `asyncio.Runner`.",
)
RUN_FOREVER = Reason(
    "run-forever",
    "the loop also runs forever: {}",
    "Wait for an event in the coroutine, and run only the coroutine.",
)
SEVERAL_RUNS = Reason(
    "several-runs",
    "this loop may run another coroutine: {}",
    "Await them in one coroutine function, or use `asyncio.Runner`.",
)
SHARED_LINE = Reason(
    "shared-line",
    "`{}` cannot be removed separately",
    "Put it on its own line, in a block with other statements.",
)
SIGNAL_HANDLERS = Reason(
    "signal-handlers",
    "the loop handles signals: {}",
    "Add the handlers in the coroutine, to `asyncio.get_running_loop()`.",
)

_MADE = ("asyncio.get_event_loop", "asyncio.new_event_loop")
_SET = "asyncio.set_event_loop"
_RUN = "run_until_complete"
_CODES = {
    _RUN: SEVERAL_RUNS,
    "add_signal_handler": SIGNAL_HANDLERS,
    "remove_signal_handler": SIGNAL_HANDLERS,
    "run_forever": RUN_FOREVER,
}
_SHUT = re.compile(r"\w+\.run_until_complete\(\w+\.shutdown_(?:asyncgens|default_executor)\(\)\)")
_NEW_LOOP = "`run()` creates a new loop, and existing objects may belong to another one"
_LEFT_TASKS = "`run()` cancels the remaining tasks"
_HARMLESS = name_list("modules_without_tasks")

_STARTING = word_list("starting_tasks")


class AsyncioRun(SiteRule):
    """Rewrites ``loop.run_until_complete(main())`` to ``asyncio.run(main())``."""

    name = "asyncio-run"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"run_until_complete",)
    reasons = reasons_of(globals(), INSIDE_FSTRING, NAME_TAKEN)
    writers = (f"{__package__}.rewrite",)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per run of a coroutine, and its change."""
        return (decide(site, _rewrite, project) for site in self._sites(project))

    def _sites(self, project: Project) -> Iterator[Site[ast.Call]]:
        for module in site_modules(project, self.triggers):
            for node in module.nodes(ast.Call):
                if (
                    _loop_made(project, module, node) is not None
                    and _is_entry(module, node)
                    and not _SHUT.fullmatch(module.text_of(node))
                ):
                    yield Site(self.name, module, node)


def _loop_made(project: Project, module: Module, call: ast.Call) -> ast.Call | None:
    """Return the call that makes the loop of which ``call`` is ``run_until_complete()``."""
    match call.func:
        case ast.Attribute(value=ast.Call() as made, attr="run_until_complete"):
            pass
        case ast.Attribute(value=ast.Name() as loop, attr="run_until_complete"):
            value = module.scopes.only_value(loop)
            if not isinstance(value, ast.Call):
                return None
            made = value
        case _:
            return None
    return made if project.qualified_name(module, made.func) in _MADE else None


def _rewrite(site: Site[ast.Call], project: Project) -> Rewrite:
    module, call = site.module, site.node
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    if project.files_with((b"nest_asyncio",)):
        raise Refused(OTHER_USE, "`nest_asyncio` lets loops run inside other loops")
    _require_coroutine(project, module, call)
    made = _loop_made(project, module, call)
    if made is None:
        raise Refused(OTHER_USE, module.excerpt(call))
    written, imports = name_behind(project, site, "asyncio.run", made.func)
    statements = _statements_of_loop(project, site)
    for other in _other_calls(module, "set_event_loop", made, statements):
        raise Refused(OTHER_USE, f"`{module.excerpt(other)}`", because=(module.place(other),))
    asked = _other_calls(module, "get_event_loop", made, statements)
    # After `run()`, no loop is set.
    is_current = last_name(made.func) == "get_event_loop" or any(
        isinstance(node, ast.Call) and last_name(node.func) == "set_event_loop"
        for statement in statements
        for node in module.walk(statement)
    )
    if asked and is_current:
        shown = f"`{module.excerpt(asked[0])}`"
        raise Refused(SEVERAL_RUNS, shown, because=(module.place(asked[0]),))
    edits: list[Edit] = [site.replace(call.func, written), *imports]
    edits += _edits_without(site, statements)
    for name in ("get_event_loop", "new_event_loop", "set_event_loop"):
        edits.append(site.release_import("asyncio", name))
    is_safe = module.is_under_main(call) and not asked
    is_safe = is_safe and not _may_have_loops(project, module, call)
    is_safe = is_safe and _leaves_nothing(module)
    caveats = () if is_safe else (_NEW_LOOP, _LEFT_TASKS)
    places = [module.place(statement, "is removed with the loop") for statement in statements]
    tried = _block_around(module, statements)
    if tried is not None:
        places.append(module.place(tried))
    message = f"`{module.excerpt(call.func)}()` becomes `{written}()`"
    return Rewrite(message, edits, caveats, tuple(places))


def _require_coroutine(project: Project, module: Module, call: ast.Call) -> None:
    given = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if given is None:
        raise Refused(NOT_A_COROUTINE, module.excerpt(call))
    shown = module.excerpt(given)
    if isinstance(given, ast.Call) and project.qualified_name(module, given.func) in {
        "asyncio.gather",
        "asyncio.wait",
    }:
        raise Refused(GATHER, shown)
    if project.effects.awaitable(module, given) != "coroutine":
        raise Refused(NOT_A_COROUTINE, shown)


def _other_calls(
    module: Module, name: str, made: ast.Call, statements: Sequence[ast.stmt]
) -> list[ast.Call]:
    """Return the calls of ``name`` outside of coroutines that have to do with another loop."""
    return [
        call
        for call in module.nodes(ast.Call)
        if last_name(call.func) == name
        and call is not made
        and module.enclosing_coroutine(call) is None
        and module.statement_of(call) not in statements
        and not is_none(call.args[0] if call.args else None)
    ]


# --------------------------------------------------------------------------- what goes with it
def _statements_of_loop(project: Project, site: Site[ast.Call]) -> list[ast.stmt]:
    """Return the statements that only prepare and close the loop. Raises Refused."""
    module, call = site.module, site.node
    loop = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    if not isinstance(loop, ast.Name):
        return []
    binding = module.scopes.bindings_of(loop)[0]
    if _may_be_imported(project, module, binding):
        raise Refused(OTHER_USE, f"other files may import `{loop.id}`")
    result = [_statement_alone(module, binding.node)]
    reads = (read for read in module.scopes.reads_of(loop) if read is not loop)
    result += [_of_read(project, module, read) for read in reads]
    beside = [other for statement in result for other in module.block_of(statement)]
    result += [_statement_alone(module, node) for node in beside if _forgets(project, module, node)]
    # One statement may read the loop twice.
    return list(dict.fromkeys(result))


def _may_be_imported(project: Project, module: Module, binding: Binding) -> bool:
    """Whether another file may import the name, as far as words tell."""
    if binding.scope.kind != "module" or module.is_under_main(binding.node):
        return False
    name = module.name.rpartition(".")[2].encode()
    return any(path != module.path for path in project.files_with((name,)))


def _forgets(project: Project, module: Module, statement: ast.stmt) -> bool:
    """Whether ``statement`` is ``set_event_loop(None)``."""
    match statement:
        case ast.Expr(value=ast.Call(func=func, args=[ast.Constant(value=None)])):
            return project.qualified_name(module, func) == _SET
    return False


def _of_read(project: Project, module: Module, read: ast.Name) -> ast.stmt:
    """Return the statement that needs the loop for nothing but itself. Raises Refused."""
    statement = module.statement_of(read)
    shown = f"`{module.excerpt(statement or read)}`"
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=value, attr="close"), args=[])):
            is_own = value is read
        case ast.Expr(value=ast.Call(func=func, args=[value])):
            is_set = value is read and project.qualified_name(module, func) == _SET
            is_own = is_set or _SHUT.fullmatch(module.text_of(statement)) is not None
        case _:
            is_own = False
    if is_own:
        return _statement_alone(module, read)
    above = module.parent(read)
    used = above.attr if isinstance(above, ast.Attribute) else ""
    raise Refused(_CODES.get(used, OTHER_USE), shown, because=(module.place(read),))


def _statement_alone(module: Module, node: ast.AST) -> ast.stmt:
    """Return the statement around ``node``, which has a line of its own. Raises Refused."""
    statement = module.statement_of(node)
    if statement is None:
        raise Refused(SHARED_LINE, module.excerpt(node))
    simple = isinstance(statement, ast.AnnAssign | ast.Assign | ast.Expr)
    many = isinstance(statement, ast.Assign) and (
        len(statement.targets) > 1 or not isinstance(statement.targets[0], ast.Name)
    )
    if any(module.text_alongside(statement)) or not simple or many:
        raise Refused(SHARED_LINE, module.excerpt(statement))
    return statement


def _block_around(module: Module, statements: Sequence[ast.stmt]) -> ast.Try | None:
    """Return the ``try`` whose ``finally`` holds none but these statements."""
    for statement in statements:
        above = module.parent(statement)
        if isinstance(above, ast.Try) and statement in above.finalbody:
            return above if set(above.finalbody) <= set(statements) else None
    return None


def _edits_without(site: Site[ast.Call], statements: Sequence[ast.stmt]) -> Iterator[Edit]:
    """Yield the edits that take ``statements`` away. Raises Refused."""
    module = site.module
    tried = _block_around(module, statements)
    gone: list[ast.stmt] = []
    if tried is not None:
        if tried.orelse:
            raise Refused(SHARED_LINE, module.excerpt(tried.finalbody[0]))
        yield site.rewrite(tried, "without-finally")
        gone += tried.finalbody
    for statement in statements:
        if statement in gone:
            continue
        if set(module.block_of(statement)) <= set(statements):
            raise Refused(SHARED_LINE, module.excerpt(statement))
        yield site.remove_statement(statement)


def _is_entry(module: Module, node: ast.AST) -> bool:
    """Whether ``node`` runs once, when the program starts, as far as its place tells."""
    function = module.enclosing_function(node)
    if any(isinstance(part, ast.AsyncFor | ast.For | ast.While) for part in module.ancestors(node)):
        return False
    if function is None:
        return module.enclosing_class(node) is None
    if not isinstance(function, ast.FunctionDef) or module.parent(function) is not module.tree:
        return False
    return function.name == "main" or any(
        module.is_under_main(mention)
        and isinstance(module.parent(mention), ast.Call)
        and module.enclosing_function(mention) is None
        for mention in module.mentions(function.name)
    )


def _may_have_loops(project: Project, module: Module, entry: ast.Call) -> bool:
    """Whether what runs before ``entry``, or is passed to it, may belong to an event loop."""
    end = module.span(entry).end
    for node in module.walk():
        if module.enclosing_function(node) is not None:
            continue
        if isinstance(node, ast.Import | ast.ImportFrom) and _is_of_program(project, module, node):
            return True
        if not isinstance(node, ast.Call) or module.span(node).start > end:
            continue
        if node is not entry and node not in entry.args and not _is_harmless(project, module, node):
            return True
    return False


def _leaves_nothing(module: Module) -> bool:
    """Whether no task and no generator of this file can be left when its coroutine ends.

    `asyncio.run()` cancels and closes what is left, and runs each `finally` there.
    """
    if any(word in module.source.text for word in _STARTING):
        return False
    closes = b"shutdown_asyncgens" in module.source.text
    for node in module.walk():
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [name.name for name in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.partition(".")[0] not in {*_HARMLESS, "asyncio"} for name in names):
                return False
        is_left = isinstance(node, ast.Yield) and not closes
        if is_left and module.enclosing_coroutine(node) is not None:
            return False
    return True


def _is_of_program(project: Project, module: Module, node: ast.Import | ast.ImportFrom) -> bool:
    names = [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
        if node.level:
            return True
    return any(any(project.layout.find(name, module.path)) for name in names)


def _is_harmless(project: Project, module: Module, call: ast.Call) -> bool:
    name = project.qualified_name(module, call.func) or ""
    is_of_loop = name.startswith("asyncio.") and name.endswith("_event_loop")
    return is_of_loop or name.partition(".")[0] in _HARMLESS
