"""Words and paths of a command line, read without Typer.

Typer reads every value with pydantic, which takes a tenth of a second to import and to set up.
Values that already have their type, texts, and paths without conditions need nothing of Typer; the
others are converted by it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin

from typer.core import TyperCommand

from awaken.cli.options.declaring import PANELS


class Command(TyperCommand):
    """A command of Typer that reads plain values itself."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, made to read plain values themselves."""
        return reading_plainly(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, and the options in groups by task."""
        parameters = self.get_params(ctx)
        records = {parameter: parameter.get_help_record(ctx) for parameter in parameters}
        arguments = [item for item in parameters if item.param_type_name == "argument"]
        for title, members in (("Arguments", arguments), *options_by_task(parameters).items()):
            rows = [row for member in members if (row := records[member]) is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def options_by_task(parameters: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the options that are not hidden, by the title of their group."""
    shown = [item for item in parameters if item.param_type_name == "option" and not item.hidden]
    panels = {item: getattr(item, "rich_help_panel", None) for item in shown}
    by_title = {
        panel or "Options": [item for item in shown if panels[item] == panel] for panel in PANELS
    }
    return {title: members for title, members in by_title.items() if members}


def reading_plainly(parameters: list[Any]) -> list[Any]:
    """Return ``parameters`` of Typer, made to read plain values themselves."""
    for parameter in parameters:
        usual = getattr(parameter, "process_value", None)
        # Typer guarantees neither, so other values go through Typer.
        known = hasattr(getattr(parameter, "type_descriptor", None), "annotation")
        if known and usual is not None and not isinstance(usual, partial):
            parameter.process_value = partial(_process_value, parameter, usual)
    return parameters


def _process_value(
    parameter: Any, usual: Callable[[Any, Any], Any], context: Any, value: Any
) -> Any:
    if not _is_plain(parameter, value):
        return usual(context, value)
    read = _read(parameter, value)
    if parameter.callback is not None:
        return parameter.callback(context, parameter, read)
    return read


def _is_plain(parameter: Any, value: Any) -> bool:
    """Whether Typer would do nothing with ``value`` but what ``_read`` does."""
    if value is None:
        return not parameter.required
    if isinstance(value, Enum | bool):
        return True
    kind, texts = _kind(parameter), _texts(value)
    # Pydantic refuses text that is not Unicode, and Typer files that cannot be read.
    return all(isinstance(text, str) and text.isprintable() for text in texts) and (
        kind is str or (kind is Path and all(map(_may_be_read, texts)))
    )


def _may_be_read(path: str) -> bool:
    return os.access(path, os.R_OK) or not os.path.lexists(path)


def _kind(parameter: Any) -> Any:
    annotation = parameter.type_descriptor.annotation
    return get_args(annotation)[0] if get_origin(annotation) is list else annotation


def _texts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _read(parameter: Any, value: Any) -> Any:
    several = parameter.multiple or parameter.nargs == -1
    if value is None:
        return () if several else None
    if isinstance(value, Enum | bool):
        return value
    read = [_kind(parameter)(text) for text in _texts(value)]
    return read if several else read[0]
