"""Small rules that carry the transactions which the real rules need, without their knowledge.

Each renames calls of one plain name. The string ``"broken"`` among the arguments makes the
rewriter produce code that does not compile: a guilty edit. A site that is left out leaves its
group, and the rest is changed; without ``regroups`` the engine has to see to that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst
from msgspec import Struct

from awaken.contract import (
    Change,
    ChangeId,
    CreateFile,
    Edit,
    Finding,
    Level,
    NeedImport,
    NodeEdit,
    Phase,
    Place,
    Plan,
    Reason,
    ReleaseImport,
    Requirement,
    SetKey,
)
from awaken.kit.rule import Rule
from awaken.project.source.lines.site_ids import site_id


class Renamed(Struct, frozen=True):
    """The payload of a renaming edit; ``broken`` asks for code that does not compile."""

    name: str
    broken: bool = False


def rename(node, data, surroundings):
    """Return the call with another function; ``await`` at module level is what does not compile."""
    del surroundings
    call = node.with_changes(func=libcst.Name(data.name))
    return (
        libcst.Await(call, lpar=[libcst.LeftParen()], rpar=[libcst.RightParen()])
        if (data.broken)
        else call
    )


class RenameCalls(Rule):
    """Renames calls of ``old`` to ``new``; ``together`` makes them all one change."""

    family = "tests"
    phase = Phase.QUERIES
    reasons = (Reason("has-keywords", "the call has keywords", "Call it by position."),)
    old: str
    new: str
    together = False
    regroups = True
    imports_from: str | None = None
    releases = False

    def plan(self, project, constraints):
        sites = list(self._sites(project))
        numbered = {site.id: 0 if self.together else n for n, site in enumerate(sites)}
        findings = [self._finding(site, self._change_id(numbered[site.id])) for site in sites]
        groups: dict[int, list[_Site]] = {}
        for site in sites:
            if not site.manual and not (self.regroups and site.id in constraints.excluded):
                groups.setdefault(numbered[site.id], []).append(site)
        changes = [self._change(self._change_id(n), group) for n, group in groups.items()]
        return Plan(tuple(findings), tuple(changes))

    def requires(self, change):
        """Return the changes that ``change`` requires."""
        del change
        return ()

    def extra_edits(self, site):
        """Return what a site needs beside the renaming."""
        del site
        return ()

    def rewriters(self):
        return {"rename": rename}

    def _sites(self, project):
        for path in project.files_with((self.old.encode(),)):
            module = project.module(path)
            for node in ast.walk(module.tree) if module else ():
                if _calls(node, self.old):
                    yield _Site(
                        id=site_id(self.name, module, node),
                        path=path,
                        span=module.span(node),
                        scope=module.scope_name(node),
                        broken=any(
                            isinstance(a, ast.Constant) and a.value == "broken" for a in node.args
                        ),
                        manual=bool(node.keywords),
                    )

    def _finding(self, site, change):
        place = Place(site.path, site.span)
        if site.manual:
            reason = self.reasons[0]
            return Finding(
                site=site.id,
                rule=self.name,
                level=Level.MANUAL,
                place=place,
                scope=site.scope,
                message=reason.message,
                reason=f"{self.name}/{reason.code}",
                help=reason.help,
            )
        return Finding(
            site=site.id,
            rule=self.name,
            level=Level.SAFE,
            place=place,
            scope=site.scope,
            message=f"{self.old} becomes {self.new}",
            change=change,
        )

    def _change_id(self, number):
        return ChangeId(f"{self.name}-{number}")

    def _change(self, change, group):
        return Change(
            id=change,
            rule=self.name,
            title=f"Rename {self.old}",
            level=Level.SAFE,
            sites=tuple(site.id for site in group),
            edits=tuple(edit for site in group for edit in self._edits(site)),
            requires=self.requires(change),
        )

    def _edits(self, site) -> Iterator[Edit]:
        yield NodeEdit(
            path=site.path,
            anchor=site.span,
            node="Call",
            rewriter="rename",
            data=Renamed(self.new, site.broken),
            site=site.id,
        )
        if self.imports_from is not None:
            yield NeedImport(path=site.path, module=self.imports_from, name=self.new, site=site.id)
            if self.releases:
                yield ReleaseImport(
                    path=site.path, module=self.imports_from, name=self.old, site=site.id
                )
        yield from self.extra_edits(site)


class _Site(Struct, frozen=True):
    id: str
    path: str
    span: object
    scope: str
    broken: bool
    manual: bool


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


class OverFiles(RenameCalls):
    """(a) One change over every file."""

    name = "over-files"
    old, new, together = "alpha", "beta", True


class OneByOne(RenameCalls):
    """(b) One change per call."""

    name = "one-by-one"
    old, new = "single", "double"


class WithHelper(RenameCalls):
    """(c) Each call needs a file and a requirement that it shares with the others."""

    name = "with-helper"
    old, new, imports_from = "legacy", "helper", "helpers"

    def extra_edits(self, site):
        yield CreateFile(path="helpers.py", text=HELPERS, site=site.id)
        yield Requirement(root="", requirement="httpx>=0.27", site=site.id)


class WithSetting(RenameCalls):
    """(c) Each call needs keys of settings files that it shares with the others."""

    name = "with-setting"
    old, new = "unset", "configured"

    def extra_edits(self, site):
        table = ("tool", "pytest", "ini_options")
        for path, where in (("pyproject.toml", table), ("setup.cfg", ("tool:pytest",))):
            yield SetKey(path=path, table=where, key="asyncio_mode", value="auto", site=site.id)


HELPERS = "def helper(value):\n    return value\n"


class RequiresBase(RenameCalls):
    """(c) Every change requires the first one."""

    name = "requires-base"
    old, new = "dependant", "depended"
    regroups = False

    def requires(self, change):
        base = self._change_id(0)
        return () if change == base else (base,)


class FirstStep(RenameCalls):
    """(d) What the second step looks for exists only after this; it also moves every line."""

    name = "first-step"
    old, new, imports_from = "step_one", "step_two", "steps"


class SecondStep(RenameCalls):
    """(d) Runs a phase later, on the result of the first step."""

    name = "second-step"
    phase = Phase.LOADING
    old, new, imports_from, releases = "step_two", "step_three", "steps", True


class NeedsPong(RenameCalls):
    """(e) Needs the import that the other rule needs too, and releases its own."""

    name = "needs-pong"
    old, new, imports_from, releases = "ping", "pong", "table", True


class NeedsPongToo(RenameCalls):
    """(e) The other rule."""

    name = "needs-pong-too"
    old, new, imports_from = "zing", "pong", "table"


class Upwards(RenameCalls):
    """(f) Undoes what the next one does."""

    name = "upwards"
    old, new = "down", "up"


class Downwards(RenameCalls):
    """(f) Undoes what the one before did."""

    name = "downwards"
    phase = Phase.LOADING
    old, new = "up", "down"


class Bystander(RenameCalls):
    """(f) Minds its own business in the same run."""

    name = "bystander"
    old, new = "calm", "still"
