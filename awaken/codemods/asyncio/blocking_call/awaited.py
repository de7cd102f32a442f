"""Awaitable replacements of blocking calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.codemods.asyncio.blocking_call.blocking_calls import BlockingCall
from awaken.codemods.asyncio.blocking_call.reasons import BLOCKS, OLD_PYTHON, OTHER_LOOP
from awaken.contract import Edit, Span
from awaken.kit.caveats.replaced_names import doubles_of
from awaken.kit.imports import name_behind
from awaken.kit.names_here import is_dotted
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge import knowledge
from awaken.knowledge.library_names import name_list
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.project import Project

_TO_THREAD = (3, 9)  # the first Python that has `asyncio.to_thread`
_THREAD = "asyncio.to_thread"
_IN_A_THREAD = name_list("in_any_thread")
_GIVES_A_HANDLE = {"create_connection", "open", "stream", "urlopen", "walk", "glob", "rglob"}
_CAVEATS = (
    "in another thread, the call continues if the coroutine is cancelled",
    "other coroutines run during the call",
)
_SLEEPS = "other coroutines run during the sleep, and the coroutine can be cancelled"
_HELP = {
    "file": (
        "Move all work with the file into a function, and run it in a thread: `await "
        "asyncio.to_thread(...)`."
    ),
    "lock": (
        "Await its `asyncio` counterpart, or run it in a thread: `await asyncio.to_thread(...)`."
    ),
    "database": (
        "Use an asynchronous driver. Or move all work with the connection into a "
        "function, and run it in a thread: `await asyncio.to_thread(...)`."
    ),
    "http": (
        "Use an asynchronous client. Or move all work with this client into a function, "
        "and run it in a thread: `await asyncio.to_thread(...)`."
    ),
}


def awaited_rewrite(site: Site[ast.Call], project: Project, blocking: BlockingCall) -> Rewrite:
    """Return how ``site`` is awaited. Raises Refused where it stays."""
    module, call = site.module, site.node
    shown = f"{module.excerpt(call.func)}()"
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    if b"trio" in module.source.text:
        raise Refused(OTHER_LOOP, shown)
    message = f"`{shown}` blocks the event loop"
    twin = knowledge().async_twins.get(blocking.name)
    if twin is not None:
        home, _, name = blocking.name.rpartition(".")
        unused = [site.release_import(home), site.release_import(home, name)]
        replaced, doubles = doubles_of(project, module, call.func, twin)
        caveats = [*_changes(call), *replaced]
        return Rewrite(message, [*_in_place(project, site, twin), *unused], caveats, doubles)
    if not _fits_a_thread(site, blocking):
        raise Refused(BLOCKS, shown, _HELP.get(blocking.waits_for, ""))
    if project.targets.lowest_python < _TO_THREAD:
        raise Refused(OLD_PYTHON, shown)
    replaced, doubles = doubles_of(project, module, call.func, _THREAD)
    edits = [*_in_place(project, site, _THREAD), _handed_over(site)]
    return Rewrite(message, edits, [*_CAVEATS, *replaced], doubles)


def _fits_a_thread(site: Site[ast.Call], blocking: BlockingCall) -> bool:
    """Whether the call alone is what blocks, and any thread may make it."""
    module, call = site.module, site.node
    home, _, name = blocking.name.rpartition(".")
    above = module.parent(call)
    # A method belongs to the thread of its object, except for a path.
    is_method = home.rpartition(".")[2][:1].isupper() and home != "pathlib.Path"
    streams = any(keyword.arg == "stream" for keyword in call.keywords)
    return (
        home.partition(".")[0] in _IN_A_THREAD
        and not is_method
        and name not in _GIVES_A_HANDLE
        and not streams
        and not isinstance(above, ast.withitem)
        and (is_dotted(call.func) or home == "pathlib.Path")
    )


def _in_place(project: Project, site: Site[ast.Call], qualified: str) -> list[Edit]:
    """Return the edits that await a function of asyncio in place of the one that is called."""
    module, call = site.module, site.node
    text, imports = name_behind(project, site, qualified)
    is_accessed = isinstance(module.parent(call), ast.Attribute | ast.Subscript)
    if is_accessed or module.call_of(call) is not None:
        replaced = site.replace(call.func, f"(await {text}")
        return [replaced, site.insert_behind(call, ")"), *imports]
    return [site.replace(call.func, f"await {text}"), *imports]


def _handed_over(site: Site[ast.Call]) -> Edit:
    """Return the edit that makes the function the first argument of the call."""
    module, call = site.module, site.node
    start = module.span(call.func).end
    if module.source.text[start : start + 1] != b"(":
        raise Refused(BLOCKS, f"{module.excerpt(call.func)}()")
    starts = [module.span(argument).start for argument in (*call.args, *call.keywords)]
    shown = module.text_of(call.func)
    if not starts:
        text, at = shown, start + 1
    elif breaks := LINE_END_BYTES.findall(module.source.text[start : min(starts)]):
        at = min(starts)
        indent = " " * (module.line_column(Span(at, at))[1] - 1)
        text = f"{shown},{breaks[-1].decode()}{indent}"
    else:
        text, at = f"{shown}, ", start + 1
    return site.write(Span(at, at), text)


def _changes(call: ast.Call) -> list[str]:
    """Return what may change where a coroutine sleeps on the loop."""
    seconds = call.args[0] if len(call.args) == 1 and not call.keywords else None
    is_sure = isinstance(seconds, ast.Constant) and isinstance(seconds.value, int | float)
    # `-1` is an operation, not a constant.
    return [_SLEEPS] if is_sure else [_SLEEPS, "a negative number no longer raises"]
