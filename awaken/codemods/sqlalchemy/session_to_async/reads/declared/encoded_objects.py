"""Objects that are encoded with everything that is loaded of them: no more than was loaded before.

`jsonable_encoder(user)` takes the values in `user.__dict__`, then the values in theirs, and so on.
Relationships that now load with each object were not there before; a cycle of them would have no
end. The result of an endpoint without a response model is encoded in the same way.

All fields of a mapped dataclass are encoded: `run_sync` encodes it, where they load as before.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.payload import ENCODE, Encoded
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import ends_before, kind_of
from awaken.codemods.sqlalchemy.session_to_async.reads.revisions import is_select, loads_later
from awaken.codemods.sqlalchemy.session_to_async.reasons import ENCODED_OBJECT
from awaken.contract import Edit
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.source.trees import Function, arguments_of, last_name, without_arguments
from awaken.project.values.domain import InstanceOf, Unknown, instances_in

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ENCODERS = frozenset(schema_knowledge().models.encoders)
_MODELS = frozenset(schema_knowledge().models.bases)
_ENCODER = "fastapi.encoders.jsonable_encoder"
_GETTING = library_names().getting_methods
_EAGER = name_list("eager_strategies")
_LOADERS = library_names().separate_loaders | library_names().joined_loaders
_READING = {"attribute", "lazy", "loading"}
_READING_METHODS = name_list("loading")
_DATACLASSES = name_list("making_dataclasses")
_CHOOSING = {"exclude", "include"}
_ENCODES = "encodes what is loaded of its objects"


def encoded_objects(
    project: Project, rule: str, loaded: Callable[[str], list[str]]
) -> Iterator[Member]:
    """Yield the rewrites of the calls that encode objects, and the reads of their ``__dict__``.

    ``loaded`` returns which relationships of a class are loaded with each object from now on.
    """
    words = sorted({encoder.rpartition(".")[2].encode() for encoder in _ENCODERS})
    for module, node in nodes_with(project, [*words, b"__dict__", b"_mapping", b"vars("], ast.AST):
        site: Site[ast.AST] = Site(rule, module, node)
        if (owner := _whole(module, node)) is not None:
            classes = _classes(project, module, owner)
            if names := sorted({name for each in classes for name in loaded(each)}):
                yield _announced_expression(site, names, "contains all that is loaded")
            continue
        if not isinstance(node, ast.Call) or (encoded := _encoded_value(node)) is None:
            continue
        if project.qualified_name(module, node.func) not in _ENCODERS:
            continue
        classes = _classes(project, module, encoded) or _held_names(project, module, encoded)
        names = _taken_names(node, sorted({name for each in classes for name in loaded(each)}))
        if names and not _objects(project, module, encoded):
            yield _announced_expression(site, names, _ENCODES)
        elif names and not _has_dataclass(project, classes):
            end = module.span(node).start
            read = sorted(_wanted_names(project, module, node, end, classes, names))
            yield _member(site, node, names, read)


def _whole(module: Module, node: ast.AST) -> ast.expr | None:
    """Return the object, or the row of objects, that an expression gives with all its values."""
    match node:
        case ast.Attribute(value=owner, attr="__dict__"):
            return owner
        case ast.Attribute(value=owner, attr="_mapping"):
            return None if isinstance(module.parent(node), ast.Subscript) else owner
        case ast.Call(func=ast.Name(id="vars"), args=[owner]):
            return owner
    return None


def _encoded_value(call: ast.Call) -> ast.expr | None:
    """Return what a call of an encoder encodes."""
    named = (keyword.value for keyword in call.keywords if keyword.arg == "obj")
    return next(chain(call.args, named), None)


def returned_objects(
    project: Project, rule: str, loaded: Callable[[str], list[str]]
) -> Iterator[Member]:
    """Yield how endpoints without a response model answer with no more than before.

    A caveat names attributes that it may contain more. ``loaded`` returns which relationships of a
    class are loaded with each object from now on.
    """
    for part in _answered_parts(project):
        module, node = part.module, part.node
        site: Site[ast.AST] = Site(rule, module, node)
        shown, classes = f"`{module.excerpt(node)}`", _classes(project, module, node)
        classes = classes or _held_names(project, module, node)
        if _has_dataclass(project, classes):
            session, names = "", sorted(_relationships(project, classes))
            if isinstance(node, ast.Name):
                session = project.orm.operations.session_variable(module, part.function)
            if session:
                yield member(site, shown, _encoded_as_before, project, session, names)
            else:
                yield _announced_expression(site, names)
            continue
        yield from _members_without(site, shown, project, part, classes, loaded)


def _members_without(  # noqa: PLR0913
    site: Site[ast.AST],
    shown: str,
    project: Project,
    part: Answer,
    classes: list[str],
    loaded: Callable[[str], list[str]],
) -> Iterator[Member]:
    """Yield what has an answer leave out relationships, or a statement load them later."""
    module, node = part.module, part.node
    is_certain = bool(_objects(project, module, node))
    names = {name for class_ in classes for name in loaded(class_)}
    left_out = {*names}
    if is_certain and isinstance(node, ast.Name | ast.Attribute):
        if _commits(project, module, node):
            # A value of a new object was expired, and is kept now.
            left_out |= _relationships(project, classes)
        if _is_of_call(module, node):
            left_out = set()
    end = module.span(part.statement).end
    every = _relationships(project, classes)
    wanted = _wanted_names(project, module, part.statement, end, classes, {*names, *every})
    unread = sorted(left_out - wanted)
    nested = {*_nested_names(project, classes, wanted, loaded)}
    read = sorted({*names.difference(unread), *nested})
    selects = [
        call
        for call in module.walk(node)
        if isinstance(call, ast.Call) and is_select(project, module, call)
    ]
    is_got = _is_got(node)
    if unread and is_certain and (is_got or selects) and _loads_otherwise(project, part):
        # The session returns an object as it loaded it first, whatever a later statement says.
        is_got, selects = False, []
    if is_got and unread:
        yield member(site, shown, _got_without, project, unread, read)
        return
    for call in selects if unread else ():
        named = [f"{module.text_of(call.args[0])}.{name}" for name in unread]
        inner: Site[ast.AST] = Site(site.rule, module, call)
        yield member(inner, shown, loads_later, project, named)
    if unread and not selects and is_certain:
        yield member(site, shown, _encoded_rewrite, project, part, unread, read)
    elif left := read if selects else sorted({*names, *nested}):
        yield _announced_expression(site, left)


def _loads_otherwise(project: Project, part: Answer) -> bool:
    """Whether an endpoint, or a function that runs for it, loads objects for something else."""
    own = part.module.span(part.node)
    for module, function in _run_for(project, part.module, part.function):
        among = {node for node in module.walk(function) if isinstance(node, ast.expr)}
        if module is part.module:
            among = {node for node in among if not own.contains(module.span(node))}
        for operation in project.orm.operations.in_module(module, among.__contains__):
            if operation.how in _READING or operation.method in _READING_METHODS:
                return True
    return False


def _nested_names(
    project: Project, classes: list[str], wanted: set[str], loaded: Callable[[str], list[str]]
) -> Iterator[str]:
    """Yield what objects that an answer contained before load with them now, by dotted names."""
    for owner in classes:
        mapped = project.orm.mapped_class(owner)
        for name, facts in () if mapped is None else mapped.relationships.items():
            if facts.target and (name in wanted or facts.lazy in _EAGER):
                yield from (f"{name}.{inner}" for inner in loaded(facts.target))


def _announced_expression(site: Site[ast.AST], names: list[str], fact: str = "") -> Member:
    """Return an expression that stays as it is, with what it may contain from now on.

    ``fact`` is a predicate about it. Without one it is an answer.
    """
    shown = f"`{site.module.excerpt(site.node)}`"
    message = f"{shown} {fact}" if fact else f"the response to {shown} has no model"
    return Member(site, Rewrite(message, [], _more(names)), shown)


def _more(names: list[str]) -> list[str]:
    listed = " and ".join(f"`{name}`" for name in names)
    return [f"it may now contain {listed}"] if names else []


def _is_got(node: ast.AST) -> bool:
    """Whether a call has a session get an object by its key."""
    return isinstance(node, ast.Call) and last_name(node.func) in _GETTING and bool(node.args)


class Answer(Struct, frozen=True):
    """A part of what an endpoint without a response model returns.

    ``path`` gives its index in each display around it, from the returned expression inwards.
    """

    module: Module
    function: Function
    statement: ast.Return
    path: tuple[int, ...]
    node: ast.expr


def _answered_parts(project: Project) -> Iterator[Answer]:
    """Yield the parts of what endpoints without a response model return."""
    for endpoint in project.web.responses.all:
        module = endpoint.module
        for value in endpoint.returned_expressions if endpoint.model is None else ():
            statement = module.parent(value)
            if isinstance(statement, ast.Return):
                for path, node in _parts(value):
                    yield Answer(module, endpoint.function, statement, path, node)


def _is_of_call(module: Module, node: ast.expr) -> bool:
    """Whether a call gives the object of an attribute: its ``await`` has the statement too."""
    return isinstance(node, ast.Attribute) and any(
        isinstance(part, ast.Call) for part in module.walk(node)
    )


def _commits(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether the function around a node commits, or a function that it calls."""
    function = module.enclosing_function(node)
    if not isinstance(function, Function):
        return False
    graph = project.calls.graph()
    place = graph.place_of(module, function)
    called = (each for call in graph.callees(place) for each in call.functions)
    for home, around in project.calls.definitions_of((place, *called)):
        span = home.span(around)
        if any(span.contains(home.span(mention)) for mention in home.mentions("commit")):
            return True
    return False


