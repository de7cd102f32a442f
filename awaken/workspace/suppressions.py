"""Suppression comments: ``# awaken: ignore[rule]`` and ``# awaken: skip-file``.

``ignore`` covers one logical line: its own, or the next one if the comment has a line of its own,
in a block of such comment lines. A decorator, and the header of a compound statement, are logical
lines of their own. ``skip-file``, on a line of its own anywhere, covers the file. The rest of the
comment is for people: ``ignore[rule] until March``.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

from msgspec import Struct

from awaken.contract import Span
from awaken.workspace.sources import LINE_END_BYTES, SourceFile

MARK = b"awaken:"
"""What a file must hold to have any of these comments."""

_HEAD = re.compile(r"(?<!\S)#++[ \t]*+awaken:[ \t]*+")
_IGNORE = re.compile(r"ignore[ \t]*\[(?P<names>[^\[\]]*)\]")
_SKIP_FILE = re.compile(r"skip-file(?![\w\[(=-])")
# The words of other tools: who writes one of them after `awaken:` means a suppression.
_MEANT = ("ignore", "skip-file", "skip", "noqa", "disable", "off", "suppress")
_NO_CODE = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT})


class Suppression(Struct, frozen=True):
    """One such comment; ``text`` is it without the text for people, ``span`` its place.

    ``names`` are the rules and families as written, ``covers`` the bytes of the logical line or of
    the file, None where no statement follows it. ``wrong`` says as one clause why it is invalid,
    and ``help`` what to write; both are empty for a valid one.
    """

    text: str
    span: Span
    names: tuple[str, ...] = ()
    covers: Span | None = None
    whole_file: bool = False
    wrong: str = ""
    help: str = ""

    def covers_place(self, span: Span) -> bool:
        """Whether what starts where ``span`` does lies in what this comment covers."""
        return self.covers is not None and self.covers.start <= span.start < self.covers.end


def suppressions_in(source: SourceFile) -> tuple[Suppression, ...]:
    """Return the suppression comments of a Python file in order, malformed ones as well.

    A file that the tokenizer cannot read has none: no rule finds a site in it either.
    """
    if MARK not in source.text:
        return ()
    try:
        comments = list(_comments(source.text))
    except (tokenize.TokenError, SyntaxError):
        return ()
    return tuple(item for comment in comments for item in _read(comment, len(source.text)))


class _Comment(Struct, frozen=True):
    """A comment, where it starts, and the logical line that it covers; ``own`` is its line."""

    text: str
    start: int
    covers: Span | None
    own: bool


class _Line(Struct):
    """A logical line while its tokens are read, with the block of comments above it.

    ``first`` is the number of its first physical line, 0 until a token of it was seen.
    """

    first: int = 0
    block: list[tokenize.TokenInfo] = []
    comments: list[tokenize.TokenInfo] = []


def _comments(text: bytes) -> Iterator[_Comment]:
    # The tokenizer would take a lone \r for part of a line.
    rows = re.split("\r\n?|\n", text.decode())
    starts = [0, *(match.end() for match in LINE_END_BYTES.finditer(text)), len(text)]
    line = _Line()
    for token in tokenize.generate_tokens(io.StringIO("\n".join(rows)).readline):
        if token.type == tokenize.COMMENT:
            (line.comments if line.first else line.block).append(token)
        elif token.type in {tokenize.NEWLINE, tokenize.ENDMARKER}:
            # a final line without a line feed may follow the last one
            end = starts[min(token.start[0], len(starts) - 1)]
            covers = Span(starts[line.first - 1], end) if line.first else None
            for comment, directly in _with_block(line):
                row, column = comment.start
                before = rows[row - 1][:column]
                yield _Comment(
                    text=comment.string,
                    start=starts[row - 1] + len(before.encode()),
                    covers=covers if directly else None,
                    own=not before.strip(),
                )
            line = _Line()
        elif token.type not in _NO_CODE and not line.first:
            line.first = token.start[0]


def _with_block(line: _Line) -> Iterator[tuple[tokenize.TokenInfo, bool]]:
    """Yield the comments above and in a logical line, and whether each belongs to it."""
    next_row = line.first
    above = []
    for token in reversed(line.block):
        directly = token.start[0] == next_row - 1
        next_row = token.start[0] if directly else 0
        above.append((token, directly))
    yield from reversed(above)
    yield from ((token, True) for token in line.comments)


def _read(comment: _Comment, size: int) -> Iterator[Suppression]:
    heads = list(_HEAD.finditer(comment.text))
    ends = [*(match.start() for match in heads[1:]), len(comment.text)]
    for match, end in zip(heads, ends, strict=False):  # without a head there is one end
        said = comment.text[match.end() : end].rstrip()
        head = match[0]
        read = _ignore(said, comment) or _skip_file(said, comment, size) or _malformed_comment(said)
        if read is None:
            continue
        text = " ".join((head + read.text).split())
        start = comment.start + len(comment.text[: match.start()].encode())
        span = Span(start, start + len((head + read.text).encode()))
        yield Suppression(
            text, span, read.names, read.covers, read.whole_file, read.wrong, read.help
        )


_NOWHERE = Span(0, 0)


def _ignore(said: str, comment: _Comment) -> Suppression | None:
    match = _IGNORE.match(said)
    if match is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in match["names"].split(",")))
    names = tuple(name for name in names if name)
    if not names:
        return _wrong(match[0], "names no rule", "Write the name of the rule into the brackets.")
    return Suppression(match[0], _NOWHERE, names=names, covers=comment.covers)


def _skip_file(said: str, comment: _Comment, size: int) -> Suppression | None:
    match = _SKIP_FILE.match(said)
    if match is None:
        return None
    if not comment.own:
        return _wrong(match[0], "follows code", "Give it a line of its own.")
    return Suppression(match[0], _NOWHERE, covers=Span(0, size), whole_file=True)


def _malformed_comment(said: str) -> Suppression | None:
    """Return what is wrong with a comment that must have been meant to suppress something."""
    from difflib import get_close_matches  # noqa: PLC0415  only a malformed comment needs it

    word = re.split(r"[^\w-]", said, maxsplit=1)[0]
    after = said[len(word) :].lstrip()[:1]
    # Strict: a comment that counts as a malformed suppression gets advice, in code that may be
    # right.
    meant = get_close_matches(word.lower(), _MEANT, n=1, cutoff=0.75)
    if not meant and after not in {"[", "("}:
        return None  # "awaken:" may well be a word of the program itself
    if meant == ["ignore"] and "[" not in said:
        wrong = "names no rule in brackets"
    elif meant == ["ignore"] and "]" not in said:
        wrong = "has no closing bracket"
    else:
        wrong = "is no comment that awaken knows"
    return _wrong(
        said.partition(" ")[0],
        wrong,
        "Write `# awaken: ignore[rule-name]` or `# awaken: skip-file`.",
    )


def _wrong(text: str, wrong: str, help_text: str) -> Suppression:
    return Suppression(text, _NOWHERE, wrong=wrong, help=help_text)
