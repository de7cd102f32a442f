"""``awaken doctor``: what was detected, and from where."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Option
from awaken.preview.choices import Color


class DoctorForm(StrEnum):
    """How a diagnosis is printed."""

    FULL = "full"
    JSON = "json"


def doctor(
    run: given.RunOptions,
    output_format: Annotated[
        DoctorForm,
        Option("--output-format", metavar="FORMAT", help="How to print: full, json."),
    ] = DoctorForm.FULL,
    color: given.When = Color.AUTO,
    verbose: Annotated[
        bool, Option("-v", "--verbose", help="Also print the usual facts; show tracebacks.")
    ] = False,
) -> int:
    """Show what awaken detected, where it read that, and what to mend. Writes nothing.

    Exits with 2 if something keeps awaken from its work; advice alone is 0.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.cli.outcomes import of_doctor  # noqa: PLC0415

    line = run.command_line()
    diagnosis = api.doctor(line.paths, line.options)
    if output_format is DoctorForm.JSON:
        from awaken.preview.documents.diagnosis_document import diagnosis_document  # noqa: PLC0415
        from awaken.preview.streams.output import send  # noqa: PLC0415

        send([diagnosis_document(diagnosis, Path.cwd())], sys.stdout)
    else:
        from awaken.preview.console.console import make_console  # noqa: PLC0415
        from awaken.preview.terminal.doctor_page import print_diagnosis  # noqa: PLC0415

        console = make_console(sys.stdout, color)
        print_diagnosis(diagnosis, console, Path.cwd(), every=verbose)
    return of_doctor(diagnosis)
