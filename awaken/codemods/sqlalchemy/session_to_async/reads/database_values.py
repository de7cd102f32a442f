"""Columns that the database computes: they are fetched when a row is written.

Else SQLAlchemy expires them then, and loads them when they are read.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import DATABASE_VALUE
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.migrations import is_environment, is_revision

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_WORDS = (b"onupdate", b"Computed")
_SETTING = "eager_defaults"
_ARGUMENTS = "__mapper_args__"


def fetched_when_written(project: Project, rule: str) -> Iterator[Member]:
    """Yield the mapped classes that fetch what the database computes in an update.

    What it computes in an insert is fetched by itself, where it can give rows back.
    """
    for qualified, names in sorted(_computed(project).items()):
        read = [one for one in sorted(names) if _is_read(project, one)]
        facts = project.class_facts(qualified)
        module = None if facts is None else project.module(facts.path)
        node = None if module is None or facts is None else module.class_at(facts.span)
        if not read or module is None or node is None or _is_set(project, qualified):
            continue
        site: Site[ast.AST] = Site(rule, module, node)
        shown = " and ".join(f"`{node.name}.{one}`" for one in read)
        try:
            edits = [_setting(project, site, node, qualified, read[0])]
        except Refused as refused:
            yield Member(site, refused, f"`{node.name}`")
        else:
            message = f"{shown} are fetched when a row changes, for the database computes them"
            if len(read) == 1:
                message = f"{shown} is fetched when a row changes, for the database computes it"
            yield Member(site, Rewrite(message, edits), f"`{node.name}`")


def _computed(project: Project) -> dict[str, set[str]]:
    """Return the mapped classes with the columns that the database computes in an update."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module in modules_with(project, _WORDS):
        if is_revision(module) or is_environment(module):
            continue
        for node in module.walk():
            if not isinstance(node, ast.ClassDef):
                continue
            declaring = f"{module.name}.{module.qualname(node)}"
            for qualified in (declaring, *project.all_subclasses(declaring)):
                mapped = project.orm.mapped_class(qualified)
                columns = {} if mapped is None else mapped.columns
                for name, column in columns.items():
                    if column.is_computed_on_update:
                        found[qualified].add(name)
    return found


def _is_read(project: Project, name: str) -> bool:
    """Whether an attribute of this name may be read of an object, and not only of a class."""
    for path in project.files_with((name.encode(),)):
        module = project.module(path)
        if module is None or is_revision(module) or is_environment(module):
            continue
        for node in module.mentions(name):
            match node:
                case ast.Attribute(value=owner) if _is_of_class(project, module, owner):
                    pass
                case ast.Attribute() | ast.Constant():
                    return True
                case _:
                    pass
        # A field of a response model, or of a dataclass that copies rows.
        for node in module.walk():
            match node:
                case ast.AnnAssign(target=ast.Name(id=field)) if field == name:
                    owner_class = module.enclosing_class(node)
                    if owner_class is not None and not _is_mapping(project, module, owner_class):
                        return True
                case _:
                    pass
    return False


def _is_of_class(project: Project, module: Module, owner: ast.expr) -> bool:
    name = project.qualified_name(module, owner)
    return name is not None and project.class_facts(name) is not None


def _is_mapping(project: Project, module: Module, node: ast.ClassDef) -> bool:
    """Whether a class is mapped, or is inherited by one that is."""
    qualified = f"{module.name}.{module.qualname(node)}"
    family = (qualified, *project.all_subclasses(qualified))
    return any(project.orm.mapped_class(one) is not None for one in family)


def _is_set(project: Project, qualified: str) -> bool:
    """Whether the class says already that it fetches what the database computes."""
    value = _own_arguments(project, qualified)
    if not isinstance(value, ast.Dict):
        return False
    pairs = zip(value.keys, value.values, strict=True)
    return any(
        isinstance(key, ast.Constant)
        and key.value == _SETTING
        and isinstance(said, ast.Constant)
        and said.value is True
        for key, said in pairs
    )


def _own_arguments(project: Project, qualified: str) -> ast.expr | None:
    facts = project.class_facts(qualified)
    module = None if facts is None else project.module(facts.path)
    node = None if module is None or facts is None else module.class_at(facts.span)
    for statement in node.body if node is not None else ():
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == _ARGUMENTS:
                return value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if (
                name == _ARGUMENTS
            ):
                return value
            case _:
                pass
    return None


def _setting(
    project: Project, site: Site[ast.AST], node: ast.ClassDef, qualified: str, column: str
) -> Edit:
    """Return the edit that has a class fetch what the database computes. Raises Refused."""
    own = _own_arguments(project, qualified)
    facts = project.class_facts(qualified)
    if isinstance(own, ast.Dict) and not _has_key(own):
        text = f'"{_SETTING}": True'
        if own.values:
            return site.insert_behind(own.values[-1], f", {text}")
        return site.replace(own, f"{{{text}}}")
    inherited = [
        one
        for one in project.orm.mapping_ancestors(qualified)
        if one != qualified
        # What a mapped class says is for itself alone.
        and project.orm.mapped_class(one) is None
        and _says_arguments(project, one)
    ]
    is_said = facts is None or _ARGUMENTS in facts.members
    if own is not None or is_said or inherited:
        raise Refused(DATABASE_VALUE, f"{node.name}.{column}")
    code = f'{_ARGUMENTS} = {{"{_SETTING}": True}}\n'
    where = _behind(node)
    if where is None:
        return site.insert_statements(site.module.place(node.body[0]), "before", code)
    return site.insert_statements(site.module.place(where), "after", code)


def _has_key(own: ast.Dict) -> bool:
    keys = [one.value if isinstance(one, ast.Constant) else None for one in own.keys]
    return _SETTING in keys or None in keys


def _says_arguments(project: Project, qualified: str) -> bool:
    facts = project.class_facts(qualified)
    return facts is not None and _ARGUMENTS in facts.members


def _behind(node: ast.ClassDef) -> ast.stmt | None:
    """Return the statement of a class behind which its settings stand: the name of its table."""
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__tablename__")]):
                return statement
            case ast.AnnAssign(target=ast.Name(id="__tablename__")):
                return statement
            case _:
                pass
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first if is_text else None
