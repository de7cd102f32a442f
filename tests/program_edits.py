"""Random edits of a program on disk, of the kinds that people and their tools make."""

from __future__ import annotations

import ast
import os
import random
import shutil
import textwrap
from pathlib import Path

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LINES = (
    "session.rollback()",
    "from sqlalchemy.orm import Session as Store",
    "assert db is not None",
    "setattr(self, name, None)",
    "print(list(map(str, range(3))))",
    "return None",
)


class ProgramEdits:
    """Makes edits in the program below ``root``, all told by ``seed``.

    ``weighty`` are the paths that the last answer depends on: of five edits two are made there.
    """

    IN_FILES = (
        "comment",
        "blank_line",
        "docstring",
        "body",
        "signature",
        "imports",
        "moved_code",
        "decorator",
        "bases",
        "reverted_file",
        "no_python",
        "suppression",
        "same_size",
        "touched",
    )
    OF_FILES = (
        "new_file",
        "new_subclass",
        "deleted_file",
        "renamed_file",
        "renamed_folder",
        "other_branch",
    )

    def __init__(self, root: Path, seed: object) -> None:
        self.root = root
        self.chance = random.Random(f"{seed}")
        self.weighty: set[str] = set()
        self._first = self._texts()
        self._earlier: list[tuple[str, str]] = []
        self._number = 0

    def make(self, kind: str) -> str:
        """Make one edit of this kind; return what was done."""
        self._number += 1
        done = getattr(self, f"_{kind}")()
        return f"{kind}: {done or 'nothing'}"

    def make_any(self) -> str:
        """Make one edit of any kind; most leave the paths of the files as they are."""
        kinds = self.OF_FILES if self.chance.random() < 0.2 else self.IN_FILES
        return self.make(self.chance.choice(kinds))

    # ------------------------------------------------------------------------------- the files
    def _paths(self) -> list[str]:
        found = (path.relative_to(self.root) for path in self.root.rglob("*.py"))
        return sorted(one.as_posix() for one in found if not one.parts[0].startswith("."))

    def _texts(self) -> dict[str, str]:
        return {path: self._read(path) for path in self._paths()}

    def _read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode("utf-8", "surrogateescape")

    def _write(self, path: str, text: str) -> None:
        file = self.root / path
        if file.exists():
            self._earlier.append((path, self._read(path)))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))

    def _path(self) -> str:
        paths = self._paths()
        light = [path for path in paths if path not in self.weighty]
        weighty = [path for path in paths if path in self.weighty]
        chosen = light if self.chance.random() < 0.6 else weighty
        return self.chance.choice(chosen or paths)

    def _parsed(self) -> tuple[str, list[str], ast.Module]:
        """Return a file that parses and has a statement, its lines and its tree."""
        for _ in range(100):
            path = self._path()
            text = self._read(path)
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError):
                continue
            if tree.body and "\f" not in text and "\r" not in text:
                return path, text.split("\n"), tree
        raise AssertionError("no file of the program parses")

    def _some(self, kinds: tuple[type[ast.AST], ...]) -> tuple[str, list[str], ast.AST]:
        """Return a file with a node of one of ``kinds``, its lines and one such node."""
        for _ in range(100):
            path, lines, tree = self._parsed()
            nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
            if nodes:
                return path, lines, self.chance.choice(nodes)
        raise AssertionError("no file of the program has such a node")

    def _insert(self, path: str, lines: list[str], at: int, text: str) -> str:
        self._write(path, "\n".join([*lines[:at], *text.split("\n"), *lines[at:]]))
        return f"{path}:{at + 1}"

    # ------------------------------------------------------------------------------- the kinds
    def _comment(self) -> str:
        path, lines, node = self._some((ast.stmt,))
        return self._insert(path, lines, _start(node), f"{_margin(node)}# comment {self._number}")

    def _suppression(self) -> str:
        path, lines, node = self._some((ast.stmt,))
        return self._insert(path, lines, _start(node), f"{_margin(node)}# awaken: skip-file")

    def _blank_line(self) -> str:
        path, lines, node = self._some((ast.stmt,))
        return self._insert(path, lines, _start(node), "")

    def _docstring(self) -> str:
        path, lines, node = self._some((*_FUNCTIONS, ast.ClassDef))
        text = f'{_margin(node.body[0])}"""Do what was asked, query and all: {self._number}."""'
        return self._insert(path, lines, _start(node.body[0]), text) if _is_below(node) else ""

    def _body(self) -> str:
        path, lines, node = self._some(_FUNCTIONS)
        if not _is_below(node):
            return ""
        statement = self.chance.choice(node.body)
        first, last = _start(statement), statement.end_lineno
        match self.chance.randrange(3):
            case 0:
                text = self.chance.choice(_LINES)
            case 1:
                _, others, other = self._some((ast.stmt,))
                text = textwrap.dedent("\n".join(others[_start(other) : other.end_lineno]))
            case _:
                rest = [*lines[:first], f"{_margin(statement)}pass", *lines[last:]]
                self._write(path, "\n".join(rest))
                return f"{path}:{first + 1} taken away"
        return self._insert(path, lines, first, textwrap.indent(text, _margin(statement)))

    def _signature(self) -> str:
        path, lines, node = self._some(_FUNCTIONS)
        at = node.lineno - 1
        line = lines[at]
        changed = {
            "async": line.replace("async def ", "def ")
            if "async def" in line
            else line.replace("def ", "async def ", 1),
            "name": line.replace(f"def {node.name}(", f"def {node.name}_{self._number}("),
            "more": line.replace("(self", "(self, added=None").replace("(db", "(added, db"),
            "annotation": line.replace(": Session", "").replace(": str", ": int"),
        }
        how = self.chance.choice(sorted(changed))
        self._write(path, "\n".join([*lines[:at], changed[how], *lines[at + 1 :]]))
        return f"{path}:{at + 1} {how}"

    def _imports(self) -> str:
        path, lines, node = self._some((ast.Import, ast.ImportFrom))
        first, last = _start(node), node.end_lineno
        if self.chance.random() < 0.4:
            self._write(path, "\n".join([*lines[:first], f"{_margin(node)}pass", *lines[last:]]))
            return f"{path}:{first + 1} taken away"
        target, others, taken = self._parsed()
        named = textwrap.dedent("\n".join(lines[first:last]))
        top = next(
            (one for one in taken.body if isinstance(one, ast.Import | ast.ImportFrom)), None
        )
        at = 0 if top is None else _start(top)
        # Behind the imports of the future, and under another name as well.
        if getattr(top, "module", "") == "__future__":
            at = top.end_lineno
        name = (node.names[0].asname or node.names[0].name).partition(".")[0]
        more = f"\n{name}_too = {name}" if name != "*" and self.chance.random() < 0.5 else ""
        return self._insert(target, others, at, named + more)

    def _moved_code(self) -> str:
        """Copy a definition and the imports of its file to the end of another file."""
        path = self.chance.choice(sorted(self.weighty.intersection(self._paths())) or self._paths())
        target, others, _ = self._parsed()
        try:
            tree = ast.parse(self._read(path))
        except (SyntaxError, ValueError):
            return ""
        imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
        definitions = [one for one in tree.body if isinstance(one, (*_FUNCTIONS, ast.ClassDef))]
        moved = [one for one in imports if getattr(one, "module", "") != "__future__"]
        moved += [self.chance.choice(definitions)] if definitions else []
        return self._insert(target, others, len(others), "\n".join(map(ast.unparse, moved)))

    def _decorator(self) -> str:
        path, lines, node = self._some(_FUNCTIONS)
        name = self.chance.choice(["staticmethod", "contextlib.contextmanager", "decorated(1)"])
        return self._insert(path, lines, _start(node), f"{_margin(node)}@{name}")

    def _bases(self) -> str:
        path, lines, node = self._some((ast.ClassDef,))
        at = node.lineno - 1
        bases = self.chance.choice(["", "(object)", "(Base)", "(Session)", "(Base, abc.ABC)"])
        if node.end_lineno == node.lineno or not lines[at].rstrip().endswith(":"):
            return ""
        changed = f"{lines[at].partition('class ')[0]}class {node.name}{bases}:"
        self._write(path, "\n".join([*lines[:at], changed, *lines[at + 1 :]]))
        return f"{path}:{at + 1} {changed.strip()}"

    def _new_name(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        return f"{folder}/new_{self._number}_{name}".lstrip("/")

    def _new_file(self) -> str:
        path = self._path()
        self._write(self._new_name(path), self._read(path))
        return self._new_name(path)

    def _new_subclass(self) -> str:
        path, _, node = self._some((ast.ClassDef,))
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        methods = [one.name for one in node.body if isinstance(one, _FUNCTIONS)] or ["query"]
        name = self.chance.choice(methods)
        text = f"import {module}\n\n\nclass Heir{self._number}({module}.{node.name}):\n"
        text += f"    def {name}(self, *given, **named):\n        return super().{name}(*given)\n"
        self._write(self._new_name(path), text)
        return f"{self._new_name(path)} overrides {node.name}.{name}"

    def _deleted_file(self) -> str:
        path = self._path()
        self._earlier.append((path, self._read(path)))
        (self.root / path).unlink()
        return path

    def _renamed_file(self) -> str:
        path = self._path()
        (self.root / path).rename(self.root / self._new_name(path))
        return path

    def _renamed_folder(self) -> str:
        folders = sorted({path.rpartition("/")[0] for path in self._paths()} - {""})
        if not folders:
            return ""
        folder = self.chance.choice(folders)
        (self.root / folder).rename(self.root / f"{folder}_{self._number}")
        return folder

    def _reverted_file(self) -> str:
        if not self._earlier:
            return ""
        path, text = self.chance.choice(self._earlier)
        self._write(path, text)
        return path

    def _other_branch(self) -> str:
        """As `git checkout` does: all files as they were first, those that came since are gone."""
        for path in self._paths():
            (self.root / path).unlink()
        for folder in sorted(self.root.rglob("*/"), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
        for path, text in self._first.items():
            self._write(path, text)
        return f"{len(self._first)} files"

    def _no_python(self) -> str:
        path = self._path()
        self._write(path, f"{self._read(path)}\n)\n")
        return path

    def _same_size(self) -> str:
        """Change one letter and leave the times as they were."""
        path, lines, node = self._some((ast.Name, ast.Attribute))
        file = self.root / path
        before = file.stat()
        at, text = node.end_lineno - 1, "\n".join(lines)
        end = node.end_col_offset
        line = lines[at].encode()
        line = line[: end - 1] + (b"z" if line[end - 1 : end] != b"z" else b"y") + line[end:]
        self._write(path, "\n".join([*lines[:at], line.decode(), *lines[at + 1 :]]))
        assert file.stat().st_size == len(text.encode("utf-8", "surrogateescape"))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        return f"{path}:{at + 1}"

    def _touched(self) -> str:
        path = self._path()
        os.utime(self.root / path, (1, self.chance.choice([1, 2_000_000_000])))
        return path


def _start(node: ast.AST) -> int:
    """Return the line, counted from 0, at which a statement begins with its decorators."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]) - 1


def _margin(node: ast.AST) -> str:
    return " " * node.col_offset


def _is_below(node: ast.AST) -> bool:
    """Whether the body of a definition begins on a line of its own."""
    return _start(node.body[0]) >= node.lineno


def copy_of(program: Path, place: Path) -> Path:
    """Copy a program, without what is no part of it, and return where the copy is."""
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", "node_modules")
    shutil.copytree(program, place, ignore=ignored, symlinks=True)
    return place
