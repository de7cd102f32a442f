"""The options that name codemods of others, and the words that are theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from awaken.cli.options.declaring import CODEMODS, Option, bad_parameter
from awaken.passes.settings import PassSettings

_SCRIPT, _WORD = "--bowler", "--bowler-arg"
COMMAND_WORD = "--command-word"
"""The option of `awaken verify` and `awaken migrate` for a word of the command after ``--``."""


@dataclass(frozen=True)
class PassOptions:
    """Codemods of LibCST and scripts of Bowler: naming one runs its code."""

    libcst: Annotated[
        list[str] | None,
        Option(
            metavar="COMMAND",
            help="Run this LibCST codemod, such as mypkg.codemods.Rename. This executes its code.",
            rich_help_panel=CODEMODS,
        ),
    ] = None
    libcst_arg: Annotated[
        list[str] | None,
        Option(metavar="NAME=VALUE", help="An argument for the codemod.", rich_help_panel=CODEMODS),
    ] = None
    bowler: Annotated[
        list[str] | None,
        Option(
            metavar="SCRIPT",
            help="Run this Bowler script, with the arguments after --. This executes its code.",
            rich_help_panel=CODEMODS,
        ),
    ] = None
    bowler_arg: Annotated[
        list[str] | None,
        Option(
            metavar="WORD",
            help="An argument for the script.",
            hidden=True,
            rich_help_panel=CODEMODS,
        ),
    ] = None
    per_hunk: Annotated[
        bool,
        Option(
            "--per-hunk",
            help="Make each place of a codemod a separate change.",
            rich_help_panel=CODEMODS,
        ),
    ] = False
    allow_reformat: Annotated[
        bool,
        Option(
            "--allow-reformat",
            help="Allow a codemod to change nearly all of a file.",
            rich_help_panel=CODEMODS,
        ),
    ] = False
    trust_passes: Annotated[
        bool | None,
        Option(
            "--trust-passes",
            help="Run the codemods that the project's own settings name. This executes their code.",
            show_default=False,
            rich_help_panel=CODEMODS,
        ),
    ] = None

    def passes(self) -> tuple[PassSettings, ...]:
        """Return the passes that were named; raises BadParameter."""
        arguments: dict[str, str | bool | tuple[str, ...]] = {}
        for word in self.libcst_arg or ():
            name, separator, value = word.partition("=")
            if not name:
                raise bad_parameter(
                    f"{word!r} is not NAME=VALUE; write for instance old_name=a.b",
                    param_hint="--libcst-arg",
                )
            said: str | bool | tuple[str, ...] = value if separator else True
            before = arguments.get(name)
            if before is not None:
                earlier = before if isinstance(before, tuple) else (str(before),)
                said = (*earlier, value)
            arguments[name] = said
        if arguments and len(self.libcst or ()) != 1:
            raise bad_parameter("needs one --libcst", param_hint="--libcst-arg")
        if self.bowler_arg and len(self.bowler or ()) != 1:
            raise bad_parameter("arguments after -- need exactly one --bowler", param_hint="--")
        commands = [
            PassSettings(
                libcst=text,
                arguments=arguments,
                per_hunk=self.per_hunk,
                allow_reformat=self.allow_reformat,
            )
            for text in self.libcst or ()
        ]
        scripts = [
            PassSettings(
                bowler=text,
                args=tuple(self.bowler_arg or ()),
                per_hunk=self.per_hunk,
                allow_reformat=self.allow_reformat,
            )
            for text in self.bowler or ()
        ]
        return (*commands, *scripts)


def words_again(passes: Sequence[PassSettings]) -> list[str]:
    """Return the words that name the same passes."""
    result: list[str] = []
    for settings in passes:
        result += [f"--{settings.kind}", settings.target]
        for name, value in settings.named():
            result += ["--libcst-arg", f"{name}={value}"]
        result += [f"{_WORD}={word}" for word in settings.args]
    result += ["--per-hunk"] if any(candidate.per_hunk for candidate in passes) else []
    return [*result, *(["--allow-reformat"] if any(item.allow_reformat for item in passes) else [])]


def with_words_of_programs(words: Sequence[str]) -> list[str]:
    """Return a command line in which the words after ``--`` are those of another program.

    That is the script of Bowler, or the tests that `awaken verify` runs; elsewhere they are paths.
    """
    at = words.index("--") if "--" in words else len(words)
    is_script = any(word == _SCRIPT or word.startswith(f"{_SCRIPT}=") for word in words[:at])
    option = COMMAND_WORD if words[:1] in (["verify"], ["migrate"]) else _WORD if is_script else ""
    if at == len(words) or not option:
        return list(words)
    return [*words[:at], *(f"{option}={word}" for word in words[at + 1 :])]
