"""One query of a script, as it was when it was to be run."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bowler.helpers import filename_endswith
from fissix.fixer_base import BaseFix
from fissix.fixer_util import find_root

from awaken.passes.child.bowler_scripts.callback_bindings import Bindings
from awaken.passes.child.bowler_scripts.hunk_processors import Processors
from awaken.passes.child.bowler_scripts.refactoring import Tool

_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_PYTHON_3 = 3


@dataclass(frozen=True)
class CapturedQuery:
    """A query of the script; ``words`` are names of which a text holds one if it has a site.

    ``writes`` says that it was to be written, and not only shown. ``callbacks`` are functions of
    the script.
    """

    tool: Tool
    files: _SelectedFiles
    processors: Processors
    words: Sequence[str]
    writes: bool
    callbacks: Sequence[Callable[..., object]]
    bindings: Bindings | None = None

    @classmethod
    def of(cls, query: Any, options: dict[str, Any], root: Path) -> CapturedQuery:
        """Return a query as it is now, to be run with these options of ``execute``."""
        now = copy(query)
        now.transforms = [_copy_transform(one) for one in query.transforms]
        # Compiling selects the root if nothing is selected.
        fixers = now.compile()
        given = dict(options.get("options") or {})
        if now.python_version == _PYTHON_3:
            given.setdefault("print_function", True)
        matcher = options.get("filename_matcher", now.filename_matcher)
        processors = tuple(now.processors)
        if not processors and options.get("hunk_processor") is not None:
            processors = (options["hunk_processor"],)
        called = [one for each in now.transforms for one in (*each.filters, *each.callbacks)]
        return cls(
            tool=Tool(fixers, options=given),
            files=_SelectedFiles(tuple(now.paths), matcher, root),
            processors=Processors(processors),
            words=words_of(now.transforms),
            writes=bool(options.get("write", False)),
            callbacks=(*called, *processors, *([] if matcher is None else [matcher])),
        )

    def with_bindings(self, bindings: Bindings) -> CapturedQuery:
        """Return the same query, whose callbacks find names as they were."""
        return replace(self, bindings=bindings)

    def new_text(self, text: str, path: Path) -> str:
        """Return what it makes of the text of a file. Raises CannotParse."""
        if self.bindings is not None:
            self.bindings.restore()
        name = self.files.name_of(path)
        if name is None or (self.words and not any(word in text for word in self.words)):
            return text
        return self.tool.new_text(text, name, self.processors)


def _copy_transform(transform: Any) -> Any:
    """Return a transform that does not change with that of the script."""
    found = copy(transform)
    found.kwargs = dict(transform.kwargs)
    found.filters = list(transform.filters)
    found.callbacks = list(transform.callbacks)
    found.fixer = None if transform.fixer is None else usable(transform.fixer)
    return found


def usable(fixer: type[Any]) -> type[Any]:
    """Return a fixer that can be made without arguments, which 2to3's own cannot."""
    try:
        inspect.signature(fixer).bind()
    except TypeError:
        return _with_begun_tree(fixer) if issubclass(fixer, BaseFix) else fixer
    return fixer


def _with_begun_tree(fixer: type[Any]) -> type[Any]:
    class Begun(fixer):  # type: ignore[misc]
        """The same, with what 2to3 gives it before it shows it a file."""

        def __init__(self) -> None:
            super().__init__({"print_function": True}, [])

        def transform(self, node: Any, results: Any) -> Any:
            self.start_tree(find_root(node), self.filename or "")
            return super().transform(node, results)

    Begun.__name__ = fixer.__name__
    return Begun


def words_of(transforms: Sequence[Any]) -> tuple[str, ...]:
    """Return a word for each selector; none if one of them may find something in any file.

    That does each whose name is more than a name: Bowler puts it into a pattern, which then may
    hold alternatives.
    """
    found: list[str] = []
    for transform in transforms:
        name = transform.kwargs.get("name")
        if (
            transform.fixer is not None
            or not isinstance(name, str)
            or not _DOTTED_NAME.fullmatch(name)
        ):
            return ()
        found.append(max(name.split("."), key=len))
    return tuple(found)


class _SelectedFiles:
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
