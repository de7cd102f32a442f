"""Objects that are encoded with everything that is loaded of them: no more than was loaded before.

`jsonable_encoder(user)` takes the values in `user.__dict__`, then the values in theirs, and so on.
Relationships that now load with each object were not there before; a cycle of them would have no
end. The result of an endpoint without a response model is encoded in the same way.

All fields of a mapped dataclass are encoded: `run_sync` encodes it, where they load as before.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.covered import ends_before
from awaken.codemods.sqlalchemy.session_to_async.reads.reading import kind_of
from awaken.codemods.sqlalchemy.session_to_async.reads.revisions import is_select, loads_later
from awaken.codemods.sqlalchemy.session_to_async.reasons import ENCODED_OBJECT
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_beside
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ENCODERS = frozenset(schema_knowledge().models.encoders)
_MODELS = frozenset(schema_knowledge().models.bases)
_GETTING = {"get", "get_one"}
_DATACLASSES = {"MappedAsDataclass", "dataclass", "mapped_as_dataclass"}
_CHOOSING = {"exclude", "include"}


def encoded_objects(
    project: Project, rule: str, loaded: Callable[[str], list[str]]
) -> Iterator[Member]:
    """Yield the rewrites of the calls that encode objects.

    ``loaded`` tells which relationships of a class are loaded with each object from now on.
    """
    words = sorted({one.rpartition(".")[2].encode() for one in _ENCODERS})
    for module in modules_with(project, words):
        for node in module.walk():
            if isinstance(node, ast.Call) and node.args:
                if project.qualified_name(module, node.func) not in _ENCODERS:
                    continue
                classes = _objects(project, module, node.args[0])
                names = _taken(node, sorted({name for one in classes for name in loaded(one)}))
                if names and not _has_dataclass(project, classes):
                    is_wanted = _is_wanted(project, module, node, classes, names)
                    yield _member(Site(rule, module, node), node, names, is_wanted=is_wanted)


def returned_objects(
    project: Project, rule: str, loaded: Callable[[str], list[str]]
) -> Iterator[Member]:
    """Yield the rewrites of objects that endpoints without a response model return."""
    for module, node in _answered(project):
        site: Site[ast.AST] = Site(rule, module, node)
        shown = f"`{module.excerpt(node)}`"
        classes = _objects(project, module, node)
        if _has_dataclass(project, classes):
            function = module.enclosing_function(node)
            session = ""
            if isinstance(node, ast.Name) and isinstance(function, Function):
                session = project.orm.session_variable(module, function)
            if session:
                yield member(site, shown, _encoded_as_before, project, session)
            continue
        names = sorted({name for one in classes for name in loaded(one)})
        if isinstance(node, ast.Name | ast.Attribute) and _commits(project, module, node):
            # What was put into a new object was expired, and is kept now.
            names = sorted({*names, *_relationships(project, classes)})
        names = [one for one in names if not _is_wanted(project, module, node, classes, [one])]
        if names and not _is_of_call(module, node):
            yield from _without(site, shown, project, names)


def _without(
    site: Site[ast.AST], shown: str, project: Project, names: list[str]
) -> Iterator[Member]:
    """Yield what has an answer leave out relationships, or a statement load them later."""
    module, node = site.module, site.node
    if isinstance(node, ast.Name | ast.Attribute):
        yield member(site, shown, _encoded, project, names)
        return
    if isinstance(node, ast.Call) and last_name(node.func) in _GETTING and node.args:
        yield member(site, shown, _got_without, project, names)
    for call in module.walk(node):
        if isinstance(call, ast.Call) and is_select(project, module, call):
            found = [f"{module.text_of(call.args[0])}.{one}" for one in names]
            inner: Site[ast.AST] = Site(site.rule, module, call)
            yield member(inner, shown, loads_later, project, found)


def _answered(project: Project) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what endpoints without a response model return, or the parts of that."""
    for endpoint in project.web.responses.all:
        for returned in endpoint.returned if endpoint.model is None else ():
            for node in _parts(returned):
                yield endpoint.module, node


