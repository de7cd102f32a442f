"""Arguments of mappers, and attributes that are read of objects.

A statement for a base returns objects of its subclasses without their attributes, which load at the
read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import SUBCLASS_ATTRIBUTE
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import last_name, values_given, variable_of
from awaken.workspace.sources import LINE_END_BYTES, line_break_before

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ARGUMENTS = "__mapper_args__"


def is_read(project: Project, name: str) -> bool:
    """Whether an attribute of this name may be read of an object, and not only of a class."""
    for module in project.modules_at(project.files_with((name.encode(),))):
        if is_of_alembic(module):
            continue
        for node in module.mentions(name):
            match node:
                case ast.Attribute(value=owner) if _is_of_class(project, module, owner):
                    pass
                case ast.Attribute() | ast.Constant():
                    return True
        # A field of a response model, or of a dataclass that copies rows.
        for node in module.walk():
            match node:
                case ast.AnnAssign(target=ast.Name(id=field)) if field == name:
                    owner_class = module.enclosing_class(node)
                    if owner_class is not None and not _is_mapping(project, module, owner_class):
                        return True
    return False


def _is_of_class(project: Project, module: Module, owner: ast.expr) -> bool:
    name = project.qualified_name(module, owner)
    return name is not None and project.class_facts(name) is not None


def _is_mapping(project: Project, module: Module, node: ast.ClassDef) -> bool:
    """Whether a class is mapped, or is inherited by one that is."""
    qualified = module.full_name(node)
    hierarchy = (qualified, *project.all_subclasses(qualified))
    return any(project.orm.mapped_class(name) is not None for name in hierarchy)


def own_arguments(project: Project, qualified: str) -> ast.expr | None:
    """Return what a class says of its mapper by itself."""
    pair = project.class_definition(qualified)
    body = pair[1].body if pair is not None else ()
    return next((value for name, value in values_given(body) if name == _ARGUMENTS), None)


def argument_edit(
    project: Project, site: Site[ast.ClassDef], qualified: str, argument: str, why: Refused
) -> Edit:
    """Return the edit that gives a mapper one more argument, as code. Raises ``why``."""
    node, key = site.node, ast.literal_eval(argument.partition(":")[0])
    own = own_arguments(project, qualified)
    facts = project.class_facts(qualified)
    if isinstance(own, ast.Dict) and not _has_key(own, key):
        return _added_edit(site, own, argument)
    inherited = [
        ancestor
        for ancestor in project.orm.mapping_ancestors(qualified)
        if ancestor != qualified
        # A mapped class declares for itself alone.
        and project.orm.mapped_class(ancestor) is None
        and _says_arguments(project, ancestor)
    ]
    is_said = facts is None or _ARGUMENTS in facts.members
    if own is not None or is_said or inherited:
        raise why
    code = f"{_ARGUMENTS} = {{{argument}}}\n"
    where = _statement_behind(node)
    if where is None:
        return site.insert_statements(site.module.place(node.body[0]), "before", code)
    return site.insert_statements(site.module.place(where), "after", code)


def _added_edit(site: Site[ast.ClassDef], own: ast.Dict, argument: str) -> Edit:
    """Return the edit that puts one more argument into a dictionary, on a line as the others."""
    last = own.keys[-1] if own.keys else None
    if last is None:
        return site.replace(own, f"{{{argument}}}")
    module, value = site.module, own.values[-1]
    text = module.source.text
    before = LINE_END_BYTES.split(text[: module.span(last).start])[-1].decode()
    if before.strip():
        return site.insert_behind(value, f", {argument}")
    newline = line_break_before(text, module.span(last).start)
    # A comment after the last one stays with it.
    if b"#" in LINE_END_BYTES.split(text[module.span(value).end :], maxsplit=1)[0]:
        return site.insert_before(last, f"{argument},{newline}")
    return site.insert_behind(value, f",{newline}{argument}")


def _has_key(own: ast.Dict, key: str) -> bool:
    keys = [node.value if isinstance(node, ast.Constant) else None for node in own.keys]
    return key in keys or None in keys


def _says_arguments(project: Project, qualified: str) -> bool:
    facts = project.class_facts(qualified)
    return facts is not None and _ARGUMENTS in facts.members


def _statement_behind(node: ast.ClassDef) -> ast.stmt | None:
    """Return the statement of a class after which its settings go: the name of its table."""
    for statement in node.body:
        if last_name(variable_of(statement)) == "__tablename__":
            return statement
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first if is_text else None


_WORD = b"polymorphic_identity"
_SAYS = {"polymorphic_load", "with_polymorphic"}


def loaded_with_their_bases(project: Project, rule: str) -> Iterator[Member]:
    """Yield the classes of which more is loaded when an object of their base is."""
    for module, node in nodes_with(project, (_WORD,), ast.ClassDef, revisions=False):
        yield from _of_class(project, Site(rule, module, node))


def _of_class(project: Project, site: Site[ast.ClassDef]) -> Iterator[Member]:
    node = site.node
    qualified = site.module.full_name(node)
    bases = [
        ancestor
        for ancestor in project.orm.mapping_ancestors(qualified)
        if ancestor != qualified and project.orm.mapped_class(ancestor) is not None
    ]
    mapped = project.orm.mapped_class(qualified)
    if not bases or mapped is None or any(_says(project, name) for name in (qualified, *bases)):
        return
    above = [model for name in bases if (model := project.orm.mapped_class(name)) is not None]
    inherited = {name for item in above for name in (*item.columns, *item.relationships)}
    added = sorted({*mapped.columns, *mapped.relationships} - inherited)
    read = [name for name in added if is_read(project, name)]
    if not read or not any(_is_loaded(project, name) for name in bases):
        return
    how = "inline" if mapped.tablename in {None, above[0].tablename} else "selectin"
    shown = f"{node.name}.{read[0]}"
    try:
        why = Refused(SUBCLASS_ATTRIBUTE, shown)
        edits = [argument_edit(project, site, qualified, f'"polymorphic_load": "{how}"', why)]
    except Refused as refused:
        yield Member(Site(site.rule, site.module, node), refused, f"`{node.name}`")
    else:
        base = bases[0].rpartition(".")[2]
        message = f"loads `{shown}` with every object that is loaded as `{base}`"
        yield Member(
            Site(site.rule, site.module, node),
            Rewrite(message, edits, [f"a statement that selects `{base}` loads more than before"]),
            f"`{node.name}`",
        )


def _says(project: Project, qualified: str) -> bool:
    """Whether a class says itself how much is loaded with its base."""
    own = own_arguments(project, qualified)
    keys = own.keys if isinstance(own, ast.Dict) else []
    return any(isinstance(key, ast.Constant) and key.value in _SAYS for key in keys)


def _is_loaded(project: Project, base: str) -> bool:
    """Whether something may load objects of a class: a relationship, or a call that is given it."""
    if project.orm.relationships_to(base):
        return True
    return any(
        isinstance(above := module.parent(node), ast.Call) and node in above.args
        for module, node in uses_of(project, {base})
    )
