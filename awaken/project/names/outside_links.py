"""Links between a program and Python files outside of it: imports in either direction.

Such a file belongs to another project of the repository, is left out, or does not parse. It is
read as words, and never as a tree: that a file names something says enough against a change.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from awaken.project.names.module_layout import Layout
from awaken.project.source.modules import Load, Module
from awaken.project.source.programs.start_folders import StartFolder
from awaken.workspace.outside import Outside, OutsideFile

_IMPORT = re.compile(
    rb"^[ \t]*+(?:from[ \t]++([.\w]++)[ \t]++import[ \t]*+(\([^()]*+\)|[^\n]*+)"
    rb"|import[ \t]++([^\n]*+))",
    re.MULTILINE,
)
_WORD = re.compile(rb"\w+")
_DOTTED = re.compile(rb"[\w.]+")


class OutsideUse(NamedTuple):
    """A line of an outside file that names something of the program, and why it is outside."""

    path: str
    line: int
    why: str


class OutsideLinks:
    """Knows which outside files import from a program, and which it imports.

    ``inside`` are the program's files, ``module`` gives their trees. ``folder`` is that of the
    program in its repository.
    """

    def __init__(
        self, outside: Outside, inside: Layout, paths: Iterable[str], module: Load
    ) -> None:
        self._module = module
        self._inside = inside
        self._prefix = outside.prefix
        self.folder = outside.prefix.rstrip("/")
        self._own = frozenset(paths)
        self._own_names = frozenset(_module_name(f"{self._prefix}{path}") for path in self._own)
        self._files = {file.path: file for file in outside.files}
        # A script elsewhere puts the folder of the program on its path.
        on_path = [StartFolder(self.folder, names_files=False)] if self.folder else []
        inside_top = (f"{self._prefix}{path}" for path in self._own)
        self._joint = Layout([*inside_top, *self._files], on_path=on_path)
        self._linked: dict[str, frozenset[str]] = {
            path: frozenset(self._imported_from(file)) for path, file in sorted(self._files.items())
        }

    def uses_of(self, path: str, qualname: str) -> OutsideUse | None:
        """Return where an outside file may use what the file ``path`` calls ``qualname``.

        It imports from that file, or from one that imports the name itself. A method may be called
        on any object.
        """
        owner, _, name = qualname.rpartition(".")
        for outside, targets in self._linked.items():
            first = owner.partition(".")[0] or name
            if path in targets or any(self._imports_name(target, first) for target in targets):
                use = self._use_of(outside, rb"\.%b\b" if owner else rb"\b%b\b", name)
                if use is not None:
                    return use
        return None

    def reads_of(self, attribute: str) -> OutsideUse | None:
        """Return where an outside file that imports from the program reads an attribute."""
        linked = (path for path, targets in self._linked.items() if targets)
        uses = (self._use_of(path, rb"\.%b\b", attribute) for path in linked)
        return next((use for use in uses if use is not None), None)

    def _use_of(self, outside: str, pattern: bytes, name: str) -> OutsideUse | None:
        file = self._files[outside]
        match = re.search(pattern % re.escape(name.encode()), file.text)
        if match is None:
            return None
        line = file.text.count(b"\n", 0, match.start()) + 1
        return OutsideUse(outside.removeprefix(self._prefix), line, file.why)

    def imported_names(self, module: Module) -> Iterator[tuple[str, OutsideFile]]:
        """Yield the names that a file of the program binds to what an outside file has."""
        for node in module.nodes_of(ast.Import, ast.ImportFrom):
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        file = self._file_of(alias.name, module.path)
                        if file is not None:
                            yield alias.asname or alias.name.partition(".")[0], file
                case ast.ImportFrom(module=home, names=names, level=level):
                    base = self._absolute(module.path, level, home or "")
                    for alias in names:
                        file = self._file_of(_text_below(base, alias.name), module.path)
                        file = file or self._file_of(base, module.path)
                        if file is not None:
                            yield alias.asname or alias.name, file

    def _imports_name(self, path: str, name: str) -> bool:
        module = self._module(path)
        bound = () if module is None else module.scopes.module.bindings.get(name, ())
        return any(binding.kind == "import" for binding in bound)

    def _file_of(self, name: str, importer: str) -> OutsideFile | None:
        own = self._inside.find(self._own_name(name), importer).path if name else ""
        if own is not None:
            # A file of the program that does not parse is not visible either.
            return self._files.get(f"{self._prefix}{own}")
        return self._files.get(self._joint.find(name, f"{self._prefix}{importer}").path or "")

    def _own_name(self, name: str) -> str:
        """Return what the layout of the program takes for a path from the top."""
        return f"/{name[1:].removeprefix(self._prefix)}" if name.startswith("/") else name

    def _absolute(self, importer: str, level: int, home: str) -> str:
        if not level:
            return home
        return self._joint.relative(f"{self._prefix}{importer}", level, home) or ""

    def _imported_from(self, outside: OutsideFile) -> Iterator[str]:
        """Yield the files of the program that an outside file imports from."""
        for name in _imports(outside.text):
            dots = len(name) - len(name.lstrip("."))
            wanted: str | None = name
            if dots:
                wanted = self._joint.relative(outside.path, dots, name[dots:])
            # Most name a library, or a part of it, and no search finds these in the program.
            if not wanted or re.split(r"[./]", wanted)[-1] not in self._own_names:
                continue
            path = self._joint.find(wanted, outside.path).path
            if path is not None and path.startswith(self._prefix):
                inside = path.removeprefix(self._prefix)
                if inside in self._own:
                    yield inside


def _imports(text: bytes) -> Iterator[str]:
    """Yield the modules that a text may import; of ``from a import b`` both ``a`` and ``a.b``."""
    for match in _IMPORT.finditer(text):
        if match[1] is None:
            for dotted in _DOTTED.findall(match[3]):
                yield dotted.decode(errors="replace")
            continue
        home = match[1].decode(errors="replace")
        yield home
        for word in _WORD.findall(match[2]):
            name = word.decode(errors="replace")
            yield f"{home}{name}" if home.endswith(".") else f"{home}.{name}"


def _module_name(path: str) -> str:
    """Return the last part of the name of the module at ``path``."""
    stem = path.rpartition(".")[0].removesuffix("__init__").rstrip("/")
    return stem.rpartition("/")[2]


def _text_below(base: str, name: str) -> str:
    if not base:
        return ""
    return f"{base}/{name}" if base.startswith("/") else f"{base}.{name}"
