"""The options of a recipe, for the commands that show one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from awaken.cli.options.declaring import RULES, Option, bad_parameter
from awaken.contract import UserError

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.progress import Progress
    from awaken.engine.recipe_run import StepRun


def recipe_names(incomplete: str) -> list[str]:
    """Return the recipes that a name may go on as."""
    from awaken import api  # noqa: PLC0415  only the shell's question needs it

    return sorted(name for name in api.recipes([Path()]) if name.startswith(incomplete))


@dataclass(frozen=True)
class RecipeOptions:
    """Which recipe is run instead of single rules."""

    recipe: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="Run the steps of this recipe; `awaken recipes` lists them.",
            show_default=False,
            autocompletion=recipe_names,
            rich_help_panel=RULES,
        ),
    ] = None
    step: Annotated[
        int | None,
        Option(
            metavar="N", min=1, help="Show only this step of the recipe.", rich_help_panel=RULES
        ),
    ] = None

    def require_usable(self, line: CommandLine) -> None:
        """Raise BadParameter for options that say what the recipe says."""
        if self.recipe is None:
            if self.step is not None:
                raise bad_parameter("needs --recipe", param_hint="--step")
            return
        require_recipe_alone(line, "--recipe")

    def words(self) -> list[str]:
        """Return the words of the command line that say the same."""
        words = [] if self.recipe is None else ["--recipe", self.recipe]
        return words + ([] if self.step is None else ["--step", str(self.step)])

    def runs(self, line: CommandLine, progress: Progress | None) -> Iterator[StepRun]:
        """Yield the steps that are shown. Raises UserError for an unknown recipe or step."""
        from awaken import api  # noqa: PLC0415  the help needs no engine

        steps = (1, self.step or 0)
        for run in api.run_recipe(
            self.recipe or "", line.paths, line.options, steps=steps, progress=progress
        ):
            # Without it the others say nothing of the step that was asked for.
            if self.step in {None, run.number} or any(run.report.diagnostics):
                yield run


def require_recipe_alone(line: CommandLine, name: str) -> None:
    """Raise BadParameter for options of ``line`` that contradict a recipe, said by ``name``."""
    settings = line.options.settings
    for option, is_said in (
        ("--select", settings.select),
        ("--extend-select", settings.extend_select),
        ("--unsafe", settings.unsafe),
        ("--unsafe-fixes", settings.unsafe_fixes),
    ):
        if is_said:
            raise bad_parameter(
                f"a recipe already selects its rules and levels; leave out {option}",
                param_hint=name,
            )
    if line.options.overlay:
        raise UserError(f"{name} is about a project, and - is one file; name a path")
