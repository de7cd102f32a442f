"""Objects that are loaded already where they are read, and need no statement of their own."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import below_headers
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import is_conditional
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.source.lines.statement_lines import may_hold
from awaken.project.source.modules import Module, cached_in_file
from awaken.project.source.trees import (
    Loop,
    arguments_of,
    last_name,
    root_of,
    without_arguments,
    written_name,
)
from awaken.project.source.worklist import groups_of

if TYPE_CHECKING:
    from awaken.contract import Edit, Place
    from awaken.kit.sites import Site
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read

ADDING = {"add", "add_all"}
_ENDING = {"commit", "expire_all", "rollback"}
_EXPIRING = {"expire", "expire_all", "rollback"}


def is_refreshed(module: Module, statement: ast.stmt, start: int, text: str) -> bool:
    """Whether an object is refreshed between an offset and a statement, on every path to it."""
    end = module.span(statement).start
    for called in module.mentions("refresh"):
        match node := module.parent(called):
            case ast.Call(func=ast.Attribute(attr="refresh"), args=[given], keywords=[]) if (
                start <= module.span(node).start < end and module.text_of(given) == text
            ):
                refreshing = module.statement_of(node)
                if refreshing is not None and dominates(module, refreshing, statement):
                    return True
    return False


def calls_given(
    module: Module, around: ast.AST | None, name: str, methods: Collection[str]
) -> Iterator[ast.Call]:
    """Yield the calls of some methods in code that are given a variable, or something with it."""
    if around is None:
        return
    by_name = _calls_by_name(module)
    for node in chain.from_iterable(by_name.get(method, ()) for method in sorted(methods)):
        if may_hold(around, node) and around in {node, *module.ancestors(node)}:
            parts = (part for argument in arguments_of(node) for part in ast.walk(argument))
            names = (part for part in parts if isinstance(part, ast.Name) and part.id == name)
            if not all(isinstance(module.parent(part), ast.Attribute) for part in names):
                yield node


@cached_in_file
def _calls_by_name(module: Module) -> dict[str, list[ast.Call]]:
    return groups_of(module.nodes(ast.Call), lambda node: last_name(node.func))


def is_added_behind(module: Module, node: ast.expr, event: ast.Call) -> bool:
    """Whether a function adds a variable to its session only after a call."""
    name, function = written_name(root_of(node)), module.enclosing_function(event)
    added = [module.span(call).start for call in calls_given(module, function, name, ADDING)]
    return bool(added) and min(added) > module.span(event).end


def ends_before(module: Module, start: int, later: ast.stmt, ends: Iterable[Place]) -> bool:
    """Whether the transaction at an offset has ended whenever a statement runs.

    ``ends`` are calls that end one, in addition to those of sessions themselves.
    """
    function = module.enclosing_function(later)
    if function is None:
        return False
    begin, end = max(start, module.span(function).start - 1), module.span(later).start
    others = {place.span for place in ends if place.path == module.path}
    for node in (*_ending_calls(module), *chain.from_iterable(map(module.calls_at, others))):
        if begin < module.span(node).start < end:
            statement = module.statement_of(node)
            if statement is not None and dominates(module, statement, later):
                return True
    return False


@cached_in_file
def _ending_calls(module: Module) -> list[ast.Call]:
    """Return the calls of a file by which sessions end their transactions."""
    return [node for node in module.nodes(ast.Call) if last_name(node.func) in _ENDING]


def covers(
    module: Module, earlier: ast.stmt, later: ast.stmt, text: str, behind: Sequence[int]
) -> bool:
    """Whether what is loaded in front of one statement is so in front of another as well.

    ``text`` is the expression of the object; ``behind`` are the offsets after which objects may be
    expired.
    """
    if not dominates(module, earlier, later):
        return False
    start, end = module.span(earlier).start, module.span(later).start
    for above in module.ancestors(later):
        if isinstance(above, Loop) and not module.span(above).contains(module.span(earlier)):
            end = max(end, module.span(above).end)
    if any(start <= candidate < end for candidate in behind):
        return False
    return not _changes_between(module, start, end, text)


def writing_loop(
    module: Module, statement: ast.stmt, text: str, ends: Collection[int], writes: Collection[Place]
) -> ast.stmt | None:
    """Return the outermost loop around a read that writes what it reads, and expires nothing.

    The first run of such a loop loads what is read, and the others keep that. ``ends`` are the
    offsets after which objects may be expired.
    """
    result = None
    for above in module.ancestors_inside(statement):
        span = module.span(above)
        if isinstance(above, Loop) and any(span.contains(write.span) for write in writes):
            is_expired = any(span.start <= end <= span.end for end in ends)
            if is_expired or _changes_between(module, span.start, span.end, text):
                break
            result = above
    return result


def loaded_once(site: Site[ast.AST], loop: ast.stmt, text: str, code: str) -> tuple[str, Edit]:
    """Return what runs ``code`` in the first run of a loop, and what is written in front of it."""
    words = "_".join(re.findall(r"\w+", text))
    name = site.module.fresh_local(site.node, f"is_{words}_loaded")
    edit = site.insert_statements(site.module.place(loop), "before", f"{name} = False\n")
    return below_headers(f"{code}{name} = True\n", f"if not {name}"), edit


def dominates(module: Module, earlier: ast.stmt, later: ast.stmt) -> bool:
    """Whether a statement always runs before another: it is before it, or before its block."""
    block: Sequence[ast.stmt] = module.block_of(earlier)
    inside = (later, *module.ancestors(later))
    return any(node in block and block.index(node) >= block.index(earlier) for node in inside)


def may_be_missing(module: Module, node: ast.expr, kind: str, statement: ast.stmt) -> bool:
    """Whether an expression of some ``kind`` may give no object in front of a statement."""
    is_none = kind == "optional" and not _is_read_before(module, node, statement)
    return is_none or is_conditional(module, node, statement)


def _is_read_before(module: Module, node: ast.expr, statement: ast.stmt) -> bool:
    """Whether an attribute of a variable was read or set before: then that is not None."""
    bindings = module.scopes.bindings_of(node)
    if not isinstance(node, ast.Name) or len(bindings) != 1:
        return False
    function, bound = module.enclosing_def(statement), module.span(bindings[0].node).start
    for read in module.scopes.reads_of(node):
        earlier, above = module.statement_of(read), module.parent(read)
        if (
            earlier is not None
            and isinstance(above, ast.Attribute)
            and module.enclosing_function(read) is function
            and bound < module.span(earlier).start < module.span(statement).start
            and dominates(module, earlier, statement)
            and not is_conditional(module, above, earlier)
        ):
            return True
    return False


def _changes_between(module: Module, start: int, end: int, text: str) -> bool:
    """Whether something between two bytes of a function expires one object, or binds the name."""
    first = text.partition(".")[0]
    changes = _changes(module)
    for _, node in changes[bisect_left(changes, start, key=itemgetter(0)) :]:
        if module.span(node).start >= end:
            return False
        match node:
            case ast.Attribute(attr=name) if name in _EXPIRING:
                return True
            case ast.Name(id=name) if name == first:
                return True
            case ast.Attribute() if module.text_of(node) == text:
                return True
    return False


@cached_in_file
def _changes(module: Module) -> list[tuple[int, ast.Attribute | ast.Name]]:
    """Return where a file names what expires objects, binds a variable or sets an attribute."""
    changes = (
        (module.span(node).start, node)
        for node in module.walk()
        if (isinstance(node, ast.Attribute) and node.attr in _EXPIRING)
        or (isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store))
    )
    return sorted(changes, key=itemgetter(0))


_KNOWN = schema_knowledge().models


def is_of_field(project: Project, read: Read) -> bool:
    """Whether a validator reads of what is validated the attribute that a field is read from.

    Then the objects are those that the field is read of, and that is a read by itself.
    """
    module = project.module(read.place.path)
    if module is None or read.owner or read.how not in {"attribute", "getattr", "hasattr"}:
        return False
    for node in module.walk():
        if not isinstance(node, ast.Attribute | ast.Call) or module.place(node) != read.place:
            continue
        owner = node.value if isinstance(node, ast.Attribute) else next(iter(node.args), None)
        model = None if owner is None else _validated_model(project, module, owner)
        if model is not None:
            return _has_field(project, model, read.attribute)
    return False


def _validated_model(project: Project, module: Module, node: ast.expr) -> str | None:
    """Return the model that is validated if ``node`` is the parameter that is given the object."""
    bindings = module.scopes.bindings_of(node)
    if len(bindings) != 1 or bindings[0].kind != "parameter":
        return None
    function = bindings[0].scope.node
    if not isinstance(function, ast.FunctionDef):
        return None
    model = module.enclosing_class(function)
    decorators = {
        project.qualified_name(module, without_arguments(part)) for part in function.decorator_list
    }
    if model is None or not decorators & set(_KNOWN.validators):
        return None
    return module.full_name(model)


def _has_field(project: Project, model: str, name: str) -> bool:
    """Whether a model that reads attributes has a field of this name."""
    bodies = list(_bodies(project, model))
    words = [setting.encode() for setting in _KNOWN.settings]
    is_reading = any(
        word in module.text_of(body).encode() for module, body in bodies for word in words
    )
    return is_reading and any(
        isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and statement.target.id == name
        for _, body in bodies
        for statement in body.body
    )


def _bodies(project: Project, qualified: str) -> Iterator[tuple[Module, ast.ClassDef]]:
    """Yield a class with those of the program that it inherits."""
    for facts in project.class_line(qualified):
        pair = project.class_definition(facts.qualified)
        if pair is not None:
            yield pair
