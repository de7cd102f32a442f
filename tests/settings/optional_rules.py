"""Rules that need no library, one of them with options, and programs on disk to run them on."""

from __future__ import annotations

import ast
from typing import Annotated, Literal

from msgspec import Meta, Struct

from awaken import api
from awaken.contract import Change, ChangeId, Finding, Level, Phase, Place, Plan, Status, TextEdit
from awaken.kit.rule import Rule
from awaken.project.source.lines.site_ids import site_id
from awaken.settings import Settings
from awaken.settings.model import Said
from awaken.settings.resolve import resolve

PROJECT = '[project]\nname = "x"\nversion = "1"\n'


class RenamingOptions(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    new_name: str = "renamed"
    style: Literal["plain", "shouted"] = "plain"
    longest: Annotated[int, Meta(ge=1)] = 10
    keep: frozenset[str] = frozenset()


class RenameOld(Rule):
    """Renames each ``old``; its options say to what."""

    name = "rename-old"
    family = "naming"
    phase = Phase.QUERIES
    triggers = (b"old",)
    options = RenamingOptions
    per_file = True
    word = "old"
    level = Level.SAFE

    def new(self, options):
        return options.new_name.upper() if options.style == "shouted" else options.new_name

    def plan(self, project, constraints):
        findings, changes = [], []
        for path in project.site_files((self.word.encode(),)):
            module = project.module(path)
            for node in module.walk() if module else ():
                if isinstance(node, ast.Name) and node.id == self.word:
                    finding, change = self.planned(module, node, constraints)
                    findings.append(finding)
                    changes += [] if finding.site in constraints.excluded else [change]
        return Plan(tuple(findings), tuple(changes))

    def planned(self, module, node, constraints):
        new = self.new(constraints.options)
        site = site_id(self.name, module, node)
        change = ChangeId(f"{self.name}:{site}")
        span = module.span(node)
        finding = Finding(
            site=site,
            rule=self.name,
            level=self.level,
            place=Place(module.path, span),
            scope="",
            message=f"{self.word} becomes {new}",
            change=change,
        )
        edit = TextEdit(path=module.path, anchor=span, text=new, site=site)
        return finding, Change(
            id=change,
            rule=self.name,
            title="Rename",
            level=self.level,
            sites=(site,),
            edits=(edit,),
        )


class RenameRisky(RenameOld):
    """Renames each ``risky``, which may change behaviour; has no options."""

    name = "rename-risky"
    triggers = (b"risky",)
    options = Rule.options
    word = "risky"
    level = Level.UNSAFE

    def new(self, options):
        assert type(options) is Rule.options
        return "dared"


class RenameRaw(RenameRisky):
    """Is in preview, and of another family."""

    name = "rename-raw"
    family = "fresh"
    triggers = (b"raw",)
    word = "raw"
    status = Status.PREVIEW


class RenameLate(RenameRaw):
    """Is opt-in, of the family of the one in preview."""

    name = "rename-late"
    triggers = (b"late",)
    word = "late"
    status = Status.OPT_IN


RULES = (RenameOld(), RenameRisky(), RenameRaw())
WITH_OPT_IN = (*RULES, RenameLate())


def write(base, files):
    """Write ``files`` (text or bytes, by relative path) below ``base``; return it."""
    for name, content in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return base


def resolved(root, *config, isolated=False, rules=RULES, **given):
    """Return what holds in ``root`` with ``given`` on the command line."""
    return resolve(root, Said(Settings(**given), tuple(config), isolated), rules=rules)


def run(*paths, config=(), isolated=False, jobs=1, use_cache=False, **given):
    """Return the report of a run with ``given`` on the command line."""
    options = api.Options(
        settings=Settings(**given),
        config=tuple(config),
        isolated=isolated,
        jobs=jobs,
        use_cache=use_cache,
    )
    return api.run(paths, options, RULES)


def after(report):
    """Return the new text of each changed file, by ``root/path`` below their common root."""
    return {
        f"{root.root.name}/{file.path}": file.after.text.decode()
        for root in report.roots
        for file in root.files
    }
