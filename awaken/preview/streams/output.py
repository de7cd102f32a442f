"""The output of a form: to stdout, or to a file that is complete or not there at all.

The one way to stdout for what is not drawn on a console.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

from msgspec import Struct

from awaken.contract import ChangeId, UserError
from awaken.engine.machine.filesystem import replacing
from awaken.engine.report import FileChange
from awaken.preview.streams.course import Course
from awaken.preview.streams.visible import harmless

Piece = str | bytes
"""What a form consists of: a line for people without its end, in the encoding of the stream, or
bytes that a program reads: they come out as they are, except on a terminal."""


FilesOf = Callable[[Path, ChangeId], Iterable[FileChange]]
"""What one change of a root does to files when it is made alone."""


class Staged(Struct, frozen=True):
    """Outputs of a run with stages: ``files_of`` one change, ``since`` the commit it names."""

    files_of: FilesOf
    since: str | None


class Asked(Struct, frozen=True):
    """The inputs of an output format besides the report.

    ``command`` is that of the command line, ``current`` the user's directory, ``context`` the
    number of unchanged lines around a change. ``staged`` shows a change by itself; without it no
    form does. ``again`` is the command line of this run, ``report_url`` the address of the report
    that a comment links to, and ``course`` how the run went.
    """

    command: str
    current: Path
    context: int = 3
    staged: Staged | None = None
    again: str = ""
    report_url: str = ""
    course: Course = Course()


@contextmanager
def open_output(file: Path | None) -> Iterator[TextIO]:
    """Give the stream of ``file``, or stdout; a file is UTF-8 and appears when all went well.

    Raises UserError where the file cannot be written; the old file is then unchanged.
    """
    if file is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    with _naming(file):
        # A device or a pipe must not be replaced by a file.
        special = file.exists() and not file.is_file() and not file.is_dir()
        context = _written_i_os(file) if special else replacing(file)
        with context as binary:
            text = io.TextIOWrapper(binary, "utf-8", "backslashreplace", newline="\n")
            yield text
            text.flush()
            text.detach()


def send(pieces: Iterable[Piece], stream: TextIO) -> None:
    """Write every piece to ``stream`` as soon as it is there.

    In lines nothing can act on a terminal or in a log. Bytes keep every byte for the program that
    reads them, so their form must be safe; a terminal is no such program.
    """
    seen = stream.isatty()
    # Piece by piece: a reader like `head` ends a long output early, and gets the start at once.
    for piece in pieces:
        if isinstance(piece, str):
            stream.write(harmless(piece) + "\n")
        elif seen:
            stream.write(harmless(piece.decode("utf-8", "backslashreplace")))
        else:
            stream.flush()
            # With PYTHONUNBUFFERED there is no buffer, and a write may take only a part.
            left = memoryview(piece)
            while left:
                left = left[stream.buffer.write(left) or 0 :]
    stream.flush()


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(
            f"cannot write to {file}: {error.strerror or error}; give --output-file another file"
        ) from error


@contextmanager
def _written_i_os(file: Path) -> Iterator[IO[bytes]]:
    with file.open("wb") as binary:
        yield binary
