"""``awaken recipes``: what can be migrated here, and one recipe's page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Argument
from awaken.cli.options.recipe import recipe_names
from awaken.preview.choices import Color, View


def recipes(
    name: Annotated[
        str | None,
        Argument(
            metavar="RECIPE",
            help="A recipe, to show its page.",
            show_default=False,
            autocompletion=recipe_names,
        ),
    ] = None,
    color: given.When = Color.AUTO,
    quiet: given.Quiet = False,
) -> int:
    """List the recipes, and what each would do here.

    With a name, show the page of that recipe.

    Writes nothing. `awaken migrate RECIPE` makes the steps.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.preview.console.plain_console import console_on  # noqa: PLC0415
    from awaken.preview.console.progress_bar import bar  # noqa: PLC0415
    from awaken.preview.recipes.recipe_page import print_recipe, print_recipes  # noqa: PLC0415
    from awaken.settings.recipe_tables import require_recipe  # noqa: PLC0415

    here = [Path()]
    known = api.recipes(here)
    console = console_on(sys.stdout, color)
    rules = {rule.name: rule for rule in api.rules()}
    if name is not None:
        print_recipe(require_recipe(name, known), rules, console)
        return 0
    counts = {}
    with bar(View(quiet=quiet)) as progress:
        for recipe in known.values():
            counts[recipe.name] = api.recipe_report(recipe, here, progress=progress)
    print_recipes(known, counts, console)
    return 0
