"""The `class Config` of settings classes, and how each is written as a call."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.fastapi.settings_config import reasons
from awaken.codemods.fastapi.settings_config.payload import ConfigRewrite
from awaken.kit.sites import Refused
from awaken.knowledge.ecosystem import settings_classes
from awaken.project.source.trees import values_given

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

CONFIG = "Config"
NEW_HOME = "pydantic_settings"
_EXTRA = "pydantic.Extra."
FUNCTION = "SettingsConfigDict"


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
