"""``awaken rules``: the catalogue, and one rule's page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Argument, Option
from awaken.preview.choices import Color

if TYPE_CHECKING:
    from awaken.kit.rule import Rule


class RulesForm(StrEnum):
    """How the rules are printed."""

    FULL = "full"
    MARKDOWN = "markdown"
    JSON = "json"


def rules(
    name: Annotated[
        str | None,
        Argument(
            metavar="RULE",
            help="A rule, to show its page, or a family.",
            show_default=False,
            autocompletion=given.rule_names,
        ),
    ] = None,
    output_format: Annotated[
        RulesForm | None,
        Option(
            "--output-format",
            metavar="FORMAT",
            help=f"How to print: {', '.join(RulesForm)}. A piped page is markdown.",
            show_default=False,
        ),
    ] = None,
    color: given.When = Color.AUTO,
    no_pager: given.NoPager = False,
) -> int:
    """List the rules; with a name, show that rule's page."""
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.settings.selection import require_known  # noqa: PLC0415

    # Passes that this project's settings name can be selected as well.
    known = (*api.rules(), *api.passes(Path.cwd()))
    if name is None:
        _print_list(known, output_format or RulesForm.FULL, color)
        return 0
    require_known(name, known)
    result = [rule for rule in known if rule.name == name]
    if result:
        _print_page(result[0], output_format, color, pager=not no_pager)
    else:
        family = [rule for rule in known if name in {"ALL", rule.family}]
        _print_list(family, output_format or RulesForm.FULL, color)
    return 0


def _print_list(rules: Sequence[Rule], form: RulesForm, color: Color) -> None:
    if form is RulesForm.JSON:
        _print_document(rules)
    elif form is RulesForm.MARKDOWN:
        from awaken.preview.markdown.rule_markdown import index  # noqa: PLC0415
        from awaken.preview.streams.output import send  # noqa: PLC0415

        send(index(rules).splitlines(), sys.stdout)
    else:
        from awaken.preview.console.console import make_console  # noqa: PLC0415
        from awaken.preview.terminal.catalogue import print_catalogue  # noqa: PLC0415

        print_catalogue(rules, make_console(sys.stdout, color))


def _print_page(rule: Rule, form: RulesForm | None, color: Color, *, pager: bool) -> None:
    seen = sys.stdout.isatty() or color is Color.ALWAYS
    if form is RulesForm.JSON:
        _print_document([rule])
    elif form is RulesForm.FULL or (form is None and seen):
        from awaken.preview.console.console import make_console  # noqa: PLC0415
        from awaken.preview.console.pager import paging  # noqa: PLC0415
        from awaken.preview.terminal.catalogue import print_page  # noqa: PLC0415

        console = make_console(sys.stdout, color)
        with paging(console, wanted=pager):
            print_page(rule, console)
    else:
        from awaken.preview.markdown.rule_markdown import markdown  # noqa: PLC0415
        from awaken.preview.streams.output import send  # noqa: PLC0415

        send(markdown(rule).splitlines(), sys.stdout)


def _print_document(rules: Sequence[Rule]) -> None:
    from awaken.preview.documents.rule_document import document  # noqa: PLC0415
    from awaken.preview.streams.output import send  # noqa: PLC0415

    send([document(rules)], sys.stdout)
