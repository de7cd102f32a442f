"""The rule: every asynchronous session and factory gets `expire_on_commit=False`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from awaken.codemods.sqlalchemy.expire_on_commit import reasons
from awaken.codemods.sqlalchemy.expire_on_commit.later_loads import reloads
from awaken.codemods.sqlalchemy.expire_on_commit.makers import (
    OPTION,
    WORDS,
    Maker,
    configured_node,
    keeps_by_init,
    kept_names,
    makers_in,
    name_of,
    options_in,
    own_init,
)
from awaken.codemods.sqlalchemy.expire_on_commit.staleness import (
    Staleness,
    expired_all_the_same,
    only_variable,
    staleness,
)
from awaken.contract import Constraints, Phase, Place, Plan, Status
from awaken.kit.changes import Decided, decide, plan_of, refused_together
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
from awaken.project.source.memo import cached_by
from awaken.project.source.trees import is_constant

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether synchronous sessions get the argument as well: there it changes what is read."""

    sync: Annotated[
        bool, Meta(description="Also set the argument on synchronous sessions and their factories.")
    ] = False


class ExpireOnCommit(Rule):
    """Adds ``expire_on_commit=False`` to sessions and their factories."""

    name = "expire-on-commit"
    family = "sqlalchemy"
    phase = Phase.SESSIONS
    since = "0.1.0"
    triggers = (*WORDS, OPTION.encode())
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.OPT_IN
    options = Options
    reasons = reasons.ALL

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per session or factory that expires its objects, and its change."""
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        modules = [module.path for module in site_modules(project, self.triggers)]
        return plan_of(_Planner(self.name, project, options).all(modules))


class _Planner:
    """Decides the sites of one program; common facts of all shared sessions are computed once."""

    def __init__(self, rule: str, project: Project, options: Options) -> None:
        self._rule = rule
        self._project = project
        self._options = options
        self._loads: dict[Later, None] = {}
        self._variables: set[Place] = set()
        self._kept = kept_names(project)

    def all(self, paths: list[str]) -> Iterator[Decided]:
        makers = (makers_in(self._project, item) for item in self._project.modules_at(paths))
        held = (only_variable(maker) for each in makers for maker in each)
        self._variables |= {place for place in held if place is not None}
        for module in self._project.modules_at(paths):
            yield from self._in_file(module)
        yield from reloads(self._rule, self._project, self._loads)

    def _in_file(self, module: Module) -> Iterator[Decided]:
        for maker in makers_in(self._project, module):
            if (maker.is_async or self._options.sync) and not self._is_decided(maker):
                site = Site(self._rule, module, maker.call)
                yield decide(site, self._rewrite, maker)
        if OPTION.encode() in module.source.text:
            yield from self._others(module)

    def _others(self, module: Module) -> Iterator[Decided]:
        """Yield the caveats of ``configure`` and of attributes that are set."""
        for node in module.walk():
            if is_constant(configured_node(self._project, module, node), value=True):
                refused = Refused(reasons.ON_PURPOSE)
                yield refused_together((Site(self._rule, module, node),), refused)
            match node:
                case ast.Assign(targets=[ast.Attribute(value=owner, attr=name)]) if name == OPTION:
                    proof = self._project.orm.session_of(module, owner)
                    if getattr(proof, "kind", "") == "async":
                        refused = Refused(reasons.NO_EFFECT)
                        yield refused_together((Site(self._rule, module, node),), refused)

    def _is_decided(self, maker: Maker) -> bool:
        """Whether the sessions keep what they loaded: here, in a mapping, or by ``configure``."""
        told_by = maker.configured_by
        # The callee of its argument is a site of its own.
        if told_by and any(keyword.arg in {told_by, None} for keyword in maker.call.keywords):
            return True
        if is_constant(maker.expiry_argument, value=False) or name_of(maker) in self._kept:
            return True
        project, module = self._project, maker.module
        if keeps_by_init(project, maker):
            return True
        given = (options_in(project, module, node) or {} for node in maker.unpacked_mappings)
        return any(is_constant(argument.get(OPTION), value=False) for argument in given)

    def _rewrite(self, site: Site[ast.Call], maker: Maker) -> Rewrite:
        """Return the rewrite by which a session keeps its loaded values. Raises Refused."""
        self._check(maker)
        known = self._staleness(maker)
        if maker.is_async:
            self._loads |= dict.fromkeys(known.loads)
        said = "" if known.caveats else "; the program reads no loaded object after a commit"
        return Rewrite(
            f"`{maker.shown}(...)` gets `{OPTION}=False`{said}{self._expiring(maker)}",
            [site.add_keyword(maker.call, OPTION, "False")],
            known.caveats,
            known.places,
        )

    @cached_by(lambda maker: maker.is_async if only_variable(maker) is None else maker)
    def _staleness(self, maker: Maker) -> Staleness:
        return staleness(self._project, maker, self._variables)

    def _expiring(self, maker: Maker) -> str:
        """Return what a factory's sessions go on to expire, which is not for this option to say."""
        return self._rolled_back if maker.is_factory and maker.is_async else ""

    @cached_property
    def _rolled_back(self) -> str:
        return expired_all_the_same(self._project, is_async=True)

    def _check(self, maker: Maker) -> None:
        """Raise Refused where something else decides whether objects expire."""
        project, module = self._project, maker.module
        if maker.configured_by:
            raise Refused(reasons.EXTENSION, maker.shown)
        given = {} if maker.expiry_argument is None else {OPTION: maker.expiry_argument}
        for node in maker.unpacked_mappings:
            inside = options_in(project, module, node)
            if inside is None:
                raise Refused(reasons.UNSEEN_OPTIONS, module.excerpt(node))
            given |= inside
        said = given.get(OPTION)
        if is_constant(said, value=True):
            raise Refused(reasons.ON_PURPOSE)
        if said is not None:
            raise Refused(reasons.CHOSEN, module.excerpt(said))
        if own_init(project, maker):
            raise Refused(reasons.OWN_CLASS, maker.own_class.rpartition(".")[2])
