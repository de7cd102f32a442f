"""Code that relies on expired objects, where objects now keep their values.

A write that the session does not see reaches its objects because the commit expires them. Reading
an object after its session is closed raises because it was expired, or because nothing was loaded.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import kind_of
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import written_statements
from awaken.contract import Place
from awaken.kit.search import modules_with, nodes_with
from awaken.knowledge.library_names import library_names
from awaken.knowledge.sql_names import sql_names
from awaken.project.source.f_strings import text_parts
from awaken.project.source.modules import Module
from awaken.project.source.trees import chained_calls, last_name
from awaken.project.values.domain import classes_in

if TYPE_CHECKING:
    from awaken.project import Project

_RAISED = ("DetachedInstanceError", "ObjectDeletedError")
_READ = re.compile(r"\s*(?:select|show|pragma|explain|create|drop|alter|set)\b", re.IGNORECASE)
_WRITTEN = re.compile(r"\s*(?:update|delete|insert|merge|replace|with)\b", re.IGNORECASE)
_TABLE = re.compile(r"\s*(update|delete\s+from|insert\s+into)\s+(\w+)(?=[\s(;])", re.IGNORECASE)
_WORDS = (b"delete", b"exec_driver_sql", b"synchronize_session", b"text", b"update")


def caveats_of_kept_state(project: Project) -> tuple[list[str], tuple[Place, ...]]:
    """Return the caveats of objects that no longer expire, and the places that rely on it."""
    said: list[str] = []
    unseen = tuple(change.place for change in unseen_changes(project))
    if unseen:
        said.append("objects keep their old values after raw SQL and a commit")
    answered = [*_answered_places(project)]
    if answered:
        said.append(
            "an endpoint without a response model now includes attributes that the commit used "
            "to expire"
        )
    seen = [*_set_for_requests(project)]
    if seen:
        said.append("an endpoint now sees a `ContextVar` that its dependency sets")
    if identities := [*_identities(project)]:
        said.append("the `identity_map` of a session now contains eagerly loaded objects")
    if kept := [*_kept_in_modules(project)]:
        said.append("objects in a module's variable can now be read after their session is closed")
    caught = dict(_caught_pairs(project))
    names = " and ".join(f"`{name}`" for name in sorted(set(caught.values())))
    if caught:
        said.append(f"{names} may no longer be raised where the program expects it")
    return said, (*unseen, *answered, *seen, *identities, *kept, *caught)


class UnseenChange(NamedTuple):
    """A statement that changes rows, but no objects of its session.

    ``owner`` is the mapped class of the rows, ``table`` the name of their table. Both are empty
    where they are unknown. ``is_deletion`` says that the statement deletes the rows.
    """

    place: Place
    owner: str = ""
    table: str = ""
    is_deletion: bool = False


def unseen_changes(project: Project) -> Iterator[UnseenChange]:
    """Yield the statements that may change rows without changing the objects of a session."""
    for module, node in nodes_with(project, _WORDS, ast.Call, revisions=False):
        change = _unseen_change(project, module, node)
        if change is not None:
            yield change


def has_rows_of(project: Project, qualified: str, change: UnseenChange) -> bool:
    """Whether an object of a class may have a row that a statement changes."""
    line = {*project.orm.mapping_ancestors(qualified), *project.all_subclasses(qualified)}
    if change.owner or not change.table:
        return not change.owner or change.owner in line
    models = map(project.orm.mapped_class, line)
    tables = {mapped.tablename for mapped in models if mapped is not None}
    return not tables.isdisjoint({None, change.table})


def _unseen_change(project: Project, module: Module, call: ast.Call) -> UnseenChange | None:
    place, option = module.place(call), next(_synchronize_options(call), None)
    if option is not None:
        statement, value = option
        owner, is_deletion = changed_class(project, module, statement)
        is_unseen = isinstance(value, ast.Constant) and value.value is False
        return UnseenChange(place, owner=owner, is_deletion=is_deletion) if is_unseen else None
    if not call.args:
        return None
    first, name = call.args[0], project.qualified_name(module, call.func)
    is_text = name in sql_names().texts and _is_statement(module, call)
    if is_text or (isinstance(call.func, ast.Attribute) and call.func.attr == "exec_driver_sql"):
        table, is_deletion = _changed_table(first)
        change = UnseenChange(place, table=table, is_deletion=is_deletion)
        return None if _READ.match(_text(first)) else change
    is_changing = name in sql_names().changes
    is_mapped = is_changing and project.orm.mapped_class(project.qualified_name(module, first))
    return UnseenChange(place) if is_changing and not is_mapped else None


def _synchronize_options(call: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the values of ``synchronize_session`` that a call passes, each with its statement."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="synchronize_session", value=value):
                yield call, value
            case ast.keyword(arg="execution_options", value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "synchronize_session":
                        yield call.args[0] if call.args else call, value


def changed_class(project: Project, module: Module, statement: ast.expr) -> tuple[str, bool]:
    """Return the mapped class whose rows a ``statement`` changes, empty if unknown.

    Return with it whether the statement deletes the rows.
    """
    for call in chain.from_iterable(map(chained_calls, written_statements(module, statement))):
        name = project.qualified_name(module, call.func)
        if name in sql_names().changes and call.args:
            owner = project.qualified_name(module, call.args[0]) or ""
            is_mapped = project.orm.mapped_class(owner) is not None
            return owner if is_mapped else "", name in sql_names().deletes
    return "", False


def _changed_table(node: ast.expr) -> tuple[str, bool]:
    """Return the table that a text changes, empty if unknown, and whether it deletes the rows."""
    match = _TABLE.match(_text(node))
    return ("", False) if match is None else (match[2], match[1].lower().startswith("delete"))


def _is_statement(module: Module, call: ast.Call) -> bool:
    """Whether a text is a whole statement, and no part of another, a default or a condition."""
    above = module.parent(call)
    match above:
        case ast.Call(func=ast.Attribute(attr=name)) if name in library_names().executing_methods:
            return call in above.args[:1]
        case ast.Assign() | ast.Attribute() | ast.Return():
            return _WRITTEN.match(_text(call.args[0])) is not None
    return False


def _text(node: ast.expr) -> str:
    """Return what a text begins with, as far as it is constant."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.BinOp(left=left):
            return _text(left)
    return "".join(map(_text, text_parts(node)[:1]))