def returned_as_they_are(project: Project) -> Iterator[Place]:
    """Yield what endpoints without a response model return and nothing is left out of.

    A helper, or an expression, may give objects with all that is loaded with them.
    """
    for module, node in _answered(project):
        is_got = isinstance(node, ast.Call) and last_name(node.func) in _GETTING
        is_name = isinstance(node, ast.Name | ast.Attribute) and not _is_of_call(module, node)
        classes = _objects(project, module, node)
        names = [*_relationships(project, classes)]
        if _has_dataclass(project, classes):
            yield module.place(node)
            continue
        if is_name and _is_wanted(project, module, node, classes, names):
            yield module.place(node)
        if is_got or (is_name and classes):
            continue
        calls = (one for one in module.walk(node) if isinstance(one, ast.Call))
        if any(is_select(project, module, one) for one in calls):
            continue
        values = project.values.of(module, node).alternatives
        classes = [one.qualified for each in values for one in _with_items(each)]
        is_left = _MODELS.isdisjoint(
            name for one in classes for name in project.library_ancestors(one)
        )
        if is_left and _relationships(project, classes):
            yield module.place(node)


def _is_of_call(module: Module, node: ast.expr) -> bool:
    """Whether a call gives the object of an attribute: its ``await`` has the statement too."""
    return isinstance(node, ast.Attribute) and any(
        isinstance(one, ast.Call) for one in module.walk(node)
    )


