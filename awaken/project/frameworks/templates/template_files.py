"""The templates among the files of a snapshot, found by the names that programs give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from operator import attrgetter

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError

from awaken.knowledge.templates import library_templates
from awaken.project.frameworks.templates.template_reads import Source
from awaken.project.source.memo import cached_by, cached_property
from awaken.project.source.worklist import LONGEST_TEXT
from awaken.workspace.sources import SourceFile
from awaken.workspace.text_files import Texts

# A name with a computed part may fit many; a base that fits more tells nothing.
MOST_TEMPLATES = 40
_EXTENSIONS = ("jinja2.ext.do", "jinja2.ext.i18n", "jinja2.ext.loopcontrols")


class TemplateFiles:
    """Answers for one snapshot; ``texts`` are the templates, None where none were read."""

    def __init__(self, texts: Callable[[], Texts | None]) -> None:
        self._texts = texts

    @cached_property
    def _files(self) -> Texts | None:
        return self._texts()

    def templates_called(self, name: str) -> tuple[tuple[Source, ...], str]:
        """Return the templates that a name may mean; ``*`` in it matches anything.

        A clause says why there may be others, empty if not.
        """
        files = self._files
        if files is None:
            return (), f"the template `{name}` was not read"
        paths = _fitting(name, files.files)
        unread = _fitting(name, [problem.path for problem in files.unread])
        reasons = [f"{item.path} {item.message}" for item in files.unread if item.path in unread]
        if not paths and not unread:
            if name in library_templates().plain_templates:
                return (), ""
            return (), f"the template `{name}` is not in the project"
        if len(paths) > MOST_TEMPLATES:
            return (), f"the template `{name}` may be one of {len(paths)}"
        result: list[Source] = []
        for path in paths:
            source = self._source(files.files[path])
            if isinstance(source, str):
                reasons.append(source)
            else:
                result.append(source)
        return tuple(result), "; ".join(reasons)

    @cached_by(attrgetter("path"))
    def _source(self, file: SourceFile) -> Source | str:
        """Return a template, or why it is not read, as a clause."""
        return _read(file)

    def template_of_text(self, path: str, text: str) -> Source | str:
        """Return a template that the program itself holds, or why it is not read, as a clause."""
        try:
            return Source(path, parsed_tree(text))
        except _UnreadableError as error:
            return f"the template is not read: {error}"

    def line(self, path: str, line: int) -> tuple[int, int] | None:
        """Return where a line of a template begins and ends, without the space around it.

        None of a template that is no file.
        """
        files = self._files
        if files is None or path not in files.files:
            return None
        text = files.files[path].text
        start = 0
        for _ in range(line - 1):
            start = text.find(b"\n", start) + 1
        end = text.find(b"\n", start)
        whole = text[start : len(text) if end < 0 else end]
        begin = start + len(whole) - len(whole.lstrip())
        return begin, begin + len(whole.strip())


def _read(file: SourceFile) -> Source | str:
    try:
        return Source(file.path, parsed_tree(file.text.decode()))
    except _UnreadableError as error:
        where = f"{file.path}:{error.line}" if error.line else file.path
        return f"{where} is not read: {error}"


def _fitting(name: str, paths: Iterable[str]) -> list[str]:
    """Return the paths that a name may mean.

    First those below a directory of templates. Without any, those that end in it. A program may
    name its directory of templates freely, or have one in each of its parts, with its name in
    front.
    """
    wanted = name.lstrip("/").removeprefix("./")
    if not wanted or ".." in wanted.split("/"):
        return []
    if "*" in wanted:
        pattern = re.compile(translate(wanted))
        return sorted(item for item in paths if any(map(pattern.match, _below_templates(item))))
    below: list[str] = []
    anywhere: list[str] = []
    for path in paths:
        if wanted in _below_templates(path):
            below.append(path)
        elif _ends_in(path, wanted) or _ends_in(path.replace("/templates/", "/"), wanted):
            anywhere.append(path)
    return sorted(below or anywhere)


def _ends_in(path: str, name: str) -> bool:
    return f"/{path}".endswith(f"/{name}")


def _below_templates(path: str) -> list[str]:
    """Return the names of a file in each directory above it that is called ``templates``."""
    parts = path.split("/")
    return ["/".join(parts[at + 1 :]) for at, name in enumerate(parts[:-1]) if name == "templates"]


class _UnreadableError(ValueError):
    """A template is not read; says why, as a clause. ``line`` is 0 where none is to blame."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(extensions=_EXTENSIONS, autoescape=True)


def parsed_tree(text: str) -> nodes.Template:
    """Return the tree of a template. Raises UnreadableError."""
    if len(text) > LONGEST_TEXT:
        raise _UnreadableError(f"it is longer than {LONGEST_TEXT} characters")
    try:
        return _environment().parse(text)
    except TemplateSyntaxError as error:
        why = f"it is not plain Jinja: {(error.message or 'a syntax error').splitlines()[0][:200]}"
        raise _UnreadableError(why, error.lineno) from None
    except RecursionError:
        raise _UnreadableError("it is nested too deeply") from None
    except (ValueError, OverflowError):  # a number of thousands of digits
        raise _UnreadableError("it holds a number that Python does not read") from None