def _answered_places(project: Project) -> Iterator[Place]:
    """Yield where endpoints without a response model return objects, if commits expire them."""
    is_expired = (
        project.files_with((b".commit(", b".begin("))
        and not project.orm.reads.expiry.never_by_commit()
    )
    for endpoint in project.web.responses.all if is_expired else ():
        for node in endpoint.returned_expressions if endpoint.model is None else ():
            if kind_of(project, project.values.of(endpoint.module, node).alternatives):
                yield endpoint.module.place(node)


def _identities(project: Project) -> Iterator[Place]:
    """Yield where a program looks at all the objects of a session."""
    for module in modules_with(project, (b".identity_map",)):
        for node in module.mentions("identity_map"):
            if isinstance(node, ast.Attribute):
                yield module.place(node)


def _kept_in_modules(project: Project) -> Iterator[Place]:
    """Yield where mapped objects are put into containers of a file, if commits expire them."""
    if project.orm.reads.expiry.never_by_commit():
        return
    for module in modules_with(project, (b".commit(", b".get(", b".add(", b"query", b"scalar")):
        containers = {
            name
            for name, bindings in module.scopes.module.bindings.items()
            if any(
                isinstance(one.value, ast.Dict | ast.List | ast.Set | ast.Call) for one in bindings
            )
        }
        for node in module.walk() if containers else ():
            match node:
                case ast.Assign(
                    targets=[ast.Subscript(value=ast.Name(id=name) as held)], value=kept
                ) if name in containers:
                    pass
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name) as held, attr=method),
                    args=[*_, kept],
                ) if name in containers and method in library_names().growing_methods:
                    pass
                case _:
                    continue
            is_own = any(item.scope.kind == "module" for item in module.scopes.bindings_of(held))
            if is_own and kind_of(project, project.values.of(module, kept).alternatives):
                yield module.place(node)


def _set_for_requests(project: Project) -> Iterator[Place]:
    """Yield where plain functions with a session, which may be dependencies, set a ContextVar.

    A value that they set in a thread is visible only there.
    """
    for module in modules_with(project, (b"ContextVar",)):
        for node in module.mentions("set"):
            function = module.enclosing_function(node)
            if not isinstance(node, ast.Attribute) or not isinstance(function, ast.FunctionDef):
                continue
            defaults = [part for part in function.args.defaults if isinstance(part, ast.Call)]
            values = project.values.of(module, node.value).alternatives
            is_injected = any(last_name(default.func) == "Depends" for default in defaults)
            if is_injected and "contextvars.ContextVar" in classes_in(values):
                yield module.place(node)


def _caught_pairs(project: Project) -> Iterator[tuple[Place, str]]:
    """Yield where a program names what reading an expired or detached object raises."""
    for module in modules_with(project, [word.encode() for word in _RAISED]):
        for name in _RAISED:
            for node in module.mentions(name):
                if not isinstance(node, ast.Name | ast.Attribute):
                    continue
                qualified = project.qualified_name(module, node) or ""
                if qualified.startswith("sqlalchemy.") and qualified.endswith(f".{name}"):
                    yield module.place(node), name
