"""Statements after a commit: the collections that they load with their objects are reloaded.

A synchronous session expires everything when it commits, and so gives the database's values. A
session that keeps it gives the old collections.

`populate_existing` resets each relationship that its statement does not load (SQLAlchemy,
``LazyLoader.create_row_processor``), also of objects that other code holds and reads later. A
separate statement that leads back to an object resets the relationships that the first statement
loaded: such a call stays as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.sqlalchemy.keys import direction
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Load, Trace
from awaken.project.source.expressions.expression_uses import Way, targets_of, use_of
from awaken.project.source.trees import Repeating, last_name, receivers
from awaken.project.source.worklist import LONGEST_PATH, MOST_STEPS, Worklist
from awaken.project.values.local.flow import local_binding, reads_seeing

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.kit.relationships.sides import Key
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.source.modules import Module

_AUTOFLUSH = b"autoflush"
_HOLDS_BACK = re.compile(rb"\bno_autoflush\b|\bautoflush[\"']?\s*[=:](?!=)\s*(?!True\b)")
_NAMES = ast.Name | ast.Attribute
_EAGER = name_list("eager_strategies")


Loads: TypeAlias = "Callable[[Module, ast.expr], bool]"


class Anew(NamedTuple):
    """The argument that makes a call of a session load again, and its value.

    ``asked`` is the attribute of the session that this asks, if it asks one.
    """

    argument: str
    said: str
    asked: str = ""


def read_after_commits(
    project: Project,
    later: Iterable[Later],
    mapped: Collection[Key],
    loading: Collection[Place],
    may_differ: Callable[[Module, ast.Call], bool],
) -> Iterator[Later]:
    """Yield the calls among ``later`` that load relationships with their objects.

    Of those whose rows ``may_differ`` from the objects, all that may give an object again.
    ``mapped`` are the relationships that the mapping loads, ``loading`` the statements that get a
    loader option.
    """
    is_loading = loading_of(project, mapped, loading, _EAGER)

    def loads(module: Module, node: ast.expr) -> bool:
        is_option = isinstance(node, ast.Attribute) and node.attr == "options"
        return is_option or is_loading(module, node)

    for load in later:
        calls = project.calls_at(load.place) if load.kind == "load" else []
        for module, call in calls if len(calls) == 1 else ():
            is_whole = (
                may_differ(module, call)
                and project.orm.commits.reloads.reload_by(module, call) is not None
            )
            if is_whole or needs_relationships(project, module, call, loads):
                yield load


def gives_relationships(project: Project, module: Module, call: ast.Call, loads: Loads) -> bool:
    """Whether a call of a session gives objects by a statement a part of which ``loads`` more."""
    reload = project.orm.commits.reloads.reload_by(module, call)
    if reload is None or reload.statement is None or not reload.is_certain:
        return False
    written = written_statements(module, reload.statement)
    nodes = [part for each in written for part in module.walk(each) if isinstance(part, ast.expr)]
    nodes_of_all = [(module, part) for part in nodes]
    for node in nodes:
        if isinstance(node, ast.Call):
            nodes_of_all += _returned_pairs(project, module, node)
    return any(loads(home, node) for home, node in nodes_of_all)


def needs_relationships(project: Project, module: Module, call: ast.Call, loads: Loads) -> bool:
    """Whether a call gives objects with what ``loads`` more, and that may be read of them."""
    is_given = gives_relationships(project, module, call, loads)
    return is_given and not _reads_only_columns(project, module, call)


def _reads_only_columns(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a function reads only columns of the objects that a call gives, and keeps none.

    The session has the values of its own changes. So they need no reload.
    """
    waiting = Worklist[ast.AST]([call])
    for node in waiting:
        way, above = use_of(module, node)
        if way in {"awaited", "item", "same"}:
            waiting += [above]
        elif way == "attribute" and use_of(module, above).way == "called":
            waiting += [module.parent(above) or above]
        if not _gives_columns(project, module, way, above):
            return False
        for target in targets_of(above):
            binding = local_binding(module, target) if isinstance(target, ast.Name) else None
            if binding is None:
                return False
            waiting += reads_seeing(module, binding)
    return True


def _gives_columns(project: Project, module: Module, way: Way, above: Any) -> bool:
    """Whether a use of an object, or of a result, reads nothing of the object but a column."""
    match way:
        case "compared":
            return all(isinstance(operator, ast.Is | ast.IsNot) for operator in above.ops)
        case "argument":
            return module.scopes.builtin_called(above) == "len"
        case "attribute" if use_of(module, above).way == "called":
            return above.attr in library_names().result_methods
        case "attribute":
            return _is_column(project, module, above)
    return way in {"awaited", "bound", "dropped", "item", "iterated", "same", "tested"}


