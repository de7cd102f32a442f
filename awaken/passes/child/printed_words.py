"""The output of foreign code."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress

_MOST_SAID = 10_000
"""Bytes of what the code prints that are shown."""


class Words:
    """Output of this process and of those forked from it, kept in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        for number in (1, 2):
            os.dup2(self._file.fileno(), number)
        sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace", buffering=1)
        sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace", buffering=1)

    def take(self) -> str:
        """Return what was printed since it was asked last."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        self._file.seek(0)
        said = self._file.read(_MOST_SAID)
        self._file.seek(0)
        self._file.truncate()
        return said.decode(errors="replace")