def _commits(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether the function around a node commits, or a function that it calls."""
    function = module.enclosing_function(node)
    if not isinstance(function, Function):
        return False
    graph = project.calls.graph()
    place = graph.place_of(module, function)
    called = (each for call in graph.callees(place) for each in call.functions)
    for one in (place, *called):
        home = project.module(one.path)
        around = None if home is None else home.function_at(one.start)
        if home is None or around is None:
            continue
        span = home.span(around)
        if any(span.contains(home.span(mention)) for mention in home.mentions("commit")):
            return True
    return False


def _relationships(project: Project, classes: list[str]) -> set[str]:
    found = map(project.orm.mapped_class, classes)
    return {name for one in found if one is not None for name in one.relationships}


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression, or what a display of a list or a dictionary is made of."""
    match node:
        case ast.Dict(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            for one in parts:
                yield from _parts(one)
        case _:
            yield node


def _encoded(site: Site[ast.AST], project: Project, names: list[str]) -> Rewrite:
    """Return what encodes an object without what is loaded with it now. Raises Refused."""
    encoder, imports = name_beside(project, site, None, "fastapi.encoders.jsonable_encoder")
    listed = ", ".join(f'"{one}"' for one in names)
    edits: list[Edit] = [
        site.insert_before(site.node, f"{encoder}("),
        site.insert_behind(site.node, f", exclude={{{listed}}})"),
        *imports,
    ]
    message = (
        f"the response to `{site.module.excerpt(site.node)}` leaves out attributes that are now "
        "loaded eagerly"
    )
    return Rewrite(message, edits)


def _encoded_as_before(site: Site[ast.AST], project: Project, session: str) -> Rewrite:
    """Return what encodes all fields of a dataclass in a greenlet. Raises Refused."""
    encoder, imports = name_beside(project, site, None, "fastapi.encoders.jsonable_encoder")
    edits: list[Edit] = [
        site.insert_before(site.node, f"await {session}.run_sync(lambda _: {encoder}("),
        site.insert_behind(site.node, "))"),
        *imports,
    ]
    return Rewrite(
        f"`run_sync` encodes `{site.module.excerpt(site.node)}`, so that its fields can load", edits
    )


def _has_dataclass(project: Project, classes: list[str]) -> bool:
    """Whether one of mapped classes is a dataclass that has relationships."""
    for one in classes:
        bases = {each.rpartition(".")[2] for each in project.library_ancestors(one)}
        found = project.class_definition(one)
        decorators = () if found is None else found[1].decorator_list
        bases |= {last_name(without_arguments(each)) for each in decorators}
        if not bases.isdisjoint(_DATACLASSES) and _relationships(project, [one]):
            return True
    return False


def _got_without(site: Site[ast.AST], project: Project, names: list[str]) -> Rewrite:
    """Return what has a session get an object without its relationships. Raises Refused."""
    call = site.node
    if not isinstance(call, ast.Call) or any(one.arg == "options" for one in call.keywords):
        raise Refused(ENCODED_OBJECT, ", ".join(names))
    option, imports = name_beside(project, site, None, "sqlalchemy.orm.lazyload")
    owner = site.module.text_of(call.args[0])
    listed = ", ".join(f"{option}({owner}.{one})" for one in names)
    edits: list[Edit] = [site.add_keyword(call, "options", f"[{listed}]"), *imports]
    return Rewrite(
        f"the response to `{site.module.excerpt(call)}` leaves out attributes that are now "
        "loaded eagerly",
        edits,
    )


def _objects(project: Project, module: Module, node: ast.expr) -> list[str]:
    """Return the mapped classes of what ``node`` gives, or of its items.

    Not those that are models as well: they are encoded by their fields.
    """
    values = project.values.of(module, node).alternatives
    if not kind_of(project, values):
        return []
    found = [one.qualified for each in values for one in _with_items(each)]
    return [one for one in found if _MODELS.isdisjoint(project.library_ancestors(one))]


def _with_items(value: object) -> Iterator[InstanceOf]:
    if isinstance(value, InstanceOf):
        yield value
        for item in value.parameters[-1] if value.parameters else ():
            yield from _with_items(item)


def _taken(call: ast.Call, names: list[str]) -> list[str]:
    """Return those that a call does not leave out by itself, as far as that is written there."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="include" | "exclude" as arg, value=ast.Set(elts=elements)) if all(
                isinstance(one, ast.Constant) for one in elements
            ):
                named = {one.value for one in elements if isinstance(one, ast.Constant)}
                names = [one for one in names if (one in named) == (arg == "include")]
            case _:
                pass
    return names


def _member(site: Site[ast.AST], call: ast.Call, names: list[str], *, is_wanted: bool) -> Member:
    shown = site.module.excerpt(call)
    listed = ", ".join(f'"{one}"' for one in names)
    if any(one.arg in _CHOOSING for one in call.keywords) or is_wanted:
        return Member(site, Refused(ENCODED_OBJECT, listed), f"`{shown}`")
    message = f"`{shown}` leaves out attributes that are now loaded eagerly"
    caveats = [f"{listed} of the object are not encoded, even if they had been loaded before"]
    edits = [site.add_keyword(call, "exclude", f"{{{listed}}}")]
    return Member(site, Rewrite(message, edits, caveats), f"`{shown}`")


def _is_wanted(
    project: Project, module: Module, call: ast.expr, classes: list[str], names: list[str]
) -> bool:
    """Whether the function reads one of these before, or has a statement load it.

    A read before a commit that always runs does not count: the commit expires it.
    """
    function, end = module.enclosing_function(call), module.span(call).start
    statement = module.statement_of(call)
    for node in module.walk(function):
        if not isinstance(node, ast.Attribute) or node.attr not in names:
            continue
        if not isinstance(node.ctx, ast.Load) or module.span(node).start >= end:
            continue
        if statement is not None and ends_before(module, module.span(node).end, statement, ()):
            continue
        if project.qualified_name(module, node.value) in classes:
            return True
        values = project.values.of(module, node.value).alternatives
        if any(isinstance(one, InstanceOf) and one.qualified in classes for one in values):
            return True
    return False