def _is_column(project: Project, module: Module, node: ast.Attribute) -> bool:
    """Whether an attribute of an object is a column of each class that the object may have."""
    owners = [project.orm.mapped_class(name) for name in project.orm.classes_of(module, node.value)]
    return bool(owners) and all(owner and node.attr in owner.columns for owner in owners)


def _returned_pairs(
    project: Project, module: Module, call: ast.Call
) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what a function of the program is made of that gives a statement to begin with."""
    for home, function in project.calls.known_functions(module, call):
        yield from ((home, node) for node in home.walk(function) if isinstance(node, ast.expr))


def loading_of(
    project: Project,
    mapped: Collection[Key],
    loading: Collection[Place],
    eager: Collection[str] = (),
) -> Loads:
    """Return whether a part of a statement has relationships loaded with its objects.

    It is in ``loading``, or a class with one of ``mapped``, or with one that is ``eager`` as it is.
    """

    def loads(module: Module, node: ast.expr) -> bool:
        if module.place(node) in loading:
            return True
        name = project.qualified_name(module, node) if isinstance(node, _NAMES) else None
        facts = None if name is None else project.orm.mapped_class(name)
        if name is None or facts is None:
            return False
        classes = project.orm.mapping_ancestors(name)
        return any(
            item.lazy in eager or any((owner, key) in mapped for owner in classes)
            for key, item in facts.relationships.items()
        )

    return loads


def written_statements(module: Module, statement: ast.expr) -> list[ast.expr]:
    """Return a statement, and what the variable that it begins with was given."""
    *_, first = receivers(statement)
    bindings = module.scopes.bindings_of(first)
    given = [one.value for one in bindings if one.kind == "assignment" and one.value is not None]
    return [statement, *given]


def reloading(project: Project, load: Later, *, is_held: bool) -> Anew | None:
    """Return the argument of a call that loads objects after a commit.

    Where autoflush may be off (``is_held``), loading again would lose unsaved changes. None where
    the session has no name then, or has no objects yet.
    """
    for module, call in project.calls_at(load.place)[:1]:
        session = call.func.value if isinstance(call.func, ast.Attribute) else call
        # A test may give others one session: a block closes it, and it has no objects then.
        if _is_first(project, module, call, session, {"with"}):
            return None
        said, asked = "True", ""
        if is_held and not load.is_clean:
            if not isinstance(session, _NAMES):
                return None
            said, asked = f"not {module.text_of(session)}.dirty", "dirty"
        if last_name(call.func) in library_names().getting_methods:
            return Anew("populate_existing", said, asked)
        return Anew("execution_options", f'{{"populate_existing": {said}}}', asked)
    return None


def holds_back(project: Project) -> bool:
    """Whether a session of the program may load without writing first what was changed."""
    modules = map(project.module, project.files_with((_AUTOFLUSH,)))
    return any(module is not None and _HOLDS_BACK.search(module.source.text) for module in modules)


def populating(project: Project, place: Place, *, is_held: bool) -> Anew | None:
    """Return the argument that makes a ``get`` reload its object: not where changes would be lost.

    None where its session has no name, or has no objects yet. ``is_held`` says whether it may hold
    changes back.
    """
    argument, module = "populate_existing", project.module(place.path)
    if module is None:
        return None
    for call in module.calls_at(place.span):
        match call.func:
            case ast.Attribute(value=session) if _is_first(project, module, call, session):
                return None
            case ast.Attribute(value=ast.Name() | ast.Attribute() as session) if is_held:
                return Anew(argument, f"not {module.text_of(session)}.dirty", "dirty")
    return None if is_held else Anew(argument, "True")


def _is_first(
    project: Project,
    module: Module,
    call: ast.Call,
    session: ast.expr,
    kinds: Collection[str] = ("assignment", "with"),
) -> bool:
    """Whether ``call`` is the first use of a session that its function makes each time.

    ``kinds`` are those of the bindings that may hold it.
    """
    if not isinstance(session, ast.Name):
        return False
    # Of several blocks, each has a session of its own.
    around = {*module.ancestors(call)}
    bindings = [*module.scopes.bindings_of(session)]
    if all(binding.kind == "with" for binding in bindings):
        bindings = [each for each in bindings if module.statement_of(each.node) in around]
    match [(binding.kind, binding.value) for binding in bindings]:
        case [(kind, ast.Call() as making)] if kind in kinds:
            made = project.orm.made_session(module, making)
        case _:
            return False
    if made is None or made.source not in {"class", "factory"}:
        return False
    loops = {ancestor for ancestor in around if isinstance(ancestor, Repeating)}
    block = module.statement_of(making) if kind == "with" else None
    others = [
        name
        for name in module.scopes.reads_of(session)
        if name is not session and (block is None or block in module.ancestors(name))
    ]
    return (
        module.enclosing_function(making) is module.enclosing_function(call)
        and loops.issubset(module.ancestors(making))
        and all(module.span(name).start > module.span(call).end for name in others)
    )


def kept_loaded(
    project: Project, place: Place, ahead: Callable[[str], Iterable[str]]
) -> Iterator[Trace]:
    """Yield the ways from a call, or from the statement that it executes, to what it resets.

    ``ahead`` gives the relationships of a class that something loads before they are read.
    """
    for module, call in project.calls_at(place)[:1]:
        for load, name, reset in _selected_classes(project, module, call, ahead):
            yield from (Trace(load, path) for path in _paths(project, (name,), reset))


def classes_given(
    project: Project, module: Module, call: ast.Call, ahead: Callable[[str], Iterable[str]]
) -> Iterator[tuple[Place, str]]:
    """Yield the classes of objects that a call loads, selected or not, each with its load."""
    for load, name, reset in _selected_classes(project, module, call, ahead):
        yield load.place, name
        for path in _paths(project, (name,), reset):
            owner, _, last = path[-1].rpartition(".")
            if (target := project.orm.models.target_of(owner, last)) is not None:
                yield load.place, target


def loaded_by_options(project: Project, place: Place) -> set[Key]:
    """Return the relationships that loader options name in the chain which begins at a place."""
    names: set[Key] = set()
    for module, begin in project.calls_at(place)[:1]:
        chain: ast.expr = begin
        while isinstance(above := module.parent(chain), ast.Attribute | ast.Call):
            chain = above
        names.update(_options(project, module, chain))
    return names


def _selected_classes(
    project: Project, module: Module, call: ast.Call, ahead: Callable[[str], Iterable[str]]
) -> Iterator[tuple[Load, str, Callable[[str], Iterable[str]]]]:
    """Yield the classes that a call selects, each with what gives the relationships loaded."""
    reload = project.orm.commits.reloads.reload_by(module, call)
    statement = None if reload is None else reload.statement
    begin = call if statement is None else _begin(project, module, statement)
    if reload is None or begin is None:
        return
    load = Load("get" if reload.by_key else "select", module.place(begin))
    options = set(_options(project, module, reload.statement or call))

    def reset(owner: str) -> Iterable[str]:
        return {*ahead(owner), *(name for each, name in options if each == owner)}

    for selected in begin.args[:1] if reload.by_key else begin.args:
        name = project.qualified_name(module, selected)
        if name is not None and project.orm.mapped_class(name) is not None:
            yield load, name, reset


def _options(project: Project, module: Module, statement: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the relationships that the options of a call load. Objects there are reset as well."""
    for home, argument, _ in _steps(project, module, statement):
        if isinstance(argument, ast.Attribute):
            yield project.qualified_name(home, argument.value) or "", argument.attr


