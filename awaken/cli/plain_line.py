"""A plain command line, read without Typer by what its options declare.

Plain is a line of which nothing can be wrong, and that can be read in one way only. Any other one
is Typer's, which also says what is wrong with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from msgspec import Struct

from awaken.cli.options.declaring import Parameter

_COMMANDS = {
    "check": "awaken.cli.commands.check",
    "diff": "awaken.cli.commands.diff",
    "apply": "awaken.cli.commands.apply",
    "migrate": "awaken.cli.commands.migrating.migrate",
}
"""The module of each command that rewrites, or would."""

_NUMBER = re.compile(r"[0-9]{1,4}")


class _Declared(Struct, frozen=True):
    """A parameter of a command: in which group its value belongs, and of which kind it is."""

    group: str
    name: str
    kind: Any
    is_list: bool
    parameter: Parameter
    default: Any

    def flags(self) -> Iterator[tuple[str, Any]]:
        """Yield the words of the command line that name it, each with the value of a flag."""
        if self.parameter.kind == "Argument":
            return
        for name in self.parameter.names or (f"--{self.name.replace('_', '-')}",):
            yes, _, no = name.partition("/")
            yield yes, True if self.kind is bool else None
            if no:
                yield no, False


class _NotPlain(Exception):
    """The command line is Typer's."""


def run_plainly(words: Sequence[str]) -> int | None:
    """Run the command of a plain line; None where the line is not plain, and nothing was done.

    Raises what the command does.
    """
    if not words or words[0] not in _COMMANDS or "_AWAKEN_COMPLETE" in os.environ:
        return None
    command: Callable[..., int] = getattr(import_module(_COMMANDS[words[0]]), words[0])
    try:
        values = _values(command, words[1:])
    except _NotPlain:
        return None
    try:
        return command(**values)
    except Exception as error:
        # Raised before the run, by what reads the options. Typer says which one it is.
        if any(candidate.__name__ == "TyperException" for candidate in type(error).__mro__):
            return None
        raise


def _values(command: Callable[..., int], words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of ``command`` that ``words`` are. Raises _NotPlain."""
    declared = list(_declared_parameters(command))
    said = _said_values(declared, words)
    for item in declared:
        if item.parameter.details.get("envvar", "") in os.environ:
            raise _NotPlain
        said.setdefault((item.group, item.name), () if item.is_list else item.default)
    hints = get_type_hints(command)
    groups: dict[str, dict[str, Any]] = {declaration.group: {} for declaration in declared}
    for (group, name), value in said.items():
        groups[group][name] = value
    own = groups.pop("", {})
    return {name: hints[name](**values) for name, values in groups.items()} | own


def _declared_parameters(command: Callable[..., int]) -> Iterator[_Declared]:
    """Yield the parameters of ``command``, those of its groups as well."""
    own = {name: hint for name, hint in _hints(command).items() if name != "return"}
    defaults = command.__kwdefaults__ or {}
    defaults |= dict(zip(reversed(own), reversed(command.__defaults__ or ()), strict=False))
    for name, hint in own.items():
        if is_dataclass(hint):
            inner = _hints(hint)
            for field in fields(hint):
                default = None if field.default is MISSING else field.default
                yield _parameter(name, field.name, inner[field.name], default)
        else:
            yield _parameter("", name, hint, defaults.get(name))


def _hints(of: Any) -> dict[str, Any]:
    return get_type_hints(of, include_extras=True)


def _parameter(group: str, name: str, hint: Any, default: Any) -> _Declared:
    if get_origin(hint) is not Annotated:
        raise _NotPlain
    kind, parameter = get_args(hint)
    # Of `str | None` the None is what nobody types.
    kinds = [candidate for candidate in get_args(kind) if candidate is not NoneType] or [kind]
    is_list = get_origin(kinds[0]) is list
    kind = get_args(kinds[0])[0] if is_list else kinds[0]
    return _Declared(group, name, kind, is_list, parameter, default)


def _said_values(declared: Sequence[_Declared], words: Sequence[str]) -> dict[tuple[str, str], Any]:
    """Return the values that ``words`` give, by group and name. Raises _NotPlain."""
    by_flag = {flag: (entry, value) for entry in declared for flag, value in entry.flags()}
    arguments = [entry for entry in declared if entry.parameter.kind == "Argument"]
    said: dict[tuple[str, str], Any] = {}
    left = iter(words)
    for word in left:
        flag, equals, text = word.partition("=") if word.startswith("--") else (word, "", "")
        if not word.startswith("-"):
            item = arguments[0] if arguments[0].is_list else arguments.pop(0)
            value = _value(item, word)
        else:
            item, value = _of_flag(by_flag, flag)
            if (value is None) is (item.kind is bool) or (equals and item.kind is bool):
                raise _NotPlain
            if value is None:
                value = _value(item, text if equals else next(left, ""))
        place = item.group, item.name
        if item.is_list:
            said.setdefault(place, []).append(value)
        elif place in said:
            raise _NotPlain
        else:
            said[place] = value
    if not arguments[0].is_list:  # it needs one that the line lacks
        raise _NotPlain
    return said


def _of_flag(by_flag: Mapping[str, tuple[_Declared, Any]], flag: str) -> tuple[_Declared, Any]:
    if flag not in by_flag:
        raise _NotPlain
    return by_flag[flag]


def _value(one: _Declared, text: str) -> Any:
    """Return ``text`` as a value of ``one``. Raises _NotPlain."""
    # A word that looks like an option may be one that lacks its value.
    if not text or text.startswith("-") or "callback" in one.parameter.details:
        raise _NotPlain
    # Pydantic refuses text that is not Unicode, and Typer files that cannot be read.
    if not text.isprintable():
        raise _NotPlain
    if one.kind is Path and (os.access(text, os.R_OK) or not os.path.lexists(text)):
        return Path(text)
    if one.kind is str:
        return text
    least = one.parameter.details.get("min", 0)
    if one.kind is int and _NUMBER.fullmatch(text) and int(text) >= least:
        return int(text)
    if isinstance(one.kind, type) and issubclass(one.kind, Enum) and text in {*one.kind}:
        return one.kind(text)
    raise _NotPlain
