"""The rule: each `class Config` of settings, and each import from pydantic 1."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from awaken.codemods.fastapi.settings_config import reasons
from awaken.codemods.fastapi.settings_config.payload import ConfigRewrite
from awaken.contract import Constraints, Edit, Phase, Place, Plan
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
from awaken.project.graph.callers.composed_names import Lookup
from awaken.project.names.usages import is_annotation
from awaken.project.source.expressions.attribute_texts import named_owner
from awaken.project.source.memo import cached_property
from awaken.project.source.replacing import texts_of
from awaken.project.source.trees import last_name, values_given
from awaken.project.values.domain import ClassOf, InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

CONFIG = "Config"
NEW_HOME = "pydantic_settings"
_EXTRA = "pydantic.Extra."
FUNCTION = "SettingsConfigDict"
_OLD = b"BaseSettings"
_LISTING = (
    *(b"__dict__", b"__mro__", b"attrgetter", b"dir(", b"getattr(", b"getmembers", b"hasattr("),
    b"vars(",
)
_LISTS = {"dir", "getmembers", "getmembers_static", "vars"}
_ASKS = {"getattr", "hasattr"}
_FAILS = "the import fails under pydantic 2 today"
_DIFFERS = (
    "`pydantic-settings` must be installed; it rejects unknown keys of an `env_file` and "
    "ignores `Field(env=...)`"
)
_MAY_READ = "`{}` may name Config, and the class has none then"
_NAME = "BaseSettings"


class Config(Struct, frozen=True):
    """The ``class Config`` of a settings class, called ``owner``.

    ``legacy`` says that the class inherits from BaseSettings of pydantic 1, ``parents`` are the
    classes whose Configs it inherits from.
    """

    module: Module
    owner: str
    settings: ast.ClassDef
    node: ast.ClassDef
    legacy: bool
    parents: tuple[str, ...] = ()


class _Read(Struct, frozen=True):
    """One read of a Config: of whom, None if that is not known, and whether it is ``certain``."""

    place: Place
    owner: str | None
    text: str
    certain: bool = True


def configs(project: Project, module: Module) -> Iterator[Config]:
    """Yield the settings classes of one file that have a ``class Config``."""
    for node in module.nodes(ast.ClassDef):
        inner = [one for one in node.body if isinstance(one, ast.ClassDef) and one.name == CONFIG]
        # A class with two Configs, in two branches perhaps, has no single one to move.
        if len(inner) != 1:
            continue
        name = module.full_name(node)
        legacy = is_legacy(project, name)
        if legacy is not None:
            yield Config(module, name, node, inner[0], legacy, _parents(project, module, inner[0]))


def is_legacy(project: Project, name: str) -> bool | None:
    """Whether a class makes settings of pydantic 1, or of today; None if it makes none."""
    # A class may inherit from both; what it gets from pydantic 1 decides.
    known, result = settings_classes(), set[str]()
    for facts in project.class_line(name):
        result.update(base for base in facts.bases if base is not None)
    if result.intersection(known.legacy_bases):
        return True
    # A plain model has a Config as well, but its call is `ConfigDict`.
    return False if result.intersection(known.bases) else None


def _parents(project: Project, module: Module, config: ast.ClassDef) -> tuple[str, ...]:
    """Return the classes of the project whose Configs this one inherits from."""
    names = (project.qualified_name(module, base) or "" for base in config.bases)
    owners = (name.removesuffix(f".{CONFIG}") for name in names if name.endswith(f".{CONFIG}"))
    return tuple(owner for owner in owners if project.class_facts(owner) is not None)


def read(project: Project, config: Config) -> tuple[ConfigRewrite, list[str]]:
    """Return how the Config is written, and what may change. Raises Refused."""
    caveats = _check_class(project, config)
    statements = list(config.node.body)
    docstring = ast.get_docstring(config.node, clean=False)
    if docstring is not None:
        statements = statements[1:]
    known, keys, literals = settings_classes(), list[str](), dict[str, str]()
    for statement in statements:
        # An empty Config has nothing to pass on.
        if isinstance(statement, ast.Pass):
            continue
        key, value = _setting(config, statement)
        _check_value(config, value)
        if key in known.removed:
            raise Refused(reasons.REMOVED_KEY, key, known.removed[key])
        if key in known.renamed:
            new = known.renamed[key]
            # pydantic 2 only warns of the old key, and does not read it.
            caveats.append(f"`{key}` has no effect today, but `{new}` has one")
            key = new
        elif key not in known.keys:
            raise Refused(reasons.UNKNOWN_KEY, key)
        name = project.qualified_name(config.module, value) or ""
        # `Extra` is deprecated in pydantic 2, which takes the plain text.
        if name.startswith(_EXTRA):
            literals[key] = name.removeprefix(_EXTRA)
        keys.append(key)
    # A class takes the last of two values, a call takes no keyword twice.
    if len(set(keys)) != len(keys):
        raise Refused(reasons.COMPUTED_CONFIG, next(key for key in keys if keys.count(key) > 1))
    lines = () if docstring is None else tuple(inspect.cleandoc(docstring).splitlines())
    function = f"{_prefix(project, config)}{FUNCTION}"
    return ConfigRewrite(function, tuple(keys), literals, lines), caveats


def _prefix(project: Project, config: Config) -> str:
    """Return the prefix of the function if the class names its base by a module."""
    known = settings_classes()
    for base in config.settings.bases:
        if not isinstance(base, ast.Attribute):
            continue
        name = project.qualified_name(config.module, base)
        if name in known.legacy_bases:
            return f"{NEW_HOME}."
        if name in known.bases:
            return f"{config.module.text_of(base.value)}."
    return ""


def _check_class(project: Project, config: Config) -> list[str]:
    """Return what may change with the bases of the Config. Raises Refused."""
    node, caveats = config.node, list[str]()
    # A decorator or a metaclass may change what the Config holds.
    if node.decorator_list or node.keywords:
        raise Refused(reasons.COMPUTED_CONFIG, "class Config")
    scope = config.module.scopes.scope_made_by(config.settings)
    # pydantic refuses a class with both.
    if "model_config" in scope.bindings:
        raise Refused(reasons.TWO_CONFIGS)
    known = settings_classes()
    for base in node.bases:
        name = project.qualified_name(config.module, base) or ""
        root = name.removesuffix(f".{CONFIG}")
        if root in known.bases:
            # The classes of pydantic-settings have no attribute `Config`.
            caveats.append(f"`{config.module.excerpt(base)}` fails under pydantic 2 today")
        elif name in known.empty_bases or root in known.legacy_bases:
            continue
        # `model_config` is inherited along the class itself, not along its Config.
        elif len(node.bases) > 1 or not _is_nearest(project, config, root):
            raise Refused(reasons.CONFIG_INHERITS, config.module.excerpt(base))
    return caveats


def _is_nearest(project: Project, config: Config, parent: str) -> bool:
    """Whether ``parent`` is what the class inherits its settings from, by single inheritance."""
    for facts in project.class_line(config.owner):
        if facts.qualified == parent:
            return True
        inside = [base for base in facts.bases if base and project.class_facts(base)]
        # Which of several bases wins is not followed.
        if len(facts.bases) != 1 or len(inside) != 1:
            return False
        # A class between the two adds settings that the Config did not inherit.
        if facts.qualified != config.owner and {CONFIG, "model_config"} & facts.members:
            return False
    return False


def _setting(config: Config, statement: ast.stmt) -> tuple[str, ast.expr]:
    """Return the key and the value of a statement. Raises Refused."""
    match statement:
        case ast.Assign() | ast.AnnAssign() if pairs := [*values_given([statement])]:
            key, value = pairs[0]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            removed = settings_classes().removed
            raise Refused(reasons.CONFIG_METHOD, name, removed.get(name, ""))
        case _:
            raise Refused(reasons.COMPUTED_CONFIG, config.module.excerpt(statement))
    # Names like `__slots__` mean something to Python, and are no settings.
    if key.startswith("__"):
        raise Refused(reasons.COMPUTED_CONFIG, key)
    return key, value


def _check_value(config: Config, value: ast.expr) -> None:
    """Raise Refused where a name of ``value`` means something else in the class around."""
    scopes = config.module.scopes
    own, outer = scopes.scope_made_by(config.node), scopes.scope_made_by(config.settings)
    for node in config.module.walk(value):
        if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.NamedExpr):
            raise Refused(reasons.COMPUTED_CONFIG, config.module.excerpt(value))
        # A call has no scope in which one setting could read another.
        if isinstance(node, ast.Name) and node.id in own.bindings:
            raise Refused(reasons.COMPUTED_CONFIG, config.module.excerpt(value))
        # A class body does not see the names of the class around; the call would.
        if isinstance(node, ast.Name) and node.id in outer.bindings:
            raise Refused(reasons.CLASS_SCOPE, node.id)


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
    writers = (f"{__package__}.rewrite",)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per Config and per import, and their changes."""
        return _Planning(project, self, constraints).plan()


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
        reads = self._check_reads(config)
        caveats += [_MAY_READ.format(read.text) for read in reads[:1]]
        return Rewrite(
            "`class Config` becomes `model_config = SettingsConfigDict(...)`",
            list(_edits(site, data)),
            [_FAILS, *caveats] if config.legacy else caveats,
            tuple(read.place for read in reads),
        )

    # ------------------------------------------------------------------------------ who reads it
    @cached_property
    def _reads(self) -> list[_Read]:
        """Where an attribute ``Config`` is read, or may be."""
        reads: list[_Read] = []
        for module in modules_with(self._project, _LISTING):
            reads += _listed_items(self._project, module)
        for module, node in nodes_with(self._project, [CONFIG.encode()], ast.AST):
            if isinstance(node, ast.Constant) and node.value == CONFIG:
                read = named_owner(module, node, self._project.qualified_name)
                if read is not None:
                    owner = (
                        None if read[1] is None else self._project.qualified_name(module, read[1])
                    )
                    reads.append(_Read(module.place(read[0]), owner, module.excerpt(read[0])))
            if not isinstance(node, ast.Attribute) or node.attr != CONFIG:
                continue
            name = self._project.qualified_name(module, node)
            owner = name.removesuffix(f".{CONFIG}") if name is not None else None
            if _is_no_read(module, node) or (owner and self._is_base(module, node)):
                continue
            reads.append(_Read(module.place(node), owner, module.excerpt(node)))
        return reads

    def _is_base(self, module: Module, node: ast.Attribute) -> bool:
        """Whether ``node`` is what another Config inherits from, which is decided with it."""
        above = module.parent(node)
        place = module.place(above) if isinstance(above, ast.ClassDef) else None
        return any(config.module.place(config.node) == place for config in self._configs)

    def _check_reads(self, config: Config) -> list[_Read]:
        """Return what may read the Config, by a computed name. Raises Refused if code reads it."""
        scopes = config.module.scopes
        for node in scopes.reads_in(scopes.scope_made_by(config.settings), CONFIG):
            raise Refused(reasons.CONFIG_READ, CONFIG, because=(config.module.place(node),))
        inheriting = {config.owner, *self._project.all_subclasses(config.owner)}
        # A reader that is not known may read any Config.
        reads = [x for x in self._reads if x.owner is None or x.owner in inheriting]
        for read in reads:
            if read.certain:
                raise Refused(reasons.CONFIG_READ, read.text, because=(read.place,))
        return reads