def _steps(
    project: Project, module: Module, statement: ast.expr
) -> Iterator[tuple[Module, ast.expr, str]]:
    """Yield the arguments of the loader options of a statement, with the names of the options."""
    for home, node in _expressions(project, module, statement):
        name = last_name(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name.endswith("load"):
            yield from ((home, argument, name) for argument in node.args)


def leads_back(
    project: Project,
    place: Place,
    traces: Iterable[Trace],
    ways_back: Collection[Key],
    mapped: Collection[Key],
) -> bool:
    """Whether a call loads by its options, in a statement of its own, what it loaded before.

    That is a class of which the options load more, and which is selected or in another step.
    ``traces`` are the options that statements get. The mapping loads ``mapped`` relationships, and
    goes on by ``ways_back``.
    """
    for module, call in project.calls_at(place)[:1]:
        reload = project.orm.commits.reloads.reload_by(module, call)
        if reload is None:
            continue
        begin = call if reload.by_key else _begin(project, module, reload.statement or call)
        own = (trace for trace in traces if begin and trace.load.place == module.place(begin))
        if any(_returns(project, trace.path, ways_back, mapped) for trace in own):
            return True
        steps = {
            (*_ends(project, home, argument), name)
            for home, argument, name in _steps(project, module, reload.statement or call)
        }
        selected = [project.qualified_name(module, each) for each in begin.args] if begin else []
        separate = library_names().separate_loaders
        for owner in {owner for owner, _, _, name in steps if name in separate}:
            related = {owner, *project.orm.mapping_ancestors(owner), *project.all_subclasses(owner)}
            again = [name for _, _, target, name in steps if target in related]
            is_first = not selected or not {None, *related}.isdisjoint(selected)
            if len(again) + is_first > 1 and not separate.isdisjoint(again):
                return True
    return False


def _returns(
    project: Project, path: Iterable[str], ways_back: Collection[Key], mapped: Collection[Key]
) -> bool:
    """Whether one of ``ways_back`` leads to objects of which a step before it is reset.

    The mapping loads ``mapped`` relationships again with them.
    """
    reset, orm = set[str](), project.orm
    for owner, _, name in (step.rpartition(".") for step in path):
        if (owner, name) not in mapped:
            reset |= {owner, *orm.mapping_ancestors(owner)}
        target = orm.models.target_of(owner, name)
        around = set[str]() if target is None else {target, *orm.mapping_ancestors(target)}
        if any(key[0] in around and orm.models.target_of(*key) in reset for key in ways_back):
            return True
    return False


def _ends(project: Project, module: Module, node: ast.expr) -> tuple[str, str, str]:
    """Return the class of a relationship that an option names, its name, and where it leads."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value  # of_type(...), and_(...)
    if not isinstance(node, ast.Attribute):
        return "", "", ""
    owner = project.qualified_name(module, node.value) or ""
    for name in project.orm.mapping_ancestors(owner) if owner else ():
        facts = project.orm.models.relationship(name, node.attr)
        if facts is not None:
            return owner, node.attr, facts.target or ""
    return owner, node.attr, ""


def _expressions(
    project: Project, module: Module, node: ast.expr
) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what a statement is made of, by variables and functions of the program as well."""
    starts: list[tuple[Module, ast.AST]] = [(module, node)]
    waiting = Worklist(starts, lambda pair: pair[1])
    for home, part in waiting:
        if len(waiting.seen) > MOST_STEPS:
            return
        for inner in home.walk(part):
            if isinstance(inner, ast.Call):
                waiting += project.calls.known_functions(home, inner)
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                waiting += _assigned(project, home, inner)
            if isinstance(inner, ast.expr):
                yield home, inner


def _assigned(project: Project, module: Module, name: ast.Name) -> Iterator[tuple[Module, ast.AST]]:
    """Yield what a variable was given, here or in the file that it is imported from."""
    for binding in module.scopes.bindings_of(name):
        if binding.kind == "assignment" and binding.value is not None:
            yield module, binding.value
    pair = project.value_at(project.qualified_name(module, name))
    if pair is not None and pair[0] is not module:
        yield pair


def _begin(project: Project, module: Module, statement: ast.expr) -> ast.Call | None:
    """Return the call that begins a statement, which a variable may hold."""
    selects = sql_names().selects
    for _ in range(len(module.source.text)):
        match statement:
            case ast.Call() if project.qualified_name(module, statement.func) in selects:
                return statement
            case ast.Call(func=ast.Attribute(value=inner)):
                statement = inner
            case ast.Name():
                bindings = module.scopes.bindings_of(statement)
                values = [binding.value for binding in bindings if binding.kind == "assignment"]
                if len(bindings) != 1 or len(values) != 1 or values[0] is None:
                    return None
                statement = values[0]
            case _:
                return None
    return None


def _paths(
    project: Project, classes: tuple[str, ...], ahead: Callable[[str], Iterable[str]]
) -> Iterator[tuple[str, ...]]:
    """Yield the relationships that lead on from the last of ``classes``.

    Of those that lead back, it yields single ones whose key is in the other table. The session
    finds other objects by their keys, without a query.
    """
    owner = classes[-1]
    mapped = project.orm.mapped_class(owner)
    for name in sorted(set(ahead(owner))):
        facts = project.orm.models.relationship(owner, name)
        if mapped is None or facts is None or facts.target is None:
            continue
        step = f"{owner}.{name}"
        if facts.target in classes:
            target = project.orm.mapped_class(facts.target)
            has_key = target is not None and direction(mapped, target)
            if has_key and project.orm.is_collection(owner, name) is False:
                yield (step,)
            continue
        yield (step,)
        if len(classes) < LONGEST_PATH:
            for further in _paths(project, (*classes, facts.target), ahead):
                yield (step, *further)
