"""The lines of a project that changed since a git commit: what ``--since`` looks at."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from awaken.contract import Span, UserError
from awaken.engine.machine import git
from awaken.workspace.reading import SOURCE_LIMIT, Enclosure

_HUNK = re.compile(rb"@@ -\d+(?:,(?P<old>\d+))? \+(?P<start>\d+)(?:,(?P<new>\d+))? @@")
# Whatever the user's settings for diffs, a program reads this one.
_DIFF = (
    *("-c", "core.quotePath=false", "diff", "--no-index", "--text"),
    *("--unified=0", "--inter-hunk-context=0", "--no-ext-diff", "--no-textconv", "--no-color"),
    *("--find-renames", "--src-prefix=a/", "--dst-prefix=b/", "old", "new"),
)
_DIFFERENT = 1
"""The exit code of ``git diff --no-index`` where there are differences."""
_SHA1 = 40
"""How many digits a name of an object has, unless it is one of SHA-256."""
_REGULAR = (b"100644", b"100755")
"""The modes that git gives regular files."""


class Hunk(Struct, frozen=True):
    """Lines that changed, from the 1-based ``first`` on; ``count`` is 0 where lines were deleted.

    Deleted lines were between the line ``first`` and the next one.
    """

    first: int
    count: int

    def touches(self, first: int, last: int) -> bool:
        """Whether a place in these lines holds a changed one, or a gap where lines were."""
        if self.count:
            return self.first <= last and first < self.first + self.count
        # Deleted lines leave a gap after the line ``first``; only a place on both sides of the gap
        # lost lines.
        return first <= self.first < last


class ChangedLines(Struct, frozen=True):
    """Changed lines below one root since the commit ``since``; paths are project-relative.

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

    def may_touch(self, path: str) -> bool:
        """Whether anything in the file at ``path`` changed."""
        return path not in self.tracked or bool(self.hunks.get(path))

    def fingerprint(self) -> tuple[object, ...]:
        """Return all that decides the answers, the same for the same."""
        return self.since, sorted(self.hunks.items()), sorted(self.tracked)


def changed_lines(root: Path, since: str, overlay: Mapping[Path, bytes]) -> ChangedLines:
    """Return which lines below ``root`` differ from the last common commit of ``since`` and HEAD.

    The working tree counts, committed or not; ``overlay`` gives, by absolute path, bytes that
    replace a file. Raises UserError where git cannot tell.
    """
    try:
        with git.open_repository(root) as repository:
            if repository is None:
                raise UserError(f"--since needs a git repository around {root}, and there is none")
            return _changed_lines(_Asked(repository, root), since, overlay)
    except git.NoGitError as error:
        raise UserError(f"--since needs git, and {error}") from error
    except git.GitError as error:
        raise UserError(f"--since: git cannot compare the files of {root}; {error}") from error


class _Asked(Struct, frozen=True):
    """The repository that is asked about the files below ``root``."""

    repository: git.Repository
    root: Path

    def run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self.repository.ask(self.root, *arguments, given=given)

    def answer(self, *arguments: str, given: bytes = b"") -> bytes:
        """Return what git prints. Raises GitError where it fails."""
        done = self.run(*arguments, given=given)
        if done.returncode:
            raise git.GitError(git.own_words(done))
        return done.stdout

    def path(self, name: bytes) -> str:
        """Return the project-relative path of a file that git names from the top."""
        place = self.repository.top / os.fsdecode(name)
        return os.path.relpath(place, self.root).replace(os.sep, "/")


