"""Declarations of relationships: in classes, in imperative mappings, from the other side."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.mapping import (
    MappingReader,
    RelationshipFacts,
    annotated_lazy,
    annotated_target,
    annotated_uselist,
    is_mapped,
)
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.module_tables import dotted_name
from awaken.project.source.memo import cached_by, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of, last_name, variable_of
from awaken.project.source.words import called_words
from awaken.project.source.worklist import groups_of

WORDS = (b"relationship", b"Relationship", b"dynamic_loader", *called_words("relation"))
_IMPERATIVE = {"sqlalchemy.orm.registry.map_imperatively", "sqlalchemy.orm.mapper"}
_MAPPERS = {name.rpartition(".")[2] for name in _IMPERATIVE}
_NAMES = {"relationship", "relation", "Relationship", "dynamic_loader"}
# SQLAlchemy reads True, False and None as these.
JOINED = frozenset({"joined"})
_LAZY = {True: "select", False: "joined", None: "noload"}
_JOIN_KEYWORDS = {"primaryjoin", "foreign_keys", "remote_side", "secondaryjoin"}


class Site(Struct, frozen=True):
    """One declared side of a relationship; ``owner`` and ``attribute`` are None if not visible.

    ``reverse`` tells a side that a ``backref`` makes on the other class.
    """

    owner: str | None
    attribute: str | None
    facts: RelationshipFacts
    reverse: bool = False


class Relationships:
    """Finds the relationships of files; keeps them per file that was asked for."""

    def __init__(
        self, evaluator: ProgramEvaluator, reader: MappingReader, is_plain: Callable[[str], bool]
    ) -> None:
        self._evaluator = evaluator
        self._is_plain = is_plain
        self._classes = evaluator.classes
        self._reader = reader

    @cached_method
    def in_file(self, path: str) -> tuple[Site, ...]:
        """Return all sides declared in the file at ``path``, those of backrefs included."""
        # Many files contain the words, also in comments.
        module = self._evaluator.load(path) if path in self._calling else None
        return () if module is None else tuple(self._read(module))

    @cached_property
    def _names(self) -> frozenset[str]:
        """The names by which files may know what declares a relationship."""
        return frozenset(self._classes.spellings_of(_NAMES))

    @cached_property
    def _calling(self) -> frozenset[str]:
        """The files that may call what declares a relationship."""
        return self._evaluator.callers.words.calling(self._names)

    def backrefs_to(self, qualified: str) -> list[Site]:
        """Return the sides that backrefs in any file make on the class ``qualified``."""
        simple = qualified.rpartition(".")[2].encode()
        backrefs, named = map(self._evaluator.files_with, ([b"backref"], [simple]))
        paths = {*backrefs} & {*named}
        return [
            site
            for path in sorted(paths)
            for site in self.in_file(path)
            if site.reverse and site.owner == qualified
        ]

    def leading_to(self, qualified: str) -> list[Site]:
        """Return every side of the project that leads to the class ``qualified``."""
        return self._by_target().get(qualified, [])

    @cached_by(tuple, {})
    def _by_target(self) -> Mapping[str | None, list[Site]]:
        sites = chain.from_iterable(map(self.in_file, sorted(self._calling)))
        return groups_of(sites, attrgetter("facts.target"))

    @cached_method
    def loaded_by(self, strategies: frozenset[str]) -> list[Site]:
        """Return every side of the project that has, or may have, one of these values of `lazy`."""
        # Without `lazy`, or keywords that may hold it, a side has the default value.
        hits = self._calling & set(self._evaluator.files_with([b"lazy", b"**"]))
        return [
            site
            for path in sorted(hits)
            for site in self.in_file(path)
            if site.facts.lazy is None or site.facts.lazy in strategies
        ]

    def _read(self, module: Module) -> list[Site]:
        sites: list[Site] = []
        for node in module.nodes(ast.Call):
            if self._is_relationship(module, node):
                sites += self._sides(module, node)
        return sites

    def _is_relationship(self, module: Module, node: ast.Call) -> bool:
        is_named = last_name(node.func) in self._names
        return is_named and self._reader.kind_of(module, node) == "relationship"

    def _sides(self, module: Module, node: ast.Call) -> list[Site]:
        owner, attribute, annotation = self._owner(module, node)
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        keywords |= _sqlmodel_keywords(keywords)
        called = self._reader.called_names(module, node.func)
        if annotation is not None and "sqlmodel.Relationship" not in called:
            # SQLAlchemy itself reads only Mapped[...]; others say nothing about the list.
            annotation = annotation if is_mapped(annotation) else None
        target = self._target(module, node, keywords, annotation)
        secondary = "secondary" in keywords or len(node.args) > 1
        facts = RelationshipFacts(
            target=target,
            uselist=_uselist(keywords, annotation, secondary=secondary),
            lazy=_lazy_of(called, keywords, annotation),
            secondary=secondary,
            path=module.path,
            span=module.span(node),
            plain_join=not _JOIN_KEYWORDS & set(keywords),
            foreign_keys=_named_columns(module, keywords, "foreign_keys"),
            remote_side=_named_columns(module, keywords, "remote_side"),
            backref=_backref_name(keywords.get("backref")),
            join_depth=_join_depth(keywords),
        )
        sides = [Site(owner, attribute, facts)]
        if "backref" in keywords:
            sides.append(self._reverse(module, node, sides[0], keywords["backref"]))
        return sides

    def _reverse(self, module: Module, node: ast.Call, side: Site, backref: ast.expr) -> Site:
        """Return the side that ``backref="x"`` or ``backref("x", lazy=...)`` makes."""
        keywords: dict[str | None, ast.expr] = {}
        if isinstance(backref, ast.Call):
            keywords = {keyword.arg: keyword.value for keyword in backref.keywords}
        plain = isinstance(backref, ast.Call | ast.Constant)
        uselist = _constant(keywords.get("uselist"))
        if not isinstance(uselist, bool):
            # Through a secondary table both sides are collections; else one side has many.
            uselist = True if side.facts.secondary else (False if side.facts.uselist else None)
        facts = RelationshipFacts(
            target=side.owner,
            uselist=uselist,
            lazy=_lazy(keywords) if plain else None,
            secondary=side.facts.secondary,
            path=module.path,
            span=module.span(node),
            plain_join=side.facts.plain_join,
            join_depth=_join_depth(keywords),
        )
        return Site(side.facts.target, _backref_name(backref), facts, reverse=True)

    def _owner(
        self, module: Module, node: ast.Call
    ) -> tuple[str | None, str | None, ast.expr | None]:
        """Return class and attribute that ``node`` is assigned to, and the annotation there."""
        statement = module.statement_of(node)
        scope = module.scopes.scope_of(node)
        mapped = self._imperative(module, node)
        if mapped is not None:
            return (*mapped, None)
        if isinstance(scope.node, ast.ClassDef):
            owner = module.full_name(scope.node)
            for name, bindings in scope.bindings.items():
                for binding in bindings:
                    if binding.value is node:
                        return owner, name, binding.annotation
            return owner, None, None
        if isinstance(scope.node, ast.FunctionDef):
            return (*self._declared_attribute(module, scope.node), None)
        if isinstance(statement, ast.Assign) and statement.value is node:
            target = statement.targets[0]
            if isinstance(target, ast.Attribute):
                return self._evaluator.names.qualified_name(module, target.value), target.attr, None
        return None, None, None

    def _declared_attribute(
        self, module: Module, function: ast.FunctionDef
    ) -> tuple[str | None, str | None]:
        owner = module.scopes.scope_of(function).node
        returns_call = any(isinstance(node, ast.Call) for node in module.returned_by(function))
        if isinstance(owner, ast.ClassDef) and function.decorator_list and returns_call:
            return module.full_name(owner), function.name
        return None, None

    def _imperative(self, module: Module, node: ast.Call) -> tuple[str | None, str | None] | None:
        """Return class and attribute of ``map_imperatively(Class, table, properties={"x": node})``.

        None if ``node`` is in no such call, also by a variable of its own.
        """
        properties: ast.expr
        match module.parent(node):
            case ast.Dict(keys=keys, values=values) as pairs:
                properties, name = pairs, _constant(keys[values.index(node)])
            case ast.keyword(arg=name) as word if isinstance(made := module.parent(word), ast.Call):
                properties = made
            case _:
                return None
        variable = variable_of(module.parent(properties))
        uses = [properties, *(module.scopes.reads_of(variable) if variable is not None else ())]
        calls = [
            call
            for use in uses
            if (call := module.call_taking(use)) is not None
            and keyword_of(call, "properties") is use
        ]
        owners = {self.class_of_mapper(module, call) for call in calls}
        owner = owners.pop() if len(owners) == 1 else None
        return None if owner is None else (owner, name if isinstance(name, str) else None)

    def class_of_mapper(self, module: Module, node: ast.expr | None) -> str | None:
        """Return the class of ``map_imperatively(Class, table)``; None for other expressions."""
        match node:
            case ast.Call(func=function, args=[mapped, *_]) if last_name(function) in _MAPPERS:
                called = self._reader.called_names(module, function)
                is_mapper = bool(called) and called <= _IMPERATIVE
                return self._evaluator.names.qualified_name(module, mapped) if is_mapper else None
        return None

    def _target(
        self,
        module: Module,
        node: ast.Call,
        keywords: dict[str | None, ast.expr],
        annotation: ast.expr | None,
    ) -> str | None:
        named = node.args[0] if node.args else keywords.get("argument")
        target: ast.expr | str | None = named
        if target is None:
            target = annotated_target(annotation)
        # ``relationship(lambda: User)``, for classes that are defined further down.
        if isinstance(target, ast.Lambda):
            target = target.body
        if isinstance(target, ast.Constant):
            target = target.value if isinstance(target.value, str) else None
        if isinstance(target, str):
            return self._by_name(module, target)
        if target is None:
            return None
        if module.parent(target) is None:
            return self._by_name(module, ast.unparse(target))
        bindings = module.scopes.bindings_of(target)
        mapped = [self.class_of_mapper(module, binding.value) for binding in bindings]
        if len(mapped) == 1 and mapped[0] is not None:
            return mapped[0]
        return self._evaluator.names.qualified_name(module, target)

    def _by_name(self, module: Module, text: str) -> str | None:
        """Return the class that SQLAlchemy's registry finds under ``text``, if only one may be."""
        simple = text.rpartition(".")[2].strip()
        if not simple.isidentifier():
            return None
        here = [path for path in self._classes.written_in(module.path) if _ends(path, simple)]
        if len(here) == 1 and "." not in text:
            return here[0]
        names = [name for name in self._classes.classes_called(simple) if _ends(name, text)]
        if len(names) > 1:
            # A schema or a dataclass of the same name is in no registry.
            names = [name for name in names if not self._is_plain(name)]
        if len(names) == 1:
            return names[0]
        imported = self._evaluator.names.attribute(module.path, simple)
        return imported if imported in names else None


