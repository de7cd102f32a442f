"""The rule itself: what becomes of each `class Config`, and of each import from pydantic 1."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from awaken.codemods.fastapi.settings_config import reasons
from awaken.codemods.fastapi.settings_config.configs import (
    CONFIG,
    FUNCTION,
    NEW_HOME,
    Config,
    configs,
    read,
)
from awaken.codemods.fastapi.settings_config.imports import moved, old_imports
from awaken.codemods.fastapi.settings_config.payload import ConfigRewrite
from awaken.contract import (
    Change,
    Edit,
    Finding,
    NeedImport,
    NodeEdit,
    Phase,
    Pins,
    Place,
    Plan,
    Reason,
    ReleaseImport,
    Rewriter,
)
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused, Site
from awaken.project.names.usages import is_annotation

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_OLD = b"BaseSettings"
_CONFIG = b"Config"
_FAILS = "the import fails under pydantic 2 today"
_DIFFERS = (
    "`pydantic-settings` has to be installed, and unlike pydantic 1 it refuses keys of an "
    "`env_file` that are no fields and ignores `Field(env=...)`"
)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One Config, and how it is written or why it stays."""

    config: Config
    site: Site
    data: ConfigRewrite | Refused
    caveats: tuple[str, ...] = ()


class SettingsConfig(Rule):
    """Rewrites ``class Config`` of settings to ``model_config = SettingsConfigDict(...)``."""

    name: ClassVar[str] = "settings-config"
    family: ClassVar[str] = "fastapi"
    phase: ClassVar[Phase] = Phase.TIDY
    since: ClassVar[str] = "0.1.0"
    triggers: ClassVar[tuple[bytes, ...]] = (b"class Config", _OLD)
    needs: ClassVar[Mapping[str, str]] = {"pydantic": ">=2"}
    reasons: ClassVar[tuple[Reason, ...]] = reasons.ALL

    def plan(self, project: Project, pins: Pins) -> Plan:
        """Return one finding per Config and per import, and their changes."""
        return _Planning(project, self, pins).plan()

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the function that writes the settings as a call."""
        from awaken.codemods.fastapi.settings_config.rewrite import (  # noqa: PLC0415
            rewrite_config,
            rewrite_import,
        )

        return {"config": rewrite_config, "import": rewrite_import}


class _Planning:
    """One plan: Configs that inherit from each other are one change."""

    def __init__(self, project: Project, rule: Rule, pins: Pins) -> None:
        self._project = project
        self._rule = rule
        self._pins = pins
        self._found: list[Finding] = []
        self._changes: list[Change] = []

    def plan(self) -> Plan:
        judged = [self._judge(one) for one in self._found_configs]
        for group in _groups(judged):
            self._decide(group)
        for path in self._project.site_files([_OLD]):
            self._imports(path)
        return Plan(tuple(self._found), tuple(self._changes))

    @cached_property
    def _found_configs(self) -> list[Config]:
        modules = map(self._project.module, self._project.site_files([b"class Config"]))
        return [
            one
            for module in modules
            if module is not None
            for one in configs(self._project, module)
        ]

    def _judge(self, config: Config) -> _Judged:
        site = Site(self._rule.name, config.module, config.node)
        try:
            data, caveats = read(self._project, config)
            self._check_reads(config)
        except Refused as refused:
            return _Judged(config, site, refused)
        if config.legacy:
            caveats.insert(0, _FAILS)
        return _Judged(config, site, data, tuple(caveats))

    # ------------------------------------------------------------------------------ who reads it
    @cached_property
    def _reads(self) -> list[tuple[Place, str | None, str]]:
        """Where an attribute ``Config`` is read: the place, whose it is if known, its text."""
        found: list[tuple[Place, str | None, str]] = []
        for path in self._project.files_with([b".Config"]):
            module = self._project.module(path)
            for node in module.walk() if module is not None else ():
                if module is None or not isinstance(node, ast.Attribute) or node.attr != CONFIG:
                    continue
                name = self._project.qualified_name(module, node)
                owner = name.removesuffix(f".{CONFIG}") if name is not None else None
                if _is_no_read(module, node) or (owner and self._is_base(module, node)):
                    continue
                found.append((Place(path, module.span(node)), owner, module.excerpt(node)))
        return found

    def _is_base(self, module: Module, node: ast.Attribute) -> bool:
        """Whether ``node`` is what another Config inherits from, which is judged with it."""
        above = module.parent(node)
        place = Place(module.path, module.span(above)) if isinstance(above, ast.ClassDef) else None
        return any(
            Place(one.module.path, one.module.span(one.node)) == place
            for one in self._found_configs
        )

    def _check_reads(self, config: Config) -> None:
        """Raise Refused if the Config may be read anywhere."""
        heirs = {config.owner, *self._project.all_subclasses(config.owner)}
        for place, owner, text in self._reads:
            if owner is None or owner in heirs:
                raise Refused(reasons.CONFIG_READ, text, because=(place,))

    # --------------------------------------------------------------------------------- the change
    def _decide(self, group: list[_Judged]) -> None:
        refused = next((one for one in group if isinstance(one.data, Refused)), None)
        if refused is not None:
            self._leave(group, refused)
            return
        held = next((one for one in group if one.site.id in self._pins.left_out), None)
        if held is not None and len(group) > 1:
            self._leave([one for one in group if one is not held], held)
            group = [held]
        first, *others = sorted(group, key=lambda one: one.site.place)
        caveats = tuple(dict.fromkeys(text for one in group for text in one.caveats))
        chain = tuple(one.site.place for one in others)
        edits = [edit for one in group for edit in self._edits(one)]
        message = "`class Config` becomes `model_config = SettingsConfigDict(...)`"
        finding, change = first.site.rewritten(message, edits, caveats, chain)
        self._found.append(finding)
        for one in others:
            same, _ = one.site.rewritten(message, (), caveats, (first.site.place,))
            self._found.append(replace(same, change=change.id))
        self._changes.append(replace(change, sites=tuple(one.site.id for one in group)))

    def _leave(self, group: list[_Judged], because: _Judged) -> None:
        """Leave a group alone, the sites with nothing against them for the sake of another."""
        name = because.config.owner.rpartition(".")[2]
        for one in group:
            beside = Refused(reasons.BESIDE_ANOTHER, f"`{name}`", because=(because.site.place,))
            self._found.append(
                one.site.refused(one.data if isinstance(one.data, Refused) else beside)
            )

    def _edits(self, judged: _Judged) -> Iterator[Edit]:
        config, site = judged.config, judged.site
        module, path = config.module, config.module.path
        yield NodeEdit(
            path=path,
            anchor=module.span(config.node),
            node="ClassDef",
            rewriter="config",
            data=judged.data,
            site=site.id,
        )
        written = judged.data.function if isinstance(judged.data, ConfigRewrite) else FUNCTION
        if written == FUNCTION:
            yield NeedImport(path=path, module=NEW_HOME, name=FUNCTION, site=site.id)
        elif written.startswith(f"{NEW_HOME}."):
            yield NeedImport(path=path, module=NEW_HOME, site=site.id)
        for name in ("Extra", "BaseConfig", None):
            yield ReleaseImport(path=path, module="pydantic", name=name, site=site.id)

    def _imports(self, path: str) -> None:
        module = self._project.module(path)
        if module is None:
            return
        for old in old_imports(self._project, module):
            site = Site(self._rule.name, module, old.node)
            try:
                edits = moved(self._project, old, site)
            except Refused as refused:
                self._found.append(site.refused(refused))
                continue
            message = f"`BaseSettings` is imported from `{NEW_HOME}`"
            chain = tuple(Place(path, module.span(one)) for one in old.dotted[1:])
            finding, change = site.rewritten(message, edits, (_FAILS, _DIFFERS), chain)
            self._found.append(finding)
            self._changes.append(change)


def _is_no_read(module: Module, node: ast.Attribute) -> bool:
    """Whether an attribute ``Config`` is called, or a type: that of settings is neither."""
    above = module.parent(node)
    called = isinstance(above, ast.Call) and above.func is node
    return called or is_annotation(module, node)


def _groups(judged: list[_Judged]) -> list[list[_Judged]]:
    """Return the Configs that inherit from each other together, each in one group."""
    groups = {one.config.owner: [one] for one in judged}
    for one in judged:
        for parent in one.config.parents:
            joined, own = groups.get(parent), groups[one.config.owner]
            if joined is None or joined is own:
                continue
            joined += own
            groups |= {member.config.owner: joined for member in own}
    return list({id(group): group for group in groups.values()}.values())
