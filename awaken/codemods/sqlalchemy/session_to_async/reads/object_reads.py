"""Reads of objects: the statements that they are in, and those that an earlier load serves."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import below_headers
from awaken.knowledge.library_names import name_list
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.source.expressions.alternatives import (
    alternatives,
    conditions_passed,
    is_tested,
)
from awaken.project.source.expressions.expression_uses import reads_value, use_of
from awaken.project.source.lines.statement_lines import may_hold
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    Loop,
    arguments_of,
    last_name,
    root_of,
    without_arguments,
    written_name,
)
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import (
    InstanceOf,
    Values,
    instances_in,
    values_inside,
    without_none,
)

if TYPE_CHECKING:
    from awaken.contract import Edit, Place
    from awaken.kit.sites import Site
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read

_SEQUENCES = name_list("collections_of_objects")
DICTIONARIES = name_list("dictionaries")
_LOOKING = {"bool", "callable", "id", "isinstance", "issubclass", "len", "type"}
"""Builtins that read nothing of an object."""
OF_SESSIONS = {"add", "add_all", "delete", "expire", "expunge", "merge", "refresh"}
"""Methods of sessions, which load what they need themselves."""


def reads_of_object(module: Module, node: ast.expr, *, is_many: bool) -> bool:
    """Whether something may be read of the object that an expression gives, or of its items."""
    way, above = use_of(module, node)
    match way:
        case "attribute":
            return reads_value(module, above) and not is_many
        case "item":
            return reads_value(module, above)
        case "compared" | "tested":
            return False
        case "same":
            return len(alternatives(above)) > 1 and not is_tested(module, above)
        case "bound":
            # Its new name is bound after what expired it, and is not followed back.
            return isinstance(above, ast.Assign) and isinstance(
                above.targets[0], ast.Name | ast.Tuple
            )
        case "argument" if isinstance(above.func, ast.Name):
            return above.func.id not in _LOOKING
        case "argument" if isinstance(above.func, ast.Attribute):
            return above.func.attr not in OF_SESSIONS
    return True


def object_at(project: Project, module: Module, node: ast.expr) -> tuple[ast.expr, Values]:
    """Return the expression that takes an object out of what ``node`` gives, and its values.

    That is ``node`` itself where it is a mapped object. It is ``data["item"]`` of
    ``data["item"].name``, and ``box.item`` of ``box.item.name``.
    """
    values, above = _objects_of(project, module, node), module.parent(node)
    while not kind_of(project, values) and (
        (
            isinstance(above, ast.Subscript)
            and above.value is node
            and _is_item(project, module, above, values)
        )
        or (isinstance(above, ast.Attribute) and use_of(module, above).way != "called")
    ):
        node, above = above, module.parent(above)
        values = _objects_of(project, module, node)
    return node, values


def _is_item(project: Project, module: Module, item: ast.Subscript, values: Values) -> bool:
    """Whether ``item`` reads an item of ``values``, and may be read in front of its statement."""
    function, statement = module.enclosing_def(item), module.statement_of(item)
    if not isinstance(item.ctx, ast.Load) or function is None or statement is None:
        return False
    if isinstance(item.slice, ast.Constant):
        if any(isinstance(value, InstanceOf) and value.named for value in values):
            return True
    elif not isinstance(item.slice, ast.Name) or not is_of_function(module, item.slice, function):
        return False
    # Elsewhere the key may be missing.
    if not any(map(values_inside, values)) or whole_if(module, statement) is not statement:
        return False
    order = project.effects.order(module, item)
    return order is not None and order.unconditional


def _objects_of(project: Project, module: Module, node: ast.expr) -> Values:
    """Return what an expression may be, with the classes of objects that only a base names."""
    return project.orm.with_heirs(project.values.alternatives_of(module, node))


def read_nodes(module: Module, places: Collection[Place]) -> list[ast.Attribute | ast.Name]:
    """Return the expressions at ``places``, in the order of the source, the outer one first."""
    nodes = module.expressions_at({place.span for place in places})
    reads = [node for node in nodes if isinstance(node, ast.Attribute | ast.Name)]
    return sorted(
        (node for node in reads if module.place(node) in places),
        key=lambda node: (module.span(node).start, -module.span(node).end),
    )


def events_before(later: Iterable[Later]) -> defaultdict[str, dict[Place, list[Place]]]:
    """Return the reads in each file, each with the events before it."""
    places: defaultdict[str, dict[Place, list[Place]]] = defaultdict(dict)
    for item in later:
        places[item.place.path].setdefault(item.place, []).append(item.commit)
    return places


def is_served(read: Read) -> bool:
    """Whether visible statements load all objects of a read, each time again."""
    return read.is_traced and all(trace.load.kind in {"select", "query"} for trace in read.traces)


def is_conditional(module: Module, node: ast.expr, statement: ast.stmt) -> bool:
    """Whether an expression may be left out when a statement runs."""
    for below, above in module.steps_up(node):
        if above is statement:
            return False
        if isinstance(above, ast.comprehension):
            made = module.parent(above)
            # The first iterable of a comprehension is evaluated immediately.
            if below is not above.iter or getattr(made, "generators", [])[:1] != [above]:
                return True
        elif isinstance(above, ast.stmt) or any(conditions_passed(above, below)):
            return True
    return True


def whole_if(module: Module, statement: ast.stmt) -> ast.stmt:
    """Return the statement, of an ``elif`` the ``if`` that it belongs to."""
    above = module.parent(statement)
    while isinstance(statement, ast.If) and isinstance(above, ast.If):
        start = module.span(statement).start
        is_elif = above.orelse == [statement] and module.source.text.startswith(b"elif", start)
        if not is_elif:
            break
        statement, above = above, module.parent(above)
    return statement


def kind_of(project: Project, values: Values) -> str:
    """Return whether a value is one mapped object, or many; nothing if part of it is unknown.

    ``optional`` is one that may be None.
    """
    result = without_none(values)
    if result and all(_is_mapped(project, alternative) for alternative in result):
        return "one" if len(result) == len(values) else "optional"
    for value in result:
        is_list = isinstance(value, InstanceOf) and value.qualified in _SEQUENCES
        items = value.parameters[-1] if isinstance(value, InstanceOf) and value.parameters else ()
        if not is_list or not items or not all(_is_mapped(project, each) for each in items):
            return ""
    return "many" if result and len(result) == len(values) else ""


def mapped_in(project: Project, values: Values) -> frozenset[str]:
    """Return the mapped classes of the objects that values are, or lead to."""
    instances = (each for each in instances_in(values) if _is_mapped(project, each))
    return frozenset(each.qualified for each in instances)


def _is_mapped(project: Project, value: object) -> bool:
    return isinstance(value, InstanceOf) and project.orm.mapped_class(value.qualified) is not None


def is_of_function(module: Module, node: ast.Attribute | ast.Name, function: Function) -> bool:
    """Whether an expression means the same in front of its statement: its variable is there."""
    first, around = root_of(node), (function, *module.ancestors(function))
    return isinstance(first, ast.Name) and any(
        binding.scope.kind == "function" and binding.scope.node in around
        for binding in module.scopes.bindings_of(first)
    )


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
    words = [setting.encode() for setting in _KNOWN.settings]
    bodies = filter(
        None, (project.class_definition(x.qualified) for x in project.class_line(model))
    )
    texts = [module.text_of(body).encode() for module, body in bodies]
    is_reading = any(word in text for text in texts for word in words)
    return is_reading and name in project.class_fields(model)
