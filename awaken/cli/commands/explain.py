"""``awaken explain``: why one place was, was not, or could not be rewritten."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Argument, Option
from awaken.cli.options.file_position import parse_place
from awaken.cli.options.shared_options import ProjectOptions
from awaken.cli.options.standard_input import STDIN
from awaken.preview.choices import Color

_CODE = re.compile(r"[a-z][a-z0-9-]*/[a-z][a-z0-9-]*")
"""The full code of a reason, as findings show it."""


class ExplanationForm(StrEnum):
    """How an explanation is printed."""

    FULL = "full"
    JSON = "json"


def explain(
    place: Annotated[
        str,
        Argument(
            metavar="FILE:LINE[:COLUMN]|CODE",
            help="The place in the form that other commands print, or the code of a reason.",
        ),
    ],
    run: ProjectOptions,
    output_format: Annotated[
        ExplanationForm,
        Option(
            "--output-format",
            metavar="FORMAT",
            help=f"How to print: {', '.join(ExplanationForm)}.",
        ),
    ] = ExplanationForm.FULL,
    color: given.When = Color.AUTO,
    verbose: given.Verbose = False,
) -> int:
    """Explain why a place was, was not, or could not be rewritten. Writes nothing.

    For a site, this shows its level, its rewrite, the reason, and how to change the result. For
    any other place, it shows why no rule has a site there.

    For the code of a reason, this shows its meaning, its cure and the page of its rule. `awaken
    recipes NAME` explains a recipe, and `awaken rules NAME` a rule.

    Examples: `awaken explain app/users.py:40`, `awaken explain app/users.py:40:17` if a line has
    several sites, `awaken explain query-to-select/unknown-entity`.

    Exits with 2 if there is no such place or code.
    """
    del verbose  # the command line itself looks for it, where something fails
    from awaken import api  # noqa: PLC0415  the help needs no engine

    if _CODE.fullmatch(place) and not Path(place).exists():
        _explain_reason(place, output_format, color)
        return 0
    _point_to_page(place)
    where = parse_place(place)
    # Unsaved text of an editor counts, for each file of the question.
    options = run.command_line_for([where.file if run.stdin_filename is None else STDIN]).options
    explanation = api.explain(where.file, where.line, where.column, options)
    if output_format is ExplanationForm.JSON:
        from awaken.preview.documents.explanation_document import explanation_document  # noqa: PLC0415
        from awaken.preview.streams.output import send  # noqa: PLC0415

        send([explanation_document(explanation, Path.cwd())], sys.stdout)
    else:
        from awaken.preview.console.console import make_console  # noqa: PLC0415
        from awaken.preview.terminal.explained_place import print_explanation  # noqa: PLC0415

        print_explanation(explanation, make_console(sys.stdout, color), Path.cwd())
    return 0


def _point_to_page(name: str) -> None:
    """Raise UserError with the command that explains a recipe, or a rule, by its name."""
    if ":" in name or Path(name).exists():
        return
    from awaken import api  # noqa: PLC0415
    from awaken.contract import UserError  # noqa: PLC0415

    for kind, command, known in (
        ("recipe", "recipes", set(api.recipes([Path()]))),
        ("rule", "rules", {rule.name for rule in api.rules()}),
    ):
        if name in known:
            raise UserError(f"{name} is a {kind}: `awaken {command} {name}` explains it")


def _explain_reason(code: str, form: ExplanationForm, color: Color) -> None:
    from awaken import api  # noqa: PLC0415
    from awaken.contract import UserError  # noqa: PLC0415
    from awaken.contract.nearest import did_you_mean  # noqa: PLC0415

    known = api.reasons((*api.rules(), *api.passes(Path.cwd())))
    if code not in known:
        hint = did_you_mean(code, known, "a page of `awaken rules RULE` lists its reasons.")
        raise UserError(f"there is no reason {code!r}{hint}")
    reason, rule = known[code]
    if form is ExplanationForm.JSON:
        from awaken.preview.documents.explanation_document import reason_document  # noqa: PLC0415
        from awaken.preview.streams.output import send  # noqa: PLC0415

        send([reason_document(code, reason, rule)], sys.stdout)
    else:
        from awaken.preview.console.console import make_console  # noqa: PLC0415
        from awaken.preview.terminal.catalogue import print_reason  # noqa: PLC0415

        print_reason(code, reason, rule, make_console(sys.stdout, color))
