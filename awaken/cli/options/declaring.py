"""Declarations of options, which do not need Typer.

Typer takes a tenth of a second to import. A plain command line is read without it
(``plain_line``), by the same declarations.
"""

from __future__ import annotations

from typing import Any, Literal

RULES, FILES, OUTPUT = "Rules and levels", "Files and sites", "Output"
PROGRAM, SETTINGS, CODEMODS = "About the program", "Settings and speed", "Codemods of others"
PANELS = (None, RULES, FILES, OUTPUT, PROGRAM, SETTINGS, CODEMODS)
"""The groups of options in the help by task, the most used first; None is of the command itself."""


class Parameter:
    """An option or an argument; ``names`` are those of the command line (``-q``, ``--quiet``).

    ``details`` are what Typer's function of that ``kind`` takes by name.
    """

    def __init__(self, kind: Literal["Option", "Argument"], *names: str, **details: Any) -> None:
        self.kind = kind
        self.names = names
        self.details = details

    def of_typer(self) -> Any:
        """Return the same as Typer has it."""
        import typer  # noqa: PLC0415  as said above

        return getattr(typer, self.kind)(*self.names, **self.details)


def Option(*names: str, **details: Any) -> Parameter:  # noqa: N802  as Typer calls it
    """Declare an option, as ``typer.Option`` does."""
    return Parameter("Option", *names, **details)


def Argument(**details: Any) -> Parameter:  # noqa: N802  as Typer calls it
    """Declare an argument, as ``typer.Argument`` does."""
    return Parameter("Argument", **details)


def bad_parameter(message: str, *, param_hint: str | None = None) -> Exception:
    """Return the exception that says what is wrong with the value of an option."""
    import typer  # noqa: PLC0415  as said above

    return typer.BadParameter(message, param_hint=param_hint)
