"""The rule: each `class Config` of settings, and each import from pydantic 1."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from awaken.codemods.fastapi.settings_config import reasons
from awaken.codemods.fastapi.settings_config.configs import (
    CONFIG,
    FUNCTION,
    NEW_HOME,
    Config,
    configs,
    read,
)
from awaken.codemods.fastapi.settings_config.payload import ConfigRewrite
from awaken.contract import Constraints, Edit, Phase, Place, Plan, Rewriter
from awaken.kit.changes import (
    Decided,
    Member,
    connected_groups,
    decide,
    decide_group,
    member,
    plan_of,
)
from awaken.kit.imports import move_import
from awaken.kit.rule import Rule
from awaken.kit.search import modules_with, nodes_with, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.ecosystem import settings_classes
from awaken.project.names.usages import is_annotation
from awaken.project.source.expressions.attribute_texts import named_owner
from awaken.project.source.trees import last_name
from awaken.project.values.domain import ClassOf, InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_OLD = b"BaseSettings"
_LISTING = (b"__dict__", b"__mro__", b"dir(", b"getattr(", b"getmembers", b"hasattr(", b"vars(")
_LISTS = {"dir", "getmembers", "getmembers_static", "vars"}
_ASKS = {"getattr", "hasattr"}
_FAILS = "the import fails under pydantic 2 today"
_DIFFERS = (
    "`pydantic-settings` must be installed; it rejects unknown keys of an `env_file` and "
    "ignores `Field(env=...)`"
)
_NAME = "BaseSettings"


class SettingsConfig(Rule):
    """Rewrites ``class Config`` of settings to ``model_config = SettingsConfigDict(...)``."""

    name = "settings-config"
    family = "fastapi"
    phase = Phase.TIDY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"class Config", _OLD)
    anchors = ((_OLD,),)
    needs: ClassVar[Mapping[str, str]] = {"pydantic": ">=2"}
    reasons = reasons.ALL

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per Config and per import, and their changes."""
        return _Planning(project, self, constraints).plan()

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the function that writes the settings as a call."""
        from awaken.codemods.fastapi.settings_config import rewrite  # noqa: PLC0415

        return {**super().rewriters(), "config": rewrite.rewrite_config}


class _Planning:
    """One plan: Configs that inherit from each other are one change."""

    def __init__(self, project: Project, rule: Rule, constraints: Constraints) -> None:
        self._project = project
        self._rule = rule
        self._constraints = constraints

    def plan(self) -> Plan:
        return plan_of([*self._of_configs(), *self._of_imports()])

    def _of_configs(self) -> Iterator[Decided]:
        members = {config.owner: self._member(config) for config in self._configs}
        links = ((config.owner, parent) for config in self._configs for parent in config.parents)
        for group in connected_groups(members, links):
            parts = [members[owner] for owner in group]
            if not any(self._project.looks_in(part.site.module.path) for part in parts):
                continue
            # A Config whose base has become a call would inherit from nothing.
            yield decide_group(parts, self._constraints, reasons.BESIDE_ANOTHER)

    def _of_imports(self) -> Iterator[Decided]:
        for module in site_modules(self._project, [_OLD]):
            for old in _old_imports(self._project, module):
                site = Site(self._rule.name, old.module, old.node)
                yield decide(site, _rewrite_import, self._project, old)

    @cached_property
    def _configs(self) -> list[Config]:
        return [
            config
            for module in modules_with(self._project, [b"class Config"])
            for config in configs(self._project, module)
        ]

    def _member(self, config: Config) -> Member:
        site = Site(self._rule.name, config.module, config.node)
        shown = f"`{config.owner.rpartition('.')[2]}`"
        return member(site, shown, self._rewrite, config)

    def _rewrite(self, site: Site[ast.ClassDef], config: Config) -> Rewrite:
        """Return how the Config is written as a call. Raises Refused."""
        data, caveats = read(self._project, config)
        self._check_reads(config)
        return Rewrite(
            "`class Config` becomes `model_config = SettingsConfigDict(...)`",
            list(_edits(site, data)),
            [_FAILS, *caveats] if config.legacy else caveats,
        )

    # ------------------------------------------------------------------------------ who reads it
    @cached_property
    def _reads(self) -> list[tuple[Place, str | None, str]]:
        """Where an attribute ``Config`` is read: the place, whose it is if known, its text."""
        reads: list[tuple[Place, str | None, str]] = []
        for module in modules_with(self._project, _LISTING):
            reads += _listed_items(self._project, module)
        for module, node in nodes_with(self._project, [CONFIG.encode()], ast.AST):
            if isinstance(node, ast.Constant) and node.value == CONFIG:
                read = named_owner(module, node, self._project.qualified_name)
                if read is not None:
                    owner = (
                        None if read[1] is None else self._project.qualified_name(module, read[1])
                    )
                    reads.append((module.place(read[0]), owner, module.excerpt(read[0])))
            if not isinstance(node, ast.Attribute) or node.attr != CONFIG:
                continue
            name = self._project.qualified_name(module, node)
            owner = name.removesuffix(f".{CONFIG}") if name is not None else None
            if _is_no_read(module, node) or (owner and self._is_base(module, node)):
                continue
            reads.append((module.place(node), owner, module.excerpt(node)))
        return reads

    def _is_base(self, module: Module, node: ast.Attribute) -> bool:
        """Whether ``node`` is what another Config inherits from, which is decided with it."""
        above = module.parent(node)
        place = module.place(above) if isinstance(above, ast.ClassDef) else None
        return any(config.module.place(config.node) == place for config in self._configs)

    def _check_reads(self, config: Config) -> None:
        """Raise Refused if the Config may be read anywhere."""
        scopes = config.module.scopes
        for node in scopes.reads_in(scopes.scope_made_by(config.settings), CONFIG):
            raise Refused(reasons.CONFIG_READ, CONFIG, because=(config.module.place(node),))
        inheriting = {config.owner, *self._project.all_subclasses(config.owner)}
        for place, owner, text in self._reads:
            # A reader that is not known may read any Config.
            if owner is None or owner in inheriting:
                raise Refused(reasons.CONFIG_READ, text, because=(place,))


def _listed_items(project: Project, module: Module) -> Iterator[tuple[Place, str | None, str]]:
    """Yield what lists the attributes of a class, or asks it for a name that is computed."""
    compares = any(isinstance(module.parent(x), ast.Compare) for x in module.mentions(CONFIG))
    for node in module.walk():
        match node:
            case ast.Call(func=called, args=[owner]) if last_name(called) in _LISTS:
                pass
            case ast.Call(func=called, args=[owner, *_]) if last_name(called) == "getmembers":
                pass
            case ast.Attribute(value=owner, attr="__dict__" | "__mro__"):
                pass
            case ast.Call(func=ast.Name(id=called), args=[owner, name, *_]) if called in _ASKS:
                # Most objects that are asked for a computed name are no classes.
                qualified = project.qualified_name(module, owner)
                if not isinstance(name, ast.Constant) and project.class_facts(qualified or ""):
                    yield module.place(node), qualified, module.excerpt(node)
                continue
            case _:
                continue
        if isinstance(owner, ast.Name) and owner.id == "self":
            continue
        values = project.values.of(module, owner).alternatives
        names: list[str | None] = [x.qualified for x in values if isinstance(x, ClassOf)]
        if compares and not names and not any(isinstance(x, InstanceOf) for x in values):
            names = [None]
        yield from ((module.place(node), name, module.excerpt(node)) for name in names)


def _edits(site: Site[ast.ClassDef], data: ConfigRewrite) -> Iterator[Edit]:
    yield site.rewrite(site.node, "config", data)
    if data.function == FUNCTION:
        yield site.need_import(NEW_HOME, FUNCTION)
    elif data.function.startswith(f"{NEW_HOME}."):
        yield site.need_import(NEW_HOME)
    # An import that only the Config used may now be unused.
    for name in ("Extra", "BaseConfig", None):
        yield site.release_import("pydantic", name)


def _rewrite_import(site: Site[ast.AST], project: Project, old: OldImport) -> Rewrite:
    """Return how BaseSettings is imported from its new home. Raises Refused."""
    module = old.module
    others = tuple(module.place(attribute) for attribute in old.dotted[1:])
    message = f"`BaseSettings` is imported from `{NEW_HOME}`"
    return Rewrite(message, _moved_edits(project, old, site), (_FAILS, _DIFFERS), others)


def _is_no_read(module: Module, node: ast.Attribute) -> bool:
    """Whether an attribute ``Config`` is called, or a type: that of settings is neither."""
    return module.call_of(node) is not None or is_annotation(module, node)


class OldImport(Struct, frozen=True):
    """Where BaseSettings of pydantic 1 comes from: an import, or dotted names in the code."""

    module: Module
    node: ast.ImportFrom | ast.Attribute
    dotted: tuple[ast.Attribute, ...] = ()


def _old_imports(project: Project, module: Module) -> Iterator[OldImport]:
    """Yield what brings BaseSettings of pydantic 1 into one file."""
    legacy = settings_classes().legacy_bases
    dotted: list[ast.Attribute] = []
    for node in module.walk():
        match node:
            case ast.ImportFrom(module=str() as home, level=0):
                if any(f"{home}.{name.name}" in legacy for name in node.names):
                    yield OldImport(module, node)
            case ast.Attribute(attr="BaseSettings") if _is_old(project, module, node):
                dotted.append(node)
    if dotted:
        yield OldImport(module, dotted[0], tuple(dotted))


def _is_old(project: Project, module: Module, node: ast.Attribute) -> bool:
    return project.qualified_name(module, node) in settings_classes().legacy_bases


def _moved_edits(project: Project, old: OldImport, site: Site[ast.AST]) -> list[Edit]:
    """Return the edits that import BaseSettings from its new home. Raises Refused."""
    module, node = old.module, old.node
    if NEW_HOME.encode() in module.source.text:
        raise Refused(reasons.BOTH_VERSIONS)
    if isinstance(node, ast.ImportFrom):
        if module.parent(node) is not module.tree:
            raise Refused(reasons.BOTH_VERSIONS)
        moved = move_import(site, node, {_NAME}, NEW_HOME)
        if moved is None:
            raise Refused(reasons.COMMENT_LOST)
        return [moved]
    return list(_moved_names(project, old, site))


def _moved_names(project: Project, old: OldImport, site: Site[ast.AST]) -> Iterator[Edit]:
    for node in old.dotted:
        yield site.replace(node.value, NEW_HOME)
    yield site.need_import(NEW_HOME)
    home = project.qualified_name(old.module, old.dotted[0].value)
    if home is not None:
        yield site.release_import(home)
