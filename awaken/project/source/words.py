"""The files that hold a word, told from their bytes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from keyword import kwlist, softkwlist
from typing import Literal, get_args

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.project.source.looked_at import Search, SearchKind, WatchedSnapshot
from awaken.project.source.memo import cached_property
from awaken.project.source.worklist import MOST_FILES
from awaken.workspace.formats.word_index import WordIndex
from awaken.workspace.sources import is_python
from awaken.workspace.work import WORK

FilesWith = Callable[[Sequence[bytes]], list[str]]
"""Gives the paths of the files that hold one of some words."""
_WORD = re.compile(rb"\w")

# Possessive repeats, here and below, never give a word back: no text takes quadratic time.
_WORDS = re.compile(rb"\w++")
_PLAIN_CLASS = re.compile(
    rb"class[ \t\f]+[^\s:(\[\\#]+[ \t]*"  # its name
    rb"(?:\[[^()#'\"\]]*\][ \t]*)?"  # type parameters without brackets of their own
    rb"(?:\(([^()#'\"]*)\)[ \t]*)?:"  # bases without calls, comments and strings
)
_DERIVING = re.compile(rb"(?<!\w)(?:type|new_class)\([^()=]{0,99},\s*\(([^()]*+)\)")
"""A call that makes a class with bases; a file too many is only read in vain."""
# The text after a word. A parenthesis may be closed before the call: ``(load)(x)``.
_CALLING = re.compile(rb"[\s\\)]*+\(")
_RENAMING = re.compile(rb"[\s\\]++as\b")
_ENDING = re.compile(rb"[ \t)]*+(?:[;:#\r\n\\]|\Z)")
_CLASS_NAME = re.compile(rb"class[\s\\]++(\w++)")
_CHAIN = b".0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BEFORE_VALUE = b" \t\n\r\f\v(\\"
_READ_FROM = re.compile(rb"\s*+\.(?!\s*+__(?:dict|getattribute)__)|\s++import\b")
_AS = re.compile(rb"\s++as\b")
_IMPORT_END = re.compile(rb"import\s*(?:\((?:[^)#]|#[^\n]*+)*+\)|(?:[^\n\\]|\\\r?\n|\\)*+)")
# Text that may be between a dot and an attribute, also where a text like "{0." "name}" goes on.
_READ = re.compile(rb"""\.(?:\s|\\|[rRuU]?["']|#[^\n]*+)*+(\w++)""")
_PLAIN = rb"""(?:[^()"'#]|"[^"()\\\n]*+"|'[^'()\\\n]*+')"""
_LITERAL_READ = re.compile(
    rb"""\s*+\((?:[\w.\s]|\[[^]["'()#]*+\]|\((?:%b|\(%b*+\))*+\))++,\s*+(["'])\w*+\1\s*+[,)]"""
    % (_PLAIN, _PLAIN)
)
"""The text after `getattr` in a call that names the attribute."""
_CALLED_OR_RENAMED = re.compile(rb"(?:[\s\\)]|#[^\n]*+)*+\(|[\s\\]++as\b")
COMPOSING = {
    "__dict__": re.compile(rb"(?:[\s\\)]|#[^\n]*+)*+[.[]"),
    **dict.fromkeys(("getattr", "getmembers", "globals", "vars"), _CALLED_OR_RENAMED),
}
"""What turns a text into what it names, or gives all that has a name, and the text after it."""
_SETTING = re.compile(rb"(?<!super\(\)\.)(?<!\w)(?:__setattr__|setattr|(?<=\.)object|spy)(?!\w)")
_SETS_ON_SELF = re.compile(rb"\s*+\(\s*+self\s*+,")
_SETS_BY_TEXT = re.compile(rb"\s*+\(\s*+[\"']")
_NAMESPACES = (b"globals(", b"vars(", b"__dict__")
_FILLED = re.compile(
    rb"(?:(?<!\w)(?:globals|vars)\s*+\((?:[^()]++|\([^()]*+\))*+\)|__dict__)[\s\\)]*+"
    rb"(?:\[(?!\s*+[\"']\w++[\"']\s*+\])(?:[^][]++|\[[^][]*+\])*+\]\s*+=(?!=)|\.\s*+update\b"
    rb"|\|?=(?!=))"
    rb"|^[ \t]*+\w++\s*(?::[^=\n]*+)?=\s*(?:globals|vars)\("
    rb"|(?:dict|setitem)\(\s*(?:globals\(|vars\(|[\w.()]+\.__dict__)",
    re.MULTILINE,
)
"""A namespace that gets an unknown name, or that a variable holds."""
_KEYWORDS = {word.encode() for word in (*kwlist, *softkwlist, "print", "exec")}
"""What may be next to a name, in Python 2 as well."""
_UNDERSCORE = ord("_")
_DEFINING = {b"class", b"def"}
_BOUND = re.compile(rb"[ \t]*+=[ \t]*+[^=}!:\s\\]")
"""The text after a name that gets a value, or of an argument. In an f-string, ``{name=}`` reads."""
_BEFORE_BOUND = re.compile(rb"\A\Z|[(,][ \t]*+\Z|[\w)\]}\"',(][ \t\r]*\n[ \t]*+\Z")
"""The text before such a name, which no annotation ends with: ``name: type = value``."""
_NEXT_WORD = re.compile(rb"[ \t]++([A-Za-z_]\w*+)")
_COMMENTED = (".cfg", ".ini", ".toml", ".yaml", ".yml")
_COMMENT = re.compile(rb"^[ \t]*+#[^\r\n]*+", re.MULTILINE)
"""A line of a settings file that is a comment: nobody finds a function by it."""


_Found = frozenset[bytes] | None
WordKind = Literal["inherited", "defined", "imported", "read"]
WORD_KINDS: tuple[WordKind, ...] = get_args(WordKind)
_Kind = WordKind | Literal["renamed", "called"]


def called_words(*names: str) -> tuple[bytes, ...]:
    """Return what the files hold that call one of ``names``, or import it by another name."""
    return tuple(f"{name}{after}".encode() for name in names for after in ("(", " as "))


class WordSet(Struct, frozen=True, array_like=True):
    """Words of one text, each between line ends; ``joined`` is None where any may be one."""

    joined: bytes | None

    @classmethod
    def of(cls, words: Iterable[bytes] | None) -> WordSet:
        """Return the set of ``words``; None means any."""
        return cls(None if words is None else b"\n%s\n" % b"\n".join(sorted(set(words))))

    def has(self, word: bytes) -> bool:
        """Whether ``word`` is one of them, or may be."""
        return self.joined is None or (b"\n%s\n" % word in self.joined and b"\n" not in word)

    def words(self) -> list[bytes]:
        """Return them; none where any may be one."""
        return (self.joined or b"").split()


KeptWords = Mapping[WordKind, MutableMapping[bytes, WordSet]]
"""The words that stand in some way in a text, by that way and the text."""


class Words:
    """Searches the text of a snapshot; ``candidates`` gives the Python files that hold bytes.

    ``index`` is that of their words. ``kept`` holds words of texts; all snapshots of a run may
    share it. ``templates`` are paths of files that count as nowhere.
    """

    def __init__(
        self,
        files: WatchedSnapshot,
        candidates: FilesWith,
        index: WordIndex | None = None,
        kept: KeptWords | None = None,
        templates: Collection[str] = (),
    ) -> None:
        self._files = files
        self._candidates = candidates
        self._found: dict[str, list[str]] = {}
        self._by_kind: dict[tuple[_Kind, str], list[str]] = {}
        self._index = index
        self._noted: dict[Search, frozenset[str]] = {}
        self._all_of: dict[WordKind, Mapping[bytes, list[str]]] = {}
        self.kept: KeptWords = {kind: {} for kind in WORD_KINDS} if kept is None else kept
        # Templates exist only with a rule that reads them, and no answer depends on that.
        self._others = sorted(
            path for path in files if not is_python(path) and path not in templates
        )

    def know(self, found: Mapping[str, list[str]]) -> None:
        """Know the Python files, sorted, that have each of some words, from an earlier run."""
        self._found.update(found)

    def files_with(self, word: str) -> list[str]:
        """Return the Python files that have ``word`` as a whole word, sorted by path."""
        paths = self._holding(word)
        self._note("word", word, paths)
        return paths

    def _holding(self, word: str) -> list[str]:
        """Return the same for a question that is narrower, which whoever asks notes."""
        if word not in self._found:
            self._found[word] = self._search(word)
        return self._found[word]

    def _note(self, kind: SearchKind, word: str, paths: list[str]) -> None:
        search = Search(kind, word.encode())
        # One set of paths for all units that ask: on large programs these take most of the memory.
        if search not in self._noted:
            self._noted[search] = frozenset(paths)
        self._files.looked_at.note_search(search, self._noted[search])

    def _search(self, word: str) -> list[str]:
        encoded = word.encode()
        if self._index is not None and self._index.is_worth_it and _WORDS.fullmatch(encoded):
            return self._index.with_word(encoded)
        paths = self._candidates([encoded])
        if not word.isascii():
            return paths  # word boundaries of bytes are those of ASCII
        return [path for path in paths if is_whole_word(encoded, self._searched_text(path))]

    def _searched_text(self, path: str) -> bytes:
        return self._files.file_to_search(path).text

    def _by_word(self, kind: WordKind) -> Mapping[bytes, list[str]]:
        """Return the Python files by their words of one kind."""
        if kind not in self._all_of:
            found: defaultdict[bytes, list[str]] = defaultdict(list)
            for path in self.python():
                for word in self._words_of(kind, self._searched_text(path)).words():
                    found[word].append(path)
            self._all_of[kind] = found
        return self._all_of[kind]

    def _words_of(self, kind: WordKind, text: bytes) -> WordSet:
        kept = self.kept[kind]
        known = kept.get(text)
        if known is None:
            WORK.searches += 1
            known = kept[text] = WordSet.of(WORDS_OF[kind](text))
        return known

    def python(self) -> list[str]:
        """Return the Python files of the snapshot, sorted by path."""
        return self._python

    @cached_property
    def _python(self) -> list[str]:
        return sorted(path for path in self._files if is_python(path))

    def text(self, path: str) -> bytes:
        """Return the text of a file of the snapshot."""
        return self._files[path].text

    def defined_in(self, word: str) -> list[str]:
        """Return the Python files in which a class may have the name ``word``."""
        paths = self._paths_with(self._holding(word), word, "defined")
        self._note("defined", word, paths)
        return paths

    def imported_in(self, *words: str) -> list[str]:
        """Return the Python files that have each of ``words`` in an import statement."""
        paths = sorted(set.intersection(*(set(self._holding(word)) for word in words)))
        for word in words:
            many = len(paths) > max(MOST_FILES, len(self._python) // 8)
            if word.isascii() and (many or "imported" in self._all_of):
                importing = set(self._by_word("imported").get(word.encode(), ()))
                paths = [path for path in paths if path in importing]
            else:
                paths = self._paths_with(paths, word, "imported")
        self._note("imported", "\0".join(words), paths)
        return paths

    def imports(self, path: str, word: str) -> bool:
        """Whether the file at ``path`` has ``word`` in an import statement; it may be ``*``."""
        is_held = word.encode() in self._searched_text(path)
        held = is_held and bool(self._paths_with([path], word, "imported"))
        self._files.looked_at.note_facts(path, "imports", word, b"" if held else None)
        return held

    def may_use_module(self, path: str, last: str) -> bool:
        """Whether the file at ``path`` may use a module called ``last`` as a value."""
        imported = bool(self._paths_with([path], last, "imported"))
        held = uses_module(self._searched_text(path), last.encode(), imported=imported)
        self._files.looked_at.note_facts(path, "module", last, b"" if held else None)
        return held

    def may_compose(self, path: str) -> bool:
        """Whether the file at ``path`` may read what a text names that is no literal."""
        composes = may_compose(self._searched_text(path))
        self._files.looked_at.note_facts(path, "composes", "", b"" if composes else None)
        return composes

    def may_set_computed(self, path: str) -> bytes:
        """Return on what the file at ``path`` may set an attribute whose name it computes.

        That is ``self``, ``any`` object, or nothing: then the result is empty.
        """
        owner = may_set_computed(self._searched_text(path))
        self._files.looked_at.note_facts(path, "sets", "", owner or None)
        return owner

    def read_in(self, word: str) -> list[str]:
        """Return the Python files in which ``word`` may be read as an attribute: after a dot.

        Also one that a text for ``format`` names, but none that is a text by itself.
        """
        if not word.isascii():
            return self.files_of_kind(word, "read")
        found = self._by_word("read").get(word.encode(), [])
        self._note("read", word, found)
        return found

    def calling(self, names: Iterable[str]) -> frozenset[str]:
        """Return the Python files that may call what has one of ``names``, or rename it."""
        return frozenset(
            path
            for name in sorted(names)  # one word that is sought saves the search of another
            for path in (*self.files_of_kind(name, "called"), *self.files_of_kind(name, "renamed"))
        )

    def files_of_kind(self, word: str, kind: _Kind) -> list[str]:
        """Return the Python files in which ``word`` is one of those of this ``kind``, or may be.

        A class may be ``inherited``, something ``renamed``, and what has that name ``called``.
        """
        paths = self.files_with(word)
        if (kind, word) not in self._by_kind:
            self._by_kind[kind, word] = self._paths_with(paths, word, kind)
        self._note(kind, word, self._by_kind[kind, word])
        return self._by_kind[kind, word]

    def _paths_with(self, paths: list[str], word: str, kind: _Kind) -> list[str]:
        # The patterns know ASCII words only; any other word may be in every file.
        if not word.isascii():
            return paths
        encoded = word.encode()
        if kind == "renamed" or kind == "called":  # noqa: PLR1714  so that mypy sees which
            return [path for path in paths if is_match(encoded, self._searched_text(path), kind)]
        return [
            path for path in paths if self._words_of(kind, self._searched_text(path)).has(encoded)
        ]

    @cached_property
    def _first_elsewhere(self) -> dict[bytes, str]:
        """The first file other than Python that contains each word."""
        result: dict[bytes, str] = {}
        for path in self._others:
            for word in set(_WORDS.findall(self._settings(path))):
                result.setdefault(word, path)
        return result

    def _settings(self, path: str) -> bytes:
        """Return the text of a file that is no Python, its lines of comments left blank."""
        text = self._files[path].text
        if not path.endswith(_COMMENTED):
            return text
        return _COMMENT.sub(lambda match: b" " * len(match[0]), text)

    def place_outside_python(self, word: str) -> Place | None:
        """Return where a file that is no Python, such as pyproject.toml, holds ``word``.

        Templates are not looked at.
        """
        encoded = word.encode()
        is_plain = _WORDS.fullmatch(encoded) is not None
        known = self._first_elsewhere.get(encoded) if is_plain else None
        for path in self._others if not is_plain else [known] if known is not None else []:
            start = _first(encoded, self._settings(path))
            if start is not None:
                return Place(path, Span(start, start + len(encoded)))
        return None


def uses_module(text: bytes, last: bytes, *, imported: bool) -> bool:
    """Whether a file may use a module called ``last`` as a value, and does not just read from it.

    ``from package.last import name`` and ``last.name`` only read, and ``import last`` alone uses
    nothing. ``imported`` says whether the word may be in an import statement.
    """
    for start in _places(last, text):
        stop = start + len(last)
        is_read = _READ_FROM.match(text, stop) is not None
        is_only_imported = text.endswith(b"import ", 0, start) and not _AS.match(text, stop)
        # A file that does not import it by its name has it as ``package.last`` alone.
        is_used = not is_read and not is_only_imported and (imported or _is_attribute(text, start))
        if is_used and not _is_next_to_name(text, start, stop):
            return True
    return False


def _is_attribute(text: bytes, start: int) -> bool:
    """Whether a dot is before what begins at ``start``, maybe on another line."""
    while start and text[start - 1] in b" \t\n\r\f\v\\":
        start -= 1
    return text.endswith(b".", 0, start)


def may_compose(text: bytes) -> bool:
    """Whether a file may read what a text names that is no literal."""
    return any(
        after.match(text, start + len(word))
        and not (word == "getattr" and _LITERAL_READ.match(text, start + len(word)))
        for word, after in COMPOSING.items()
        for start in _places(word.encode(), text)
    )


def may_set_computed(text: bytes) -> bytes:
    """Return on what a file may set an attribute whose name it computes: see ``Words``."""
    if any(word in text for word in _NAMESPACES) and _FILLED.search(text):
        return b"any"
    owners = {
        bool(_SETS_ON_SELF.match(text, place.end()))
        for place in _SETTING.finditer(text)
        if _CALLED_OR_RENAMED.match(text, place.end())
        and not _LITERAL_READ.match(text, place.end())
        and not _SETS_BY_TEXT.match(text, place.end())
    }
    return b"self" if owners == {True} else b"any" if owners else b""


def may_mention(word: bytes, text: bytes) -> bool:
    """Whether a Python file may have a mention of ``word``, as ``Module.mentions`` gives them.

    No mention is what a file defines or gives a value to. A name follows no other name, so both
    are words of a comment or of a string. A string mentions what is at its end, after no space.
    """
    return not all(
        _is_next_to_name(text, start, start + len(word))
        or _is_bound(text, start, start + len(word))
        for start in _places(word, text)
    )


def _is_next_to_name(text: bytes, start: int, stop: int) -> bool:
    """Whether another name, ``class`` or ``def`` is before or after a word, on the same line."""
    after = _NEXT_WORD.match(text, stop)
    if after is not None and after[1] not in _KEYWORDS:
        return True
    before = _word_before(text, start)
    is_name = before not in _KEYWORDS and not before[:1].isdigit()
    return before in _DEFINING or bool(before and is_name)


def _is_bound(text: bytes, start: int, stop: int) -> bool:
    """Whether a word is the name of an argument, or a variable that gets a value."""
    if not _BOUND.match(text, stop):
        return False
    line = text.rfind(b"\n", 0, start) + 1
    above = text.rfind(b"\n", 0, max(line - 1, 0)) + 1
    # A comment may be between an annotation and its colon.
    return b"#" not in text[above:start] and bool(_BEFORE_BOUND.search(text, above, start))


def _word_before(text: bytes, start: int) -> bytes:
    """Return the word of ASCII before ``start``, if nothing but blanks is between."""
    stop = start
    while stop and text[stop - 1] in b" \t":
        stop -= 1
    begin = stop
    while begin and (text[begin - 1 : begin].isalnum() or text[begin - 1] == _UNDERSCORE):
        begin -= 1
    return text[begin:stop] if stop < start else b""


def is_whole_word(word: bytes, text: bytes) -> bool:
    """Whether ``word`` is a whole word in ``text``, as letters of ASCII bound words."""
    return _first(word, text) is not None


def word_pattern(word: str) -> re.Pattern[bytes]:
    """Return a pattern that matches ``word`` where it is a whole word.

    It begins with the word: a pattern that begins with anything else is tried at every byte.
    """
    escaped = re.escape(word.encode())
    return re.compile(rb"%b(?<!\w%b)(?!\w)" % (escaped, escaped))


def _first(word: bytes, text: bytes) -> int | None:
    """Return where ``word`` is first a whole word in ``text``."""
    WORK.searches += 1
    return next(_places(word, text), None)


def _places(word: bytes, text: bytes) -> Iterator[int]:
    """Yield where ``word`` is a whole word in ``text``.

    A pattern that looks back first would be tried at every byte: 20 times slower.
    """
    start = text.find(word)
    while start >= 0:
        stop = start + len(word)
        if not (_WORD.match(text, start - 1) if start else None) and not _WORD.match(text, stop):
            yield start
        start = text.find(word, start + 1)


def _inherited_words(text: bytes) -> _Found:
    """Return the words among the bases of all classes; None if one cannot be read like this."""
    result: set[bytes] = set()
    for start in _classes(text):
        plain = _PLAIN_CLASS.match(text, start)
        if plain is None:
            return None
        if plain[1] is not None:
            # `class Final(*BASES)`: a variable has the words of the bases.
            result.update(_WORDS.findall(text if b"*" in plain[1] else plain[1]))
    for made in _DERIVING.finditer(text):
        result.update(_WORDS.findall(made[1]))
    if b"new_class" in text:
        # By whatever name it is called: a file too many is only read in vain.
        result.update(_WORDS.findall(text))
    return frozenset(result)


def _classes(text: bytes) -> Iterator[int]:
    """Yield where a line begins with ``class``."""
    for start in _places(b"class", text):
        line = text.rfind(b"\n", 0, start) + 1
        # A lone carriage return ends a line for Python, too.
        line = max(line, text.rfind(b"\r", line, start) + 1)
        if not text[line:start].strip(b" \t\f"):
            yield start


def _is_renamed(word: bytes, text: bytes) -> bool:
    """Whether an import or an assignment may give ``word`` another name."""
    for start in _places(word, text):
        stop = start + len(word)
        if _RENAMING.match(text, stop) or (_ENDING.match(text, stop) and _is_value(text, start)):
            return True
    return False


def _is_value(text: bytes, start: int) -> bool:
    """Whether ``=`` is before the word at ``start``, or before the names that it is read from.

    In keyword arguments and comparisons as well: a file too many is only read in vain.
    """
    while start and text[start - 1] in _CHAIN:
        start -= 1
    while start and text[start - 1] in _BEFORE_VALUE:
        start -= 1
    return text.endswith(b"=", 0, start)


def _imported_words(text: bytes) -> frozenset[bytes]:
    """Return the words of all statements that import, and ``*`` if one imports all names."""
    result: set[bytes] = set()
    for start in _places(b"import", text):
        line = text.rfind(b"\n", 0, start) + 1
        while text[max(line - 3, 0) : line].rstrip(b"\r\n").endswith(b"\\"):
            line = text.rfind(b"\n", 0, line - 1) + 1
        end = _IMPORT_END.match(text, start)
        stop = end.end() if end is not None else start
        result.update(_WORDS.findall(text, line, stop))
        # Also one in a comment: a file too many is only read in vain.
        if text.find(b"*", start, stop) >= 0:
            result.add(b"*")
    return frozenset(result)


def _is_called(word: bytes, text: bytes) -> bool:
    """Whether a parenthesis follows ``word`` somewhere."""
    return any(_CALLING.match(text, start + len(word)) for start in _places(word, text))


def is_match(word: bytes, text: bytes, kind: SearchKind) -> bool:
    """Whether a search of ``kind`` for ``word``, in ASCII, finds ``text``."""
    if kind in _STANDS:
        WORK.searches += 1
        return _STANDS[kind](word, text)
    if not is_whole_word(word, text):
        return False
    words = WORDS_OF[kind](text) if kind in WORDS_OF else None
    return words is None or word in words


_STANDS: Mapping[SearchKind, Callable[[bytes, bytes], bool]] = {
    "renamed": _is_renamed,
    "called": _is_called,
}
WORDS_OF: Mapping[SearchKind, Callable[[bytes], _Found]] = {
    "inherited": _inherited_words,
    "defined": lambda text: frozenset(_CLASS_NAME.findall(text)),
    "imported": _imported_words,
    "read": lambda text: frozenset(_READ.findall(text)),
}
"""The words that stand in a text as each kind of search wants them; None where any may."""
