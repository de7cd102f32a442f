r"""A rule's page: the docstring of its module, read into its parts.

The docstring is Markdown: one sentence, then sections under ``## ``. An example is a section
``## Before`` followed by ``## After``; it may have a title (``## Before: in bulk``), which both
share, and ``(unsafe)`` at its end says that it needs ``--unsafe-fixes``. Code blocks in them are
files, named after the language (```` ```python app/models.py ````) or called ``case.py``; blocks
with a name in any other section are files that stand beside every example. ``awaken.testing``
runs the examples.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from awaken.contract import Level
from awaken.kit.rule import Rule

EXAMPLE_FILE = "case.py"
"""The file of a code block that names none."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CODE = re.compile(
    r"^(?P<fence>`{3,})\w+(?:[ \t]+(?P<file>\S+))?[ \t]*\n(?P<text>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_SIDE = re.compile(r"(?P<side>Before|After)(?:: (?P<title>.+?))?(?P<unsafe> \(unsafe\))?")
_SENTENCE = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)


class Section(Struct, frozen=True):
    """A heading of the docstring and the Markdown below it; the first one has no title."""

    title: str
    text: str


class Example(Struct, frozen=True):
    """A program before and after, by path; ``markdown`` is how the page writes it."""

    title: str
    unsafe: bool
    before: Mapping[str, str]
    after: Mapping[str, str]
    markdown: str


PagePart = Section | Example


class Option(Struct, frozen=True):
    """One option of a rule; ``default`` is written as in TOML, None where it must be given."""

    name: str
    type: str
    default: str | None
    description: str


def docstring(rule: Rule) -> str:
    """Return the docstring of the module, or package, that is named after ``rule``.

    That of the class where the module is about foreign code of any kind.
    """
    if rule.is_foreign:
        return inspect.cleandoc(type(rule).__doc__ or "")
    name = type(rule).__module__
    own = rule.name.replace("-", "_")
    parts = name.split(".")
    if own in parts:
        name = ".".join(parts[: parts.index(own) + 1])
    return inspect.cleandoc(sys.modules[name].__doc__ or type(rule).__doc__ or "")


def summary(rule: Rule) -> str:
    """Return the first sentence of the page, in one line."""
    paragraph = " ".join(docstring(rule).partition("\n\n")[0].split())
    sentence = _SENTENCE.match(paragraph)
    return sentence[0] if sentence else paragraph


def levels(rule: Rule) -> tuple[Level, ...]:
    """Return the levels that the sites of ``rule`` can get."""
    return (Level.ADVICE,) if rule.kind == "advice" else rule.levels


def status(rule: Rule) -> str:
    """Return the status of ``rule``, or ``foreign`` for a pass."""
    return "foreign" if rule.is_foreign else rule.status


def facts(rule: Rule) -> list[tuple[str, str]]:
    """Return what the rule is, as pairs of a label and words."""
    since = f", since {rule.since}" if rule.since else ""
    return [
        ("family", rule.family),
        ("kind", rule.kind),
        ("levels", ", ".join(levels(rule))),
        ("phase", rule.phase.name.lower()),
        ("status", status(rule) + since),
    ]


def parts(rule: Rule) -> list[PagePart]:
    """Return the docstring by its headings, with each example as one part.

    The first part is the section without a title.
    """
    result: list[PagePart] = []
    for section in sections(docstring(rule)):
        before = result[-1] if result else None
        if isinstance(before, Section) and (example := _example(before, section)) is not None:
            result[-1] = example
        else:
            result.append(section)
    return result


def sections(text: str) -> list[Section]:
    """Return Markdown by its headings of the second order."""
    result: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in text.splitlines():
        # A heading inside a code block, a comment in Python, does not count.
        if match := _FENCE.match(line):
            fence = ("" if line.strip() == fence else fence) if fence else match[1]
        if line.startswith("## ") and not fence:
            result.append((line.removeprefix("## ").strip(), []))
        else:
            result[-1][1].append(line)
    return [Section(title, "\n".join(lines).strip()) for title, lines in result]


def examples(rule: Rule) -> list[Example]:
    """Return the examples of the page, in order."""
    return [part for part in parts(rule) if isinstance(part, Example)]


def program(rule: Rule) -> dict[str, str]:
    """Return the files next to every example, by path."""
    return {
        path: text
        for part in parts(rule)
        if isinstance(part, Section)
        for path, text in _files(part.text).items()
        if path != EXAMPLE_FILE
    }


def options(rule: Rule) -> list[Option]:
    """Return the options of ``rule``, as its ``options`` type declares them."""
    return [_option(field) for field in msgspec.structs.fields(rule.options)]


def _option(field: msgspec.structs.FieldInfo) -> Option:
    kind, description = field.type, ""
    if get_origin(kind) is Annotated:
        kind, *metadata = get_args(kind)
        metas = (candidate for candidate in metadata if isinstance(candidate, msgspec.Meta))
        description = next((meta.description for meta in metas if meta.description), "")
    words = inspect.formatannotation(kind).replace("typing.", "")
    return Option(field.encode_name, words, _default(field), description)


def _default(field: msgspec.structs.FieldInfo) -> str | None:
    value: Any = field.default
    if field.default_factory is not NODEFAULT:
        value = field.default_factory()
    if value is NODEFAULT:
        return None
    return "none" if value is None else msgspec.json.encode(value).decode()


def _example(before: Section, after: Section) -> Example | None:
    """Return the example that two sections are, or None if they are something else."""
    old, new = _SIDE.fullmatch(before.title), _SIDE.fullmatch(after.title)
    if old is None or new is None or (old["side"], new["side"]) != ("Before", "After"):
        return None
    if (old["title"], old["unsafe"]) != (new["title"], new["unsafe"]):
        return None
    return Example(
        title=old["title"] or "",
        unsafe=old["unsafe"] is not None,
        before=_files(before.text),
        after=_files(after.text),
        markdown="\n\n".join(f"## {side.title}\n\n{side.text}" for side in (before, after)),
    )


def _files(text: str) -> dict[str, str]:
    return {match["file"] or EXAMPLE_FILE: match["text"] for match in _CODE.finditer(text)}
