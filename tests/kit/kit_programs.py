"""A program and a rule for the tests of the kit."""

from __future__ import annotations

import ast
from textwrap import dedent

from awaken.contract import Level, Phase, Reason
from awaken.kit.rule import Rule
from awaken.kit.sites import Site
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

STAYS = Reason("stays", "`{}` stays", "Move it.")
BESIDE = Reason("beside", "{} stays", "Move that.")


class Waits(Rule):
    name = "waits"
    family = "kit"
    phase = Phase.TIDY
    levels = (Level.SAFE, Level.UNSAFE, Level.MANUAL)
    triggers = (b"wait",)
    reasons = (STAYS, BESIDE)


def program(files):
    """Return the project with these files; their text may be indented as a whole."""
    sources = {path: decode(path, dedent(text).encode()) for path, text in files.items()}
    return Project(Snapshot(sources), Targets())


def sites(files):
    """Return every call of the program as a site, file by file."""
    project = program(files)
    return [
        Site("waits", project.module(path), node)
        for path in files
        for node in project.module(path).walk()
        if isinstance(node, ast.Call)
    ]