def _relationships(project: Project, classes: list[str]) -> set[str]:
    result = map(project.orm.mapped_class, classes)
    return {name for model in result if model is not None for name in model.relationships}


def _parts(node: ast.expr) -> Iterator[tuple[tuple[int, ...], ast.expr]]:
    """Yield an expression, or what a display is made of, with the index in each display."""
    match node:
        case ast.Dict(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            for number, item in enumerate(parts):
                inner = item.value if isinstance(item, ast.Starred) else item
                yield from (((number, *path), part) for path, part in _parts(inner))
        case _:
            yield (), node


def _encoded_rewrite(
    site: Site[ast.AST], project: Project, part: Answer, names: list[str], read: list[str]
) -> Rewrite:
    """Return what encodes an object without what is loaded with it now. Raises Refused."""
    encoder, imports = name_from_same_module(project, site, None, _ENCODER)
    encoded = Encoded(encoder, tuple(names), part.path)
    message = (
        f"the response to `{site.module.excerpt(site.node)}` leaves out attributes that are now "
        "loaded eagerly"
    )
    edits: list[Edit] = [site.rewrite(part.statement, ENCODE, encoded), *imports]
    return Rewrite(message, edits, _more(read))


def _encoded_as_before(
    site: Site[ast.AST], project: Project, session: str, names: list[str]
) -> Rewrite:
    """Return what encodes all fields of a dataclass in a greenlet. Raises Refused."""
    encoder, imports = name_from_same_module(project, site, None, _ENCODER)
    edits: list[Edit] = [
        site.insert_before(site.node, f"await {session}.run_sync(lambda _: {encoder}("),
        site.insert_behind(site.node, "))"),
        *imports,
    ]
    return Rewrite(
        f"`run_sync` encodes `{site.module.excerpt(site.node)}`, so that its fields can load",
        edits,
        _more(names),
    )


def _has_dataclass(project: Project, classes: list[str]) -> bool:
    """Whether one of mapped classes is a dataclass that has relationships."""
    for class_ in classes:
        bases = {each.rpartition(".")[2] for each in project.library_ancestors(class_)}
        pair = project.class_definition(class_)
        decorators = () if pair is None else pair[1].decorator_list
        bases |= {last_name(without_arguments(each)) for each in decorators}
        if not bases.isdisjoint(_DATACLASSES) and _relationships(project, [class_]):
            return True
    return False


def _got_without(
    site: Site[ast.AST], project: Project, names: list[str], read: list[str]
) -> Rewrite:
    """Return what has a session get an object without its relationships. Raises Refused."""
    call = site.node
    if not isinstance(call, ast.Call) or any(keyword.arg == "options" for keyword in call.keywords):
        raise Refused(ENCODED_OBJECT, ", ".join(names))
    option, imports = name_from_same_module(project, site, None, "sqlalchemy.orm.lazyload")
    owner = site.module.text_of(call.args[0])
    listed = ", ".join(f"{option}({owner}.{name})" for name in names)
    edits: list[Edit] = [site.add_keyword(call, "options", f"[{listed}]"), *imports]
    return Rewrite(
        f"the response to `{site.module.excerpt(call)}` leaves out attributes that are now "
        "loaded eagerly",
        edits,
        _more(read),
    )


def _objects(project: Project, module: Module, node: ast.expr) -> list[str]:
    """Return the mapped classes of what ``node`` certainly gives, or of its items."""
    values = project.values.of(module, node).alternatives
    return _classes(project, module, node) if kind_of(project, values) else []


def _classes(project: Project, module: Module, node: ast.expr) -> list[str]:
    """Return the mapped classes of what ``node`` may give, or of its items.

    Not those that are models as well: they are encoded by their fields.
    """
    values = project.values.of(module, node).alternatives
    classes = dict.fromkeys(instance.qualified for instance in instances_in(values))
    return [
        name
        for name in classes
        if project.orm.mapped_class(name) and _MODELS.isdisjoint(project.library_ancestors(name))
    ]


def _held_names(project: Project, module: Module, node: ast.expr) -> list[str]:
    """Return the mapped classes of what was passed to make an object, as ``Page(items=users)``.

    Not to a model: it is encoded by its fields.
    """
    classes = dict[str, None]()
    for value in project.values.of(module, node).alternatives:
        if not isinstance(value, InstanceOf) or value.qualified.startswith("builtins."):
            continue
        if not _MODELS.isdisjoint(project.library_ancestors(value.qualified)):
            continue
        calls = [(module, node)] if isinstance(node, ast.Call) else []
        for origin in value.origins or ():
            calls += project.calls_at(origin.place)
        for home, call in calls:
            for part in arguments_of(call):
                classes |= dict.fromkeys(_classes(project, home, part))
    return [*classes]


def _taken_names(call: ast.Call, names: list[str]) -> list[str]:
    """Return those that a call does not leave out by itself, as far as that is written there."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="include" | "exclude" as arg, value=ast.Set(elts=elements)) if all(
                isinstance(element, ast.Constant) for element in elements
            ):
                named = {element.value for element in elements if isinstance(element, ast.Constant)}
                names = [name for name in names if (name in named) == (arg == "include")]
    return names


def _member(site: Site[ast.AST], call: ast.Call, names: list[str], read: list[str]) -> Member:
    shown, unread = site.module.excerpt(call), [name for name in names if name not in read]
    listed = ", ".join(f'"{name}"' for name in unread or names)
    if any(keyword.arg in _CHOOSING for keyword in call.keywords):
        return Member(site, Refused(ENCODED_OBJECT, listed), f"`{shown}`")
    if not unread:
        return _announced_expression(site, read, _ENCODES)
    message = f"`{shown}` leaves out attributes that are now loaded eagerly"
    caveats = [f"{listed} of the object are not encoded, even if they had been loaded before"]
    edits = [site.add_keyword(call, "exclude", f"{{{listed}}}")]
    return Member(site, Rewrite(message, edits, [*caveats, *_more(read)]), f"`{shown}`")


def _wanted_names(  # noqa: PLR0913
    project: Project,
    module: Module,
    encoding: ast.AST,
    end: int,
    classes: list[str],
    names: Collection[str],
) -> set[str]:
    """Return the relationships that objects may have had when they were encoded before.

    The function around ``encoding``, a function that it runs, or one of its dependencies reads,
    sets or loads them. In the function itself, this counts before ``end``, an offset. A read before
    a commit that always runs does not count: the commit expires it.
    """
    around, statement = module.enclosing_function(encoding), module.statement_of(encoding)
    if not isinstance(around, Function):
        return {*names}
    is_kept = not _commits(project, module, encoding)
    wanted = set[str]()
    for home, function in _run_for(project, module, around, statement) if names else ():
        for node in home.walk(function):
            name = _touched_text(project, home, node, classes, names, is_kept=is_kept)
            if not name or name in wanted:
                continue
            span = home.span(node)
            if function is around and (
                span.start >= end
                or (statement is not None and ends_before(home, span.end, statement, ()))
            ):
                continue
            wanted.add(name)
    return wanted


def _run_for(
    project: Project, module: Module, function: Function, statement: ast.stmt | None = None
) -> Iterator[tuple[Module, Function]]:
    """Yield a function, those that it calls, and those that inject its parameters.

    None that runs before a commit that always runs before ``statement``.
    """
    yield module, function
    graph = project.calls.graph()
    starts = [
        called
        for call in graph.callees(graph.place_of(module, function))
        if statement is None or not ends_before(module, call.place.span.end, statement, ())
        for called in call.functions
    ]
    if statement is None or not ends_before(module, module.span(function).start, statement, ()):
        providers = project.injections.of_function(module, function)
        dependencies = project.web.endpoints.depended_on(providers)
        starts += [graph.place_of(*start) for start in dependencies]
    for home, inner in project.calls.definitions_of(graph.reachable(starts)):
        if inner is not function:
            yield home, inner


def _touched_text(  # noqa: PLR0913
    project: Project,
    module: Module,
    node: ast.AST,
    classes: list[str],
    names: Collection[str],
    *,
    is_kept: bool,
) -> str:
    """Return which of ``names`` a node loads, or sets where objects keep it; else ""."""
    match node:
        case ast.keyword(arg=str() as name) if name in names and is_kept:
            call = module.parent(node)
            is_made = isinstance(call, ast.Call) and _may_be(project, module, call, classes)
            return name if is_made else ""
        case ast.Attribute(attr=name, value=owner) if name in names:
            above = module.parent(node)
        case _:
            return ""
    if project.qualified_name(module, owner) in classes:
        is_loader = isinstance(above, ast.Call) and last_name(above.func) in _LOADERS
        return name if is_loader else ""
    # A method with the name of a relationship, as in `values.items()`, belongs to another object.
    if isinstance(above, ast.Call) and above.func is node:
        return ""
    is_used = isinstance(node.ctx, ast.Load) or is_kept
    return name if is_used and _may_be(project, module, owner, classes) else ""


def _may_be(project: Project, module: Module, node: ast.expr, classes: list[str]) -> bool:
    """Whether an expression may give an object of one of ``classes``."""
    values = project.values.of(module, node).alternatives
    return any(
        isinstance(value, Unknown)
        or (isinstance(value, InstanceOf) and not {*classes}.isdisjoint(_related(project, value)))
        for value in values
    )


def _related(project: Project, value: InstanceOf) -> set[str]:
    """Return a mapped class with those that it inherits from."""
    return {value.qualified, *project.orm.mapping_ancestors(value.qualified)}
