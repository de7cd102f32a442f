"""Imports the code of a project: from its source alone, and only where it was asked for.

Other files there are unread by the user: stale bytecode, compiled modules, and modules that shadow
a library. So a module that is installed comes before one of the project, and no code of the project
is imported before the user's own choice of a codemod leads into it.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from awaken.passes.protocol import Setup
from awaken.workspace.reading import SOURCE_LIMIT, read_named

_ENDINGS = ("/__init__.py", ".py")
"""How the source of a module ends, a package first, as Python's own importer has it."""


class FromSource(SourceFileLoader):
    """Loads a module from bytes that were read before, and from no bytecode."""

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, path)
        self.content = content

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the module, or of a file of its package."""
        return self.content if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType:
        """Return the code that the source means."""
        code: CodeType = self.source_to_code(self.content, self.get_filename(fullname))
        return code


class _Installed(SourceFileLoader):
    """Loads a module of the environment, whose bytecode counts."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code, from bytecode if there is some."""
        with _pycache_prefix(None):
            return super().get_code(fullname)


class ProjectModules:
    """The finder that comes before all others.

    ``begun`` says that code of the project may be imported.
    """

    def __init__(self, setup: Setup) -> None:
        self._directories = setup.import_from
        self._code = setup.code
        self._target = setup.target
        # Files next to a user's own script, elsewhere, are not code of the project.
        own = (setup.project, setup.root, *setup.import_from[:2])
        self._projects = [_real(one) for one in own]
        self._environment = [_real(one) for one in _environment()]
        self.begun = False

    def install(self) -> None:
        """Find modules for this process from here on."""
        # Code that loads a file by its path would take bytecode that lies next to it.
        sys.pycache_prefix = os.path.join(tempfile.gettempdir(), os.urandom(16).hex())  # noqa: PTH118
        sys.meta_path.insert(0, self)

    def begin(self, name: str) -> None:
        """Let code of the project be imported if the module ``name``, asked for, is its."""
        spec = self.look_up(name.partition(".")[0])
        self.begun |= spec is not None and self._is_own(spec)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is; None if nowhere.

        Raises ImportError for one that is not to be imported.
        """
        del target
        spec = self.look_up(name, path)
        if spec is None or not self._is_own(spec):
            return spec
        if not self.begun:
            why = f"{name} is code of the project, and {self._target} is not"
            raise ModuleNotFoundError(f"{why}: it is not imported", name=name)
        return spec

    def look_up(self, name: str, path: Sequence[str] | None = None) -> ModuleSpec | None:
        """Return where a module is, also one that is not to be imported yet."""
        spec = self._spec_of_other_finders(name, path)
        places = self._directories if path is None else tuple(filter(self._holds, path))
        if spec is not None and spec.loader is not None:
            if not spec.has_location or not self._holds(str(spec.origin)):
                if type(spec.loader) is SourceFileLoader:
                    spec.loader = _Installed(spec.loader.name, spec.loader.path)
                return spec
            places = (_place(spec),)
        spec, before = self._in_source(name, places), spec
        if spec is None and before is not None and before.loader is not None:
            why = f"{name} is no source: of a project nothing else is imported ({before.origin})"
            raise ImportError(why, name=name)
        if spec is None or spec.loader is not None:
            return spec or before
        # A package without `__init__`, in several places.
        more = [*(before.submodule_search_locations or ())] if before is not None else []
        spec.submodule_search_locations = [*more, *(spec.submodule_search_locations or ())]
        return spec

    def _spec_of_other_finders(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        for finder in sys.meta_path:
            # Some of old have no such method; the import system asks these for nothing as well.
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path)
            if spec is not None:
                return spec
        return None

    def _in_source(self, name: str, places: Iterable[str]) -> ModuleSpec | None:
        """Return the first module of this name, or all directories that have it."""
        last = name.rpartition(".")[2]
        directories = []
        for place in places:
            stem = os.path.join(place, last)  # noqa: PTH118  as Python's own importer does
            for ending in _ENDINGS:
                content = self._content(stem + ending)
                if content is not None:
                    loader = FromSource(name, stem + ending, content)
                    return spec_from_file_location(name, stem + ending, loader=loader)
            if os.path.isdir(stem):  # noqa: PTH112
                directories.append(stem)
        if not directories:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = directories
        return spec

    def _content(self, path: str) -> bytes | None:
        """Return the bytes of a file that may be imported, None where there is none.

        Raises ImportError for one that the user has not trusted.
        """
        if self._code is not None and path in self._code:
            return self._code[path]
        try:
            content = read_named(Path(path), SOURCE_LIMIT)
        except OSError:
            return None
        if self._code is not None:
            raise ImportError(
                f"{path} is not among what you trusted: awaken saw no import of it; "
                "say --trust-passes to run it"
            )
        return content

    def script(self, path: str) -> FromSource:
        """Return what loads a script that the user named. Raises OSError, ImportError."""
        content = self._content(path)
        if content is None:
            raise FileNotFoundError(f"there is no script {path}")
        self.begun |= self._holds(path)
        return FromSource(os.path.basename(path), path, content)  # noqa: PTH119

    def _is_own(self, spec: ModuleSpec) -> bool:
        return any(map(self._holds, (spec.origin, *(spec.submodule_search_locations or ()))))

    def _holds(self, path: str | None) -> bool:
        """Whether a path is one of the project, and not of the environment that lies in it."""
        if path is None:
            return False
        real = _real(path)
        return real.startswith(tuple(self._projects)) and not real.startswith(
            tuple(self._environment)
        )


def _place(spec: ModuleSpec) -> str:
    """Return the directory in which a module is looked for."""
    directory = os.path.dirname(str(spec.origin))  # noqa: PTH120
    return os.path.dirname(directory) if spec.submodule_search_locations else directory  # noqa: PTH120


def _real(path: str) -> str:
    return os.path.join(os.path.realpath(path), "")  # noqa: PTH118


def _environment() -> Iterator[str]:
    """Yield the directories of Python, of what is installed, and of awaken."""
    paths = sysconfig.get_paths()
    yield from (paths[one] for one in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from site.getsitepackages()
    yield site.getusersitepackages()
    yield str(Path(__file__).parents[2])


@contextmanager
def _pycache_prefix(prefix: str | None) -> Iterator[None]:
    before, sys.pycache_prefix = sys.pycache_prefix, prefix
    try:
        yield
    finally:
        sys.pycache_prefix = before
