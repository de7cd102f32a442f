"""The evidence of a remembered answer: what its run looked at, and whether that is still the same.

``awaken.project.source.looked_at`` says why nothing else can have changed the answer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from awaken.engine.planning.exports import names_from, told_names
from awaken.engine.remembering.known_texts import KnownTexts, MovedLines
from awaken.engine.remembering.named_files import named_files, names_file
from awaken.project.source.looked_at import LookedAt, Search, SearchKind, facts_search
from awaken.project.source.test_files import is_around_tests, may_configure
from awaken.project.source.words import (
    is_match,
    may_compose,
    may_set_computed,
    uses_module,
)
from awaken.workspace.parsing import Unparsable, parse
from awaken.workspace.sources import SourceFile, is_python
from awaken.workspace.suppressions import MARK

if TYPE_CHECKING:
    from awaken.project.source.modules import Module

_MARKED = Search("bytes", MARK)
_UNKNOWN = b"does not parse"
_PARTS_OF_TEXT = {b"composes", b"module", b"imports", b"sets"}

Answers = tuple[tuple[int, bytes], ...]
"""What one file answered: the number of each search that holds in it, with the answer."""
NotedAnswers = tuple[Search, Iterable[tuple[str, bytes]]]
"""A search, and what files answered, by path."""


class SeenFile(Struct, frozen=True, array_like=True):
    """The digest of a file, and the number of what it answered; None if it was read.

    ``is_named``: whether the answer shows or names it, so that its comments and lines count.
    """

    digest: bytes
    answers: int | None
    is_named: bool = False


class Evidence(Struct, frozen=True):
    """The inputs that an answer depends on.

    ``made_from`` is the digest of versions, formatter and what suppresses sites. ``answers`` holds
    what files answered to ``searches``, each only once: most files answer the same.
    """

    made_from: bytes
    searches: tuple[Search, ...]
    answers: tuple[Answers, ...]
    files: dict[str, SeenFile]


class MovedFile(Struct, frozen=True):
    """A file that an answer shows or names, as it is now, and what maps its lines."""

    source: SourceFile
    lines: MovedLines


class StillHeld(Struct, frozen=True):
    """Evidence that holds for the files as they are, of the answer with the places of ``moved``."""

    evidence: Evidence
    moved: Mapping[str, MovedFile]


def evidence_for(
    shown: Collection[str],
    text: bytes,
    made_from: bytes,
    files: Mapping[str, SourceFile],
    looked_at: LookedAt,
) -> Evidence:
    """Return the evidence of an answer that comes from ``files``, and shows those ``shown``.

    ``text`` is all that it says.
    """
    named = {*shown}
    # Comments that suppress nothing are advice, so each file with a comment was looked at.
    named.update(path for path, file in files.items() if MARK in file.text or not is_python(path))
    names = named_files(text)
    # Facts of a file have no places, but an edit moves those that the answer names.
    facts = (told for search, told in looked_at.told.items() if search.kind == "facts")
    looked_in = looked_at.read.union(*facts)
    named.update(path for path in looked_in if names_file(names, path))
    read = looked_at.read | named
    # Of the files that are not read, none holds the mark.
    noted = (*noted_answers(looked_at), (_MARKED, ()))
    searches, answers, seen = answers_by_file((path for path in files if path not in read), noted)
    return Evidence(
        made_from,
        searches,
        answers,
        {
            path: SeenFile(file.digest, seen.get(path), path in named)
            for path, file in files.items()
        },
    )


def noted_answers(looked_at: LookedAt) -> Iterator[NotedAnswers]:
    """Yield each search that was noted, with what files answered, by path."""
    for search, paths in looked_at.searched.items():
        yield search, ((path, b"") for path in paths)
    yield from ((search, answers.items()) for search, answers in looked_at.told.items())


def answers_by_file(
    paths: Iterable[str], noted: Iterable[NotedAnswers]
) -> tuple[tuple[Search, ...], tuple[Answers, ...], dict[str, int]]:
    """Return the searches, the distinct answers of files, and by path the number of its answers.

    Searches for facts of one file are the last, by path.
    """
    searches: list[Search] = []
    told: dict[str, list[tuple[int, bytes]]] = {path: [] for path in paths}
    for search, answers in sorted(noted, key=lambda item: _place(item[0])):
        for path, said in answers:
            if path in told:
                told[path].append((len(searches), said))
        searches.append(search)
    numbers: dict[Answers, int] = {}
    seen = {path: numbers.setdefault(tuple(own), len(numbers)) for path, own in told.items()}
    return tuple(searches), tuple(numbers), seen


def still_holds(
    evidence: Evidence,
    made_from: bytes,
    digests: Mapping[str, bytes],
    source_of: Callable[[str], SourceFile | None],
    texts: KnownTexts,
) -> StillHeld | None:
    """Return the evidence of the same answer for the files as they are now; None if there is none.

    ``digests`` are those of all files, and ``source_of`` gives the text of one. ``texts`` has those
    from which the answer was made.
    """
    if evidence.made_from != made_from or evidence.files.keys() != digests.keys():
        return None
    changed = {
        path: structs.replace(evidence.files[path], digest=digest)
        for path, digest in digests.items()
        if evidence.files[path].digest != digest
    }
    moved: dict[str, MovedFile] = {}
    for path, seen in changed.items():
        source = source_of(path)
        if source is None or source.digest != seen.digest:
            return None
        before, own = evidence.files[path].digest, seen.answers
        lines = same_code(texts, before, source, evidence.searches)
        if lines is not None:
            texts.keep(source.digest, source.text)
            if seen.is_named:
                moved[path] = MovedFile(source, lines)
        elif (
            seen.is_named
            or own is None
            or evidence.answers[own] != answered_by(source, evidence.searches)
        ):
            return None
    return StillHeld(structs.replace(evidence, files=evidence.files | changed), moved)


def same_code(
    texts: KnownTexts, before: bytes, source: SourceFile, searches: Sequence[Search]
) -> MovedLines | None:
    """Return what maps the text with the digest ``before`` to ``source``.

    None if more than comments and blank lines differ, or if searches of both texts have other
    answers. Facts of the file may have other lines.
    """
    lines = texts.with_same_code(before, source.text)
    if lines is None:
        return None
    in_comments = [search for search in searches if _looks_into_comments(search)]
    known = answered_by(source.with_text(lines.before), in_comments)
    return lines if known == answered_by(source, in_comments) else None


def _looks_into_comments(search: Search) -> bool:
    """Whether the text of a file answers: of its facts all but a few come from its tree."""
    return search.kind != "facts" or search.sought.split(b"\0")[1] in _PARTS_OF_TEXT


def answered_by(source: SourceFile, searches: Sequence[Search]) -> Answers:
    """Return what a file answers to ``searches``, by their numbers."""
    end = bisect_left(searches, (True, b""), key=_place)
    own = facts_search(source.path).sought
    first = bisect_left(searches, (True, own), lo=end, key=_place)
    last = bisect_left(searches, (True, own + b"\xff"), key=_place)
    answers = (
        (number, answer(searches[number], source)) for number in (*range(end), *range(first, last))
    )
    return tuple((number, told) for number, told in answers if told is not None)


def _place(search: Search) -> tuple[bool, bytes]:
    """Return what searches are sorted by: those for facts, by path, after all others."""
    is_of_facts = search.kind == "facts"
    return is_of_facts, search.sought if is_of_facts else b""


def answer(search: Search, source: SourceFile) -> bytes | None:
    """Return what ``source`` answers: None for no, b"" for a mere yes."""
    text, sought = source.text, search.sought
    if search.kind == "facts":
        return _facts(sought, source)
    if search.kind == "imported":
        return (
            b"" if all(_is_match(word, text, "imported") for word in sought.split(b"\0")) else None
        )
    if sought not in text:
        return None
    if search.kind == "doubles":
        return b"" if is_around_tests(source.path) and may_configure(text) else None
    if search.kind == "exports":
        return told_names(names_from(sought.decode(), text)) or None
    return b"" if search.kind == "bytes" or _is_match(sought, text, search.kind) else None


def _is_match(word: bytes, text: bytes, kind: SearchKind) -> bool:
    # The patterns know ASCII words only; any other word may be in every file.
    return word in text and (not word.isascii() or is_match(word, text, kind))


def _facts(sought: bytes, source: SourceFile) -> bytes | None:
    """Return the answer of a file about a part of its facts; None where it has nothing of it."""
    _, part, word = sought.decode("utf-8", "surrogateescape").split("\0")
    if part == "composes":
        return b"" if may_compose(source.text) else None
    if part == "sets":
        return may_set_computed(source.text) or None
    if part == "module":
        sought, text = word.encode(), source.text
        imported = _is_match(sought, text, "imported")
        return b"" if uses_module(text, sought, imported=imported) else None
    if part == "imports":
        return b"" if _is_match(word.encode(), source.text, "imported") else None
    module = _module_of(source)
    return _UNKNOWN if module is None else _facts_of_tree(module, part, word)


def _facts_of_tree(module: Module, part: str, word: str) -> bytes | None:
    # Few edits come to this question, and trees take long to import.
    from awaken.project.names.file_facts import answer_of  # noqa: PLC0415
    from awaken.project.source.replacing import puts_of  # noqa: PLC0415

    match part:
        case "parses":
            return b""
        case "bound":
            return module.named_part("bound", word).answer()
        case "mentions":
            return module.named_part("mentions", word).answer()
        case "puts":
            return b"" if puts_of(module, word.split() or None) else None
    try:
        return answer_of(module, part, word)
    except UnicodeEncodeError:
        return _UNKNOWN


@lru_cache(maxsize=1)
def _module_of(source: SourceFile) -> Module | None:
    """Return the tree of a file; None if it does not parse."""
    from awaken.project.source.modules import Module  # noqa: PLC0415  as above

    try:
        return Module(source, parse(source), "")
    except Unparsable:
        return None
