"""Options that several commands share, declared once as the fields of a dataclass."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from awaken.cli.options.declaring import Parameter


def with_groups(command: Callable[..., int]) -> Callable[..., int]:
    """Return ``command`` as Typer reads it: each dataclass parameter as one option per field.

    Typer has no groups of options (its documentation lists every option in every signature), but
    it reads ``inspect.signature``, which takes what ``__signature__`` says.
    """
    # Resolved here: with annotations as strings, Typer could not see what a field is.
    hints = get_type_hints(command, include_extras=True)
    own = inspect.signature(command).parameters
    groups = {name: hints[name] for name in own if is_dataclass(hints[name])}

    @wraps(command)
    def run_command(**values: Any) -> int:
        built = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        return command(**built, **values)

    parameters = [
        item
        for name, parameter in own.items()
        for item in (
            _parameters(groups[name])
            if name in groups
            else [
                parameter.replace(
                    annotation=_typer_annotation(hints[name]), kind=parameter.KEYWORD_ONLY
                )
            ]
        )
    ]
    run_command.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    return run_command


def _parameters(group: type) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=_typer_annotation(hints[field.name]),
        )


def _typer_annotation(hint: Any) -> Any:
    """Return an annotation with its ``Parameter`` as Typer has it."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *more = get_args(hint)
    declared = (item.of_typer() if isinstance(item, Parameter) else item for item in more)
    return Annotated[kind, *declared]


def _default(field: Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default