def _listed_items(project: Project, module: Module) -> Iterator[_Read]:
    """Yield what lists the attributes of a class, or asks it for a name that is computed."""
    compares = any(isinstance(module.parent(x), ast.Compare) for x in module.mentions(CONFIG))
    for node, owner, certain in _listings(module):
        if isinstance(owner, ast.Name) and owner.id == "self":
            continue
        values = project.values.of(module, owner).alternatives
        place, text = module.place(node), module.excerpt(node)
        known = [value for value in values if isinstance(value, ClassOf | InstanceOf)]
        for value in known:
            if isinstance(value, ClassOf):
                yield _Read(place, value.qualified, text)
            # The dictionary of an instance has its fields, and its class has the Config.
            elif isinstance(node, ast.Call) and last_name(node.func) != "vars":
                yield _Read(place, value.qualified, text, certain=certain)
        # Most objects that are asked for a computed name are no classes.
        if compares and not known and not _asks(node):
            yield _Read(place, None, text)


def _listings(module: Module) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """Yield the same with the object, and whether it is certain that Config is among the names."""
    for node in module.walk():
        match node:
            case ast.Call(args=[owner, name, *_]) if _asks(node):
                pattern = Lookup(node, owner, name).pattern(module)
                if not isinstance(name, ast.Constant) and re.fullmatch(pattern, CONFIG):
                    yield node, owner, texts_of(module, name) is not None
            case ast.Call(func=ast.Call(func=get, args=[*names]), args=[owner]) if (
                last_name(get) == "attrgetter"
            ):
                patterns = (Lookup(node, owner, name).pattern(module) for name in names)
                # It reads attributes of attributes, too: the first name counts.
                if any(re.fullmatch(x.partition(r"\.")[0], CONFIG) for x in patterns):
                    yield node, owner, False
            case ast.Call(args=[owner, *rest]) if last_name(node.func) in _LISTS:
                if not rest or last_name(node.func) == "getmembers":
                    yield node, owner, False
            case ast.Attribute(value=owner, attr="__dict__" | "__mro__"):
                yield node, owner, False


def _asks(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ASKS


def _edits(site: Site[ast.ClassDef], data: ConfigRewrite) -> Iterator[Edit]:
    yield site.rewrite(site.node, "rewrite-config", data)
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
