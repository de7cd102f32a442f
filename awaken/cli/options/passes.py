"""The options that name codemods of others, and the words that are theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from awaken.cli.options.declaring import CODEMODS, Option, Parameter, bad_parameter
from awaken.passes.pass_settings import PassSettings

_SCRIPT, _WORD = "--bowler", "--bowler-arg"
COMMAND_WORD = "--command-word"
"""The option of `awaken verify` and `awaken migrate` for a word of the command after ``--``."""


def _option(*names: str, words: str, **details: Any) -> Parameter:
    return Option(*names, help=words, rich_help_panel=CODEMODS, **details)


_COMMAND = "Run this LibCST codemod, such as mypkg.codemods.Rename. This executes its code."
_BOWLER = "Run this Bowler script, with the arguments after --. This executes its code."
_TRUST = "Run the codemods that the project's own settings name. This executes their code."
_HUNK = "Make each place of a codemod a separate change."
_REFORMAT = "Allow a codemod to change nearly all of a file."


@dataclass(frozen=True)
class PassOptions:
    """Codemods of LibCST and scripts of Bowler: naming one runs its code."""

    libcst: Annotated[list[str] | None, _option(metavar="COMMAND", words=_COMMAND)] = None
    libcst_arg: Annotated[
        list[str] | None, _option(metavar="NAME=VALUE", words="An argument for the codemod.")
    ] = None
    bowler: Annotated[list[str] | None, _option(metavar="SCRIPT", words=_BOWLER)] = None
    bowler_arg: Annotated[
        list[str] | None, _option(metavar="WORD", words="An argument for the script.", hidden=True)
    ] = None
    per_hunk: Annotated[bool, _option("--per-hunk", words=_HUNK)] = False
    allow_reformat: Annotated[bool, _option("--allow-reformat", words=_REFORMAT)] = False
    trust_passes: Annotated[
        bool | None, _option("--trust-passes", words=_TRUST, show_default=False)
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
        for name, value in settings.named_arguments():
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
