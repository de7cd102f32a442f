"""Statements after a commit: the collections that they load with their objects are reloaded.

A synchronous session expires everything when it commits, and so gives the database's values. A
session that keeps it gives the old collections.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.expressions.expression_uses import Way, targets_of, use_of
from awaken.project.source.trees import Repeating, last_name, receivers
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import Unknown
from awaken.project.values.local.reads import local_binding, reads_seeing

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
    called = project.calls.functions_called(module, call)
    for callee in () if isinstance(called, Unknown) else called:
        for node in callee.module.walk(callee.function):
            if isinstance(node, ast.expr):
                yield callee.module, node


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