def _is_blob(name: str, content: bytes) -> bool:
    """Whether git gives ``content`` this ``name``."""
    algorithm = "sha1" if len(name) == _SHA1 else "sha256"
    digest = hashlib.new(algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest() == name


def _changed_lines(asked: _Asked, since: str, overlay: Mapping[Path, bytes]) -> ChangedLines:
    """Compare the bytes of files with those of the commit.

    Git does not compare them itself: attributes of the repository can make a file binary, pass it
    through a filter of the user, or give it another encoding. Then changed lines would be hidden.
    """
    before = _committed_values(asked, _common_commit(asked, since))
    overlaid = {asked.path(os.fsencode(os.path.realpath(file))): file for file in overlay}
    enclosure = Enclosure(asked.repository.top)
    tracked, after = set(), dict[str, bytes]()
    for name in filter(None, asked.answer("ls-files", "-z", "--", ".").split(b"\0")):
        path = os.fsdecode(name)
        try:
            if path in overlaid:
                content = overlay[overlaid[path]]
            elif (asked.root / path).is_symlink():
                continue  # as new: what it leads to is nothing that git compares
            else:
                content = enclosure.read(asked.root / path, SOURCE_LIMIT)
        except OSError:
            continue
        tracked.add(path)
        if path not in before or not _is_blob(before[path], content):
            after[path] = content
    new = {os.path.splitext(path)[1] for path in after.keys() - before.keys()}  # noqa: PTH122
    old = {
        path: blob
        for path, blob in before.items()
        # A deleted file may have another name now.
        if path in after or (path.endswith(tuple(new)) and not os.path.lexists(asked.root / path))
    }
    hunks = _differences(asked.repository, _contents(asked, old), after)
    return ChangedLines(since, hunks, frozenset(tracked))


def _committed_values(asked: _Asked, commit: str) -> dict[str, str]:
    """Return the regular files of a commit, each with the name of its content."""
    listed = asked.answer("ls-tree", "-r", "-z", "--full-tree", commit)
    blobs = {}
    for entry in filter(None, listed.split(b"\0")):
        facts, _, name = entry.partition(b"\t")
        mode, _, blob = facts.split()
        if mode in _REGULAR:
            blobs[asked.path(name)] = blob.decode()
    return blobs


def _contents(asked: _Asked, blobs: Mapping[str, str]) -> dict[str, bytes]:
    """Return the contents of the files of a commit, without those that are too large."""
    if not blobs:
        return {}
    words = "".join(f"{blob}\n" for blob in blobs.values())
    checked = asked.answer("cat-file", "--batch-check", given=words.encode()).splitlines()
    sizes = {}
    for path, line in zip(blobs, checked, strict=True):
        kind, _, size = line.partition(b" ")[2].partition(b" ")
        if kind != b"blob":
            raise git.GitError(f"it has no content for {path}; fetch the commit as a whole")
        if int(size) <= SOURCE_LIMIT:
            sizes[path] = int(size)
    words = "".join(f"{blobs[path]}\n" for path in sizes)
    printed = asked.answer("cat-file", "--batch", given=words.encode())
    contents, at = {}, 0
    for path, length in sizes.items():
        start = printed.index(b"\n", at) + 1
        contents[path] = printed[start : start + length]
        at = start + length + 1
    return contents


def _differences(
    repository: git.Repository, before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> dict[str, tuple[Hunk, ...]]:
    """Return the lines of files that differ; those of a file that has moved from its old place."""
    if not after:
        return {}
    # By number: a name of the repository may be one that git gives a meaning.
    paths = sorted({*before, *after})
    numbers = {path: str(number) for number, path in enumerate(paths)}
    with tempfile.TemporaryDirectory(prefix="awaken-since-") as name:
        place = Path(name)
        for folder, files in (("old", before), ("new", after)):
            (place / folder).mkdir()
            for path, content in files.items():
                # Line ends change no code, and are often not the same in a working tree.
                plain = content.replace(b"\r\n", b"\n")
                (place / folder / numbers[path]).write_bytes(plain)
        done = repository.ask_outside(place, *_DIFF)
    if done.returncode not in {0, _DIFFERENT}:
        raise git.GitError(git.own_words(done))
    return {
        paths[int(written.rpartition(b"/")[2])]: hunks for written, hunks in _patches(done.stdout)
    }


def _common_commit(asked: _Asked, since: str) -> str:
    # A word with a dash would be an option to git, whatever precedes it.
    known = not since.startswith("-")
    words = ("rev-parse", "--verify", "--quiet", f"{since}^{{commit}}")
    if not known or asked.run(*words).returncode:
        raise UserError(
            f"--since: git knows no commit {since!r} in {asked.root}; name a branch, tag "
            "or commit, and fetch it first if the clone is shallow"
        )
    done = asked.run("merge-base", since, "HEAD")
    if done.returncode:
        raise UserError(
            f"--since: {since!r} and HEAD have no common commit in {asked.root}; if the "
            "clone is shallow, fetch more of its history"
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
    return b"" if written == b"/dev/null" else written.removeprefix(b"b/")
