"""The lines of a project that changed since a git commit: what ``--since`` looks at."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from awaken.contract import Span, UserError
from awaken.engine.machine import git

_HUNK = re.compile(rb"@@ -\d+(?:,(?P<old>\d+))? \+(?P<start>\d+)(?:,(?P<new>\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_ESCAPED[b"v"] = b"\v"
# Whatever the user has set for diffs, this one is for a program to read.
_DIFF = (
    *("-c", "core.quotePath=false", "-c", "diff.autoRefreshIndex=false"),
    *("diff", "--unified=0", "--inter-hunk-context=0"),
    *("--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--find-renames"),
    *("--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/"),
)


class Hunk(Struct, frozen=True):
    """Lines that changed, from the 1-based ``first`` on; ``count`` is 0 where lines were deleted.

    Deleted lines stood between the line ``first`` and the one after it.
    """

    first: int
    count: int

    def touches(self, first: int, last: int) -> bool:
        """Whether a place in these lines holds a changed one, or a gap where lines were."""
        if self.count:
            return self.first <= last and first < self.first + self.count
        # Deleted lines leave a gap behind the line ``first``; only a place on both sides of the
        # gap lost something.
        return first <= self.first < last


class ChangedLines(Struct, frozen=True):
    """What changed below one root since the commit ``since``; paths are project-relative.

    A file that git does not track is new as a whole.
    """

    since: str
    hunks: Mapping[str, tuple[Hunk, ...]]
    tracked: frozenset[str]

    def touches(self, path: str, text: bytes, span: Span) -> bool:
        """Whether ``span`` of the file with this ``text`` touches a changed line."""
        if path not in self.tracked:
            return True
        hunks = self.hunks.get(path)
        if not hunks:
            return False
        first = text.count(b"\n", 0, span.start) + 1
        last = first + text.count(b"\n", span.start, span.end)
        return any(hunk.touches(first, last) for hunk in hunks)

    def fingerprint(self) -> tuple[object, ...]:
        """Return all that decides the answers, the same for the same."""
        return self.since, sorted(self.hunks.items()), sorted(self.tracked)


def changed_lines(root: Path, since: str, overlay: Mapping[Path, bytes]) -> ChangedLines:
    """Return which lines below ``root`` differ from the last common commit of ``since`` and HEAD.

    What stands in the working tree counts, committed or not; ``overlay`` gives, by absolute path,
    bytes that stand for a file instead. Raises UserError where git cannot tell.
    """
    try:
        with git.opened(root) as repository:
            if repository is None:
                raise UserError(f"--since needs a git repository around {root}, and there is none")
            return _changed(_Asked(repository, root), since, overlay)
    except git.NoGitError as error:
        raise UserError(f"--since needs git, and {error}") from error
    except git.GitError as error:
        raise UserError(f"--since: git cannot compare the files of {root}; {error}") from error


class _Asked(Struct, frozen=True):
    """The repository that is asked about the files below ``root``."""

    repository: git.Repository
    root: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return self.repository.ask(self.root, *arguments)

    def answer(self, *arguments: str) -> bytes:
        """Return what git prints. Raises GitError where it fails."""
        done = self.run(*arguments)
        if done.returncode:
            raise git.GitError(git.own_words(done))
        return done.stdout


def _changed(asked: _Asked, since: str, overlay: Mapping[Path, bytes]) -> ChangedLines:
    root, top = asked.root, asked.repository.top
    base = _common_commit(asked, since)
    hunks = {}
    for name, changed in _patches(asked.answer(*_DIFF, base, "--")):
        hunks[os.path.relpath(top / os.fsdecode(name), root).replace(os.sep, "/")] = changed
    listed = asked.answer("ls-files", "-z", "--", ".")
    tracked = {os.fsdecode(name) for name in listed.split(b"\0") if name}
    for file, content in overlay.items():
        path = os.path.relpath(os.path.realpath(file), root).replace(os.sep, "/")
        if path in tracked:
            # With filters, as the text of an editor has the line ends of the working tree.
            before = asked.run("cat-file", "--filters", f"{base}:./{path}")
            hunks[path] = tuple(_differences(before.stdout, content))
    return ChangedLines(since, hunks, frozenset(tracked))


def _common_commit(asked: _Asked, since: str) -> str:
    # A word with a dash would be an option to git, whatever stands before it.
    known = not since.startswith("-")
    words = ("rev-parse", "--verify", "--quiet", f"{since}^{{commit}}")
    if not known or asked.run(*words).returncode:
        raise UserError(
            f"--since: git knows no commit {since!r} in {asked.root}; name a branch, tag or "
            "commit, and fetch it first where the clone is a shallow one"
        )
    done = asked.run("merge-base", since, "HEAD")
    if done.returncode:
        raise UserError(
            f"--since: {since!r} and HEAD have no commit in common in {asked.root}; "
            "where the clone is a shallow one, fetch more of its history"
        )
    return done.stdout.decode().split()[0]


def _patches(diff: bytes) -> Iterator[tuple[bytes, tuple[Hunk, ...]]]:
    """Yield each file that still exists with its hunks; the diff has no unchanged lines.

    Lines of content are counted, never looked at: one may look like a header.
    """
    name, hunks, content = b"", list[Hunk](), 0
    for line in diff.split(b"\n"):
        # Before the count: the note about a missing line end is no line of either file.
        if line.startswith(b"\\"):  # \ No newline at end of file
            continue
        if content:
            content -= 1
        elif line.startswith(b"diff --git "):
            if name:
                yield name, tuple(hunks)
            name, hunks = b"", []
        elif line.startswith(b"+++ "):
            name = _new_name(line[4:])
        elif match := _HUNK.match(line):
            old, new = int(match["old"] or 1), int(match["new"] or 1)
            hunks.append(Hunk(int(match["start"]), new))
            content = old + new
    if name:
        yield name, tuple(hunks)


def _new_name(written: bytes) -> bytes:
    """Return the path that a ``+++`` line gives, b"" for a file that is gone."""
    if written.startswith(b'"'):
        written = _ESCAPE.sub(_unescaped, written.rstrip(b"\t\r")[1:-1])
    else:
        written = written.rstrip(b"\t")  # git ends a name with spaces so
    return b"" if written == b"/dev/null" else written.removeprefix(b"b/")


def _unescaped(match: re.Match[bytes]) -> bytes:
    said = match[1]
    return bytes([int(said, 8)]) if len(said) > 1 else _ESCAPED.get(said, said)


def _differences(before: bytes, after: bytes) -> Iterator[Hunk]:
    from difflib import SequenceMatcher  # noqa: PLC0415  only text from elsewhere needs it

    old, new = before.split(b"\n"), after.split(b"\n")
    for tag, _, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Hunk(start + 1, end - start) if end > start else Hunk(start, 0)
