"""The files that a query asks for, and the names that Bowler would give them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bowler.helpers import filename_endswith


class SelectedFiles:
    """The files of a query: its paths, and what it says of names.

    A relative path counts from the current directory, as with Bowler. Where there is nothing of
    the project it counts from the project's ``root``.
    """

    def __init__(
        self, given: tuple[str, ...], matches: Callable[[str], object] | None, root: Path
    ) -> None:
        self._matches = matches or filename_endswith(".py")
        self._places = [(one, _place(one, root)) for one in sorted(given)]

    def name_of(self, path: Path) -> str | None:
        """Return what Bowler calls a file, by which filters know it; None if it does not ask."""
        return next(self._names(path), None)

    def _names(self, path: Path) -> Iterator[str]:
        for given, place in self._places:
            if path == place:
                # A file that is named itself need not match.
                yield given
            elif path.is_relative_to(place):
                below = path.relative_to(place).parts
                name = os.path.join(given, *below)  # noqa: PTH118  as Bowler writes it: `./a.py`
                if not any(one.startswith(".") for one in below) and self._matches(name):
                    yield name


def _place(given: str, root: Path) -> Path:
    here = Path(os.path.abspath(given))  # noqa: PTH100  a path that need not exist
    if here.exists() and (here.is_relative_to(root) or root.is_relative_to(here)):
        return here
    return Path(os.path.normpath(root / given))
