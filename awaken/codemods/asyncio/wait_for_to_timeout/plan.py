"""The rule: calls of ``wait_for()`` that are awaited in a simple statement."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.asyncio.wait_for_to_timeout.payload import Limited
from awaken.contract import Phase, Reason, Status
from awaken.editing.comments import comments_in
from awaken.kit.caveats.replaced_names import doubles_of
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_behind
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN, reasons_of
from awaken.kit.rule import SiteRule
from awaken.kit.search import argument, calls_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.effects import suspensions
from awaken.project.source.lines.statement_lines import shares_line
from awaken.project.source.trees import SIMPLE, is_none

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

LOOP_ARGUMENT = Reason(
    "loop-argument", "`{}` passes a loop, which fails since Python 3.10", "Remove the argument."
)
NO_TIME = Reason(
    "no-time",
    "the timeout of `{}` is zero or less: the awaitable never starts, or must already be done",
    "Check `done()` of the task, or set a positive timeout.",
)
NOT_AWAITED = Reason(
    "not-awaited",
    "`{}` is not awaited here",
    "Await it, or write a coroutine function with the block.",
)
OTHER_ARGUMENTS = Reason(
    "other-arguments",
    "the awaitable or the timeout of `{}` is unknown",
    "Write both as separate arguments.",
)
POSITION = Reason(
    "position",
    "the statement runs more code than `{}`, or may skip it, and a block would limit all of it",
    "Assign its result to a variable first.",
)
SHARED_LINE = Reason(
    "shared-line",
    "`{}` shares its line with other statements, or with a comment that a tool reads",
    "Put it on its own line.",
)

_WAIT_FOR = "asyncio.wait_for"
_GATHER = "asyncio.gather"
_WRAPPERS = library_names().task_makers | {"asyncio.shield"}
_SAME_TASK = (3, 12)  # the first Python in which `wait_for` is `timeout`
_FOR_TOOLS = re.compile(rb"#.*\b(?:noqa|nosec|pragma|pylint|pyright|type:|ty:)")


class WaitForToTimeout(SiteRule):
    """Rewrites ``await wait_for(c, t)`` to ``async with timeout(t): await c``."""

    name = "wait-for-to-timeout"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    after = ("executor-to-thread",)
    triggers = (b"wait_for",)
    needs: ClassVar[Mapping[str, str]] = {"python": ">=3.11"}
    status = Status.OPT_IN
    reasons = reasons_of(globals(), INSIDE_FSTRING, NAME_TAKEN)
    writers = (f"{__package__}.rewrite",)

    def decisions(self, project: Project) -> Iterator[Decided]:
        """Return one finding per call, and its change."""
        for site in calls_of(project, self, (_WAIT_FOR,)):
            given = argument(site.node, 0, "fut")
            is_gather = (
                isinstance(given, ast.Call)
                and project.qualified_name(site.module, given.func) == _GATHER
            )
            if not is_gather:
                yield decide(site, _rewrite, project)


def _rewrite(site: Site[ast.Call], project: Project) -> Rewrite:
    module, call = site.module, site.node
    shown = module.excerpt(call)
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, shown)
    waited, timeout = _arguments(module, call)
    statement = _statement(project, module, call)
    number = _number(project, module, timeout)
    if number is not None and number <= 0:
        raise Refused(NO_TIME, shown)
    written, imports = name_behind(project, site, "asyncio.timeout", call.func)
    manager = f"{written}({module.text_of(timeout)})"
    edits = [
        site.rewrite(call, "awaited-node"),
        site.rewrite(statement, "limit", _limited_context(module, call, timeout, manager)),
        *imports,
        site.release_import("asyncio", "wait_for"),
    ]
    caveats: list[str] = []
    if project.targets.lowest_python < _SAME_TASK:
        caveats.append("Python 3.11 runs the awaitable in a task with its own context variables")
    if number is None and not is_none(timeout):
        caveats.append("with a timeout of zero or less, the awaitable runs until it first suspends")
    if not _is_free(project, module, waited):
        caveats.append(f"the timeout now includes the evaluation of `{module.excerpt(waited)}`")
    if _calls(timeout) and not isinstance(waited, ast.Name):
        caveats.append("the timeout is now evaluated first")
    replaced, doubles = doubles_of(project, module, call.func, "asyncio.timeout")
    caveats += replaced
    shown = module.excerpt(call.func)
    return Rewrite(f"`{shown}()` becomes `async with {written}()`", edits, caveats, doubles)


def _limited_context(module: Module, call: ast.Call, timeout: ast.expr, manager: str) -> Limited:
    """Return the context manager, and the comments that lose their lines."""
    comments = comments_in(module.text_of(call))
    line = (timeout.end_lineno or timeout.lineno) - call.lineno + 1
    beside = [comment.text for comment in comments if comment.line == line and not comment.alone]
    return Limited(manager, tuple(comment.text for comment in comments), "".join(beside))


def _arguments(module: Module, call: ast.Call) -> tuple[ast.expr, ast.expr]:
    """Return what is waited for, and how long. Raises Refused."""
    if any(keyword.arg == "loop" for keyword in call.keywords):
        raise Refused(LOOP_ARGUMENT, module.excerpt(call))
    waited, timeout = argument(call, 0, "fut"), argument(call, 1, "timeout")
    count = len(call.args) + len(call.keywords)
    if waited is None or timeout is None or count != len(("fut", "timeout")):
        raise Refused(OTHER_ARGUMENTS, module.excerpt(call))
    return waited, timeout


def _statement(project: Project, module: Module, call: ast.Call) -> ast.stmt:
    """Return the statement that can be limited as a whole. Raises Refused."""
    shown = module.excerpt(call)
    above, statement = module.parent(call), module.statement_of(call)
    if not isinstance(above, ast.Await):
        raise Refused(NOT_AWAITED, shown)
    order = project.effects.order(module, above)
    if statement is None or not isinstance(statement, SIMPLE) or order is None:
        raise Refused(POSITION, shown)
    result = suspensions(statement)
    others = [*result.yields, *(node for node in result.awaits if node is not above)]
    # Reading an attribute takes no time.
    before = [node for node in order.before if not isinstance(node, ast.Attribute)]
    if others or before or not order.once or not order.unconditional:
        raise Refused(POSITION, shown)
    if not _has_own_line(module, statement):
        raise Refused(SHARED_LINE, shown)
    return statement


def _has_own_line(module: Module, statement: ast.stmt) -> bool:
    return not shares_line(module, statement) and not _FOR_TOOLS.match(
        module.text_alongside(statement)[1]
    )


def _number(project: Project, module: Module, node: ast.expr) -> float | None:
    """Return the number that ``node`` is proven to be."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Name() | ast.Attribute():
            return _constant(project, module, node)
    return None


def _constant(project: Project, module: Module, node: ast.Name | ast.Attribute) -> float | None:
    """Return the number that a name is given once, in this file or in another one."""
    home: Module | None = module
    if isinstance(node, ast.Name) and module.scopes.is_shadowed(node.id, node):
        value = module.scopes.only_value(node)
    else:
        home, value = project.value_at(project.qualified_name(module, node)) or (None, None)
    if home is None or not isinstance(value, ast.Constant | ast.UnaryOp):
        return None
    return _number(project, home, value)


def _is_free(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether evaluating ``node`` takes no time: nothing of the program runs then."""
    match node:
        case ast.Call(func=func, args=args, keywords=keywords):
            is_known = project.qualified_name(module, func) in _WRAPPERS or (
                project.effects.awaitable(module, node) == "coroutine"
            )
            parts = [*args, *(keyword.value for keyword in keywords)]
            return is_known and all(_is_free(project, module, part) for part in parts)
        case ast.Dict() | ast.List() | ast.Tuple() | ast.Starred():
            return not _calls(node)
    return isinstance(node, ast.Attribute | ast.Constant | ast.Name)


def _calls(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(node))
