"""The choices of a user about the output; imports nothing heavy, for every command needs it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct


class Form(StrEnum):
    """How findings and changes are printed."""

    FULL = "full"
    CONCISE = "concise"
    GROUPED = "grouped"
    JSON = "json"
    JSON_LINES = "json-lines"
    PATCH = "patch"
    HTML = "html"
    MARKDOWN = "markdown"
    GITHUB = "github"
    GITHUB_COMMENT = "github-comment"
    GITHUB_REVIEW = "github-review"
    GITLAB = "gitlab"
    RDJSON = "rdjson"
    JUNIT = "junit"
    SARIF = "sarif"


STAGED = frozenset({Form.SARIF, Form.RDJSON, Form.GITHUB_REVIEW})
"""The forms that show what each change does when it is made alone."""


class Color(StrEnum):
    """When to use colours; ``auto`` asks the terminal, NO_COLOR, FORCE_COLOR and TERM."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class View(Struct, frozen=True):
    """Everything that a user chose about the output; ``form`` is None for the command's own.

    ``file`` gets what stdout would. ``context`` is the number of unchanged lines around a change;
    ``pager`` allows to page on a terminal. ``report_url`` is what a comment links to.
    """

    form: Form | None = None
    file: Path | None = None
    statistics: bool = False
    color: Color = Color.AUTO
    quiet: bool = False
    verbose: bool = False
    side_by_side: bool = False
    context: int = 3
    pager: bool = True
    report_url: str = ""