def _ends(qualified: str, text: str) -> bool:
    return qualified == text or qualified.endswith(f".{text}")


def _lazy_of(
    called: set[str], keywords: dict[str | None, ast.expr], annotation: ast.expr | None
) -> str | None:
    if "sqlalchemy.orm.dynamic_loader" in called:
        return "dynamic"
    said = None if "lazy" in keywords else annotated_lazy(annotation)
    return said or _lazy(keywords)


def _lazy(keywords: dict[str | None, ast.expr]) -> str | None:
    if "lazy" not in keywords:
        # ``**options`` may hold it.
        return None if None in keywords else "select"
    node = keywords["lazy"]
    if not isinstance(node, ast.Constant):
        return None
    if isinstance(node.value, bool) or node.value is None:
        return _LAZY[node.value]
    return str(node.value)


def _join_depth(keywords: dict[str | None, ast.expr]) -> int:
    value = _constant(keywords.get("join_depth"))
    return value if isinstance(value, int) else 0


def _uselist(
    keywords: dict[str | None, ast.expr], annotation: ast.expr | None, *, secondary: bool
) -> bool | None:
    if "uselist" in keywords:
        value = _constant(keywords["uselist"])
        return value if isinstance(value, bool) else None
    if None in keywords:
        return None
    # A class for the collection, or a query in its place, only makes sense for many.
    collections = library_names().lazy_collections
    if "collection_class" in keywords or _constant(keywords.get("lazy")) in collections:
        return True
    declared = annotated_uselist(annotation)
    return True if declared is None and secondary else declared


