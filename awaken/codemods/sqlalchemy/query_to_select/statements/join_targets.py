"""The class that ``filter_by`` means after a join or a select from something."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.kit.names_here import is_dotted
from awaken.project.frameworks.loads.entities import classify
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.loads.query_items import What
from awaken.project.source.trees import keyword_of


class Target(Struct, frozen=True):
    """The meaning of ``filter_by``: as written here (None: impossible), and for messages.

    ``aliased`` is a variable of the same function.
    """

    text: str | None
    described: str
    model: str | None = None
    aliased: bool = False


def is_relationship(reader: Reader, node: ast.expr) -> bool:
    """Whether ``node`` is a relationship of a mapped class."""
    if not isinstance(node, ast.Attribute):
        return False
    owner = entity_of(reader, node.value)
    mapped = reader.project.orm.mapped_class(owner.model) if owner and owner.model else None
    return mapped is not None and mapped.attribute_kind(node.attr) == "relationship"


def join_target(reader: Reader, link: Link) -> Target:
    """Return what ``filter_by`` means after the join ``link``."""
    keyword = keyword_of(link.call, "target")
    target = link.call.args[0] if link.call.args else keyword
    return Target(None, "an unknown target") if target is None else target_of(reader, target)


def target_of(reader: Reader, node: ast.expr) -> Target:
    """Return what ``filter_by`` means after a join of ``node``, or a select from it."""
    described = f"the target of `{ast.unparse(node)}`"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # The subclass, or its alias, is joined in place of what the relationship leads to.
        if node.func.attr == "of_type" and node.args:
            return target_of(reader, node.args[0])
        # `User.posts.and_(...)` adds to the ON clause, and joins the same class.
        if node.func.attr == "and_":
            return target_of(reader, node.func.value)
    entity = entity_of(reader, node)
    if entity is not None:
        text = ast.unparse(node) if is_dotted(node) else None
        return Target(text, described, entity.model, entity.aliased)
    if isinstance(node, ast.Attribute):
        owner = entity_of(reader, node.value)
        model = None if owner is None else owner.model
        relationship = reader.project.orm.models.relationship(model, node.attr)
        if relationship is not None and relationship.target is not None:
            model = relationship.target
            return Target(class_here(reader, node, model), described, model)
    item = classify(reader, node)
    if item.what is What.SELECTABLE and is_dotted(node):
        # A Table or subquery has its columns in `.c`.
        return Target(f"{ast.unparse(node)}.c", described)
    return Target(None, described)


def class_here(reader: Reader, site: ast.expr, qualified: str) -> str | None:
    """Return how ``site``'s file names the class ``qualified``: as it does somewhere already."""
    module = reader.module
    name = qualified.rpartition(".")[2]
    for node in module.walk(module.enclosing_function(site) or module.tree):
        is_named = isinstance(node, ast.Name) and node.id == name
        is_reached = isinstance(node, ast.Attribute) and node.attr == name and is_dotted(node)
        if (is_named or is_reached) and reader.qualified_name(node) == qualified:  # type: ignore[arg-type]
            return ast.unparse(node)
    is_seen = name in module.scopes.module.bindings and not module.scopes.is_shadowed(name, site)
    if is_seen and reader.qualified_name(ast.Name(name, ast.Load())) == qualified:
        return name
    # `models.Post` next to `models.User.posts`: the class next to the named one.
    prefix = site.value if isinstance(site, ast.Attribute) else None
    if isinstance(prefix, ast.Attribute):
        sibling = ast.Attribute(prefix.value, name, ast.Load())
        if reader.qualified_name(sibling) == qualified:
            return ast.unparse(sibling)
    return None