def _sqlmodel_keywords(keywords: dict[str | None, ast.expr]) -> dict[str | None, ast.expr]:
    """Return what SQLModel passes on to ``relationship``."""
    given = keywords.get("sa_relationship_kwargs")
    if given is None:
        return {}
    if not isinstance(given, ast.Dict):
        return {None: given}
    nodes: dict[str | None, ast.expr] = {}
    for key, value in zip(given.keys, given.values, strict=True):
        name = _constant(key)
        nodes[name if isinstance(name, str) else None] = value
    return nodes


def _named_columns(
    module: Module, keywords: dict[str | None, ast.expr], keyword: str
) -> tuple[str, ...]:
    """Return the columns that ``keyword`` gives a join; empty if there are more, or others."""
    node = keywords.get(keyword)
    if node is None or {"primaryjoin", "secondaryjoin", "secondary", None} & set(keywords):
        return ()
    if isinstance(node, ast.Constant):
        node = module.parse_string(node)
    if node is None:
        return ()
    if isinstance(node, ast.Lambda):
        node = node.body
    elements = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else [node]
    names = [dotted_name(element) for element in elements]
    return () if None in names else tuple(name for name in names if name is not None)


def _backref_name(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    name = _constant(node)
    return name if isinstance(name, str) else None


def _constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None
