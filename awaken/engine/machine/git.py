"""Asks git about a working tree, and lets the repository run nothing.

A repository's own configuration can name programs: filters, monitors, hooks, pagers, transports,
and what a later git will think of. Git offers no way to leave it out. So git gets a git directory
of awaken's: links to the real objects, references and index, and a configuration with the few
settings that are only data. Git looks for no repository by itself either: the working tree is the
one around the directory that was asked about, never a bare repository that lies in it.

The user's own configuration counts as ever. Filters that it names do run where the attributes of
the repository ask for them: without them git cannot tell whether a file changed (``git lfs``).

A commit is made by the user's own git. Only ``awaken migrate --commit`` asks for it: hooks and
settings of the repository do run then.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from awaken.contract import UserError
from awaken.engine.machine.filesystem import NO_WAIT
from awaken.engine.machine.programs import Bounds, find_program, run_program
from awaken.workspace.reading import working_tree

SECONDS = 60
"""Git answers within seconds about the largest repositories; what takes a minute hangs."""

_LARGEST = 1_000_000
"""Bytes of a configuration that are read: real ones have some thousand, with many branches."""

_QUIET = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_ENVIRONMENT = {
    # The program parses git's output, and must not disturb the user's own git.
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # An object that is missing is not fetched, by no protocol and through no program.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    # Nor does a git that git starts look for a repository where only a directory looks like one.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.bareRepository",
    "GIT_CONFIG_VALUE_0": "explicit",
}
# A hook of git runs with its own idea of the repository, relative to another directory.
_OF_HOOKS = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_DIFF_OPTS"),
    *("GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_NAMESPACE", "GIT_SHALLOW_FILE"),
)

# Of a submodule git would ask its own repository, with that one's configuration.
STATUS = ("status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all")
"""What lists the changes of a working tree."""

_NOT_LINKED = {"config", "config.worktree", "hooks", "commondir", "gitdir", "HEAD"}
_DATA = re.compile(
    r"core\.(repositoryformatversion|filemode|autocrlf|eol|safecrlf|ignorecase|precomposeunicode"
    r"|symlinks|sparsecheckout|sparsecheckoutcone|trustctime|checkstat|protecthfs|protectntfs)"
    r"|extensions\.(objectformat|refstorage)"
    # Which commit @{upstream} is.
    r"|branch\..*\.(remote|merge)|remote\..*\.fetch",
    re.DOTALL,
)
"""The settings of a repository that decide what its files are, and name no program."""

_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]*")


class GitError(Exception):
    """Git cannot be asked, or gave no answer; the text is a clause that says why."""


class NoGitError(GitError):
    """There is no git on this machine."""


class Repository(Struct, frozen=True):
    """A working tree with its ``top`` (a real path), open for questions."""

    top: Path
    _git: str
    _environment: Mapping[str, str]

    def ask(
        self, directory: Path, *arguments: str, seconds: float = SECONDS, given: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git with ``arguments`` in ``directory``, below the top, and return its answer.

        ``given`` is its stdin. Raises GitError where it cannot be started, and where there is no
        answer after ``seconds``.
        """
        return _run([self._git, *_QUIET, *arguments], directory, self._environment, seconds, given)

    def ask_outside(self, directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run git in a ``directory`` of awaken, which belongs to no repository; as ``ask``.

        No attribute of the repository holds there.
        """
        names = self._environment.keys() - {"GIT_DIR", "GIT_WORK_TREE"}
        environment = {name: self._environment[name] for name in names}
        environment["GIT_CEILING_DIRECTORIES"] = str(directory.parent)
        return _run([self._git, *_QUIET, *arguments], directory, environment, SECONDS)


@contextmanager
def open_repository(directory: Path) -> Iterator[Repository | None]:
    """Open the repository whose working tree holds ``directory``; None where there is none.

    Raises GitError, and NoGitError where there is a repository but no git.
    """
    pair = _find(Path(os.path.realpath(directory)))
    if pair is None:
        yield None
        return
    top, real = pair
    git = find_program("git", top)
    if git is None:
        raise NoGitError("there is none on the PATH outside the project")
    try:
        place = tempfile.TemporaryDirectory(prefix="awaken-git-")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise GitError(f"a temporary directory cannot be created: {reason}") from error
    with place as name:
        own = Path(name)
        try:
            environment = _made_values(git, own, top, real)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise GitError(f"{real} cannot be read: {reason}") from error
        yield Repository(top, git, environment)


def _find(directory: Path) -> tuple[Path, Path] | None:
    """Return the top of the working tree around ``directory``, and its git directory."""
    top = working_tree(directory)
    while top is not None:
        place = top / ".git"
        # A file names the git directory of a worktree or a submodule.
        if place.is_file():
            return top, _named_by(place)
        if _is_git_directory(place):
            return top, place
        top = working_tree(top.parent) if top != top.parent else None
    return None


def _named_by(file: Path) -> Path:
    """Return the git directory that a ``.git`` file names: that of a worktree or a submodule."""
    try:
        written = _text(file).rstrip("\r\n")
        named = Path(os.path.normpath(file.parent / written.removeprefix("gitdir: ")))
        if written.startswith("gitdir: ") and "\0" not in written and _is_git_directory(named):
            return named
    except OSError as error:  # a name may also be too long
        raise GitError(f"{file} cannot be read: {error.strerror}") from error
    raise GitError(
        f"{file} points to a missing git repository; if the repository has moved, run "
        "`git worktree repair` in it"
    )


def _is_git_directory(place: Path) -> bool:
    """Whether git would take ``place`` for a git directory."""
    shared = place if (place / "objects").is_dir() else place / "commondir"
    return os.path.lexists(place / "HEAD") and shared.exists()


def _made_values(git: str, own: Path, top: Path, real: Path) -> dict[str, str]:
    """Make a git directory in ``own`` that replaces ``real``; return the environment to use it.

    A linked worktree has two: its own, and the one that it shares with all others.
    """
    mine = own / "git"
    environment = {name: text for name, text in os.environ.items() if name not in _OF_HOOKS}
    environment |= _with_user_settings(environment)
    environment |= {"GIT_DIR": str(mine), "GIT_WORK_TREE": str(top)}
    shared, source = mine, real
    if (real / "commondir").is_file():
        source = Path(os.path.normpath(real / _text(real / "commondir").rstrip("\r\n")))
        if not (source / "objects").is_dir():
            raise GitError(f"{real / 'commondir'} points to a missing git repository")
        shared = own / "common"
        _link(source, shared)
    _link(real, mine)
    if shared != mine:
        # A file, as git itself has it: references are not looked for in GIT_COMMON_DIR.
        (mine / "commondir").write_bytes(os.fsencode(shared))
    # A copy, for a symbolic link named HEAD would itself be read as a reference.
    (mine / "HEAD").write_bytes(_bytes(real / "HEAD"))
    # Git reads the configuration that it finds, also while it lists another: first an empty one.
    (shared / "config").write_bytes(b"")
    data = _data_of(git, source / "config", own, environment)
    (shared / "config").write_bytes(data.encode("utf-8", "surrogateescape"))
    return environment


def _with_user_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return our variables, with our setting after those of the user's environment."""
    count = environment.get("GIT_CONFIG_COUNT", "0")
    number = int(count) if count.isdecimal() else 0
    return {
        **{name: text for name, text in _ENVIRONMENT.items() if not name.endswith("_0")},
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": _ENVIRONMENT["GIT_CONFIG_KEY_0"],
        f"GIT_CONFIG_VALUE_{number}": _ENVIRONMENT["GIT_CONFIG_VALUE_0"],
    }


def _link(source: Path, target: Path) -> None:
    target.mkdir()
    for entry in source.iterdir():
        if entry.name not in _NOT_LINKED:
            (target / entry.name).symlink_to(entry)


def _data_of(git: str, config: Path, own: Path, environment: Mapping[str, str]) -> str:
    """Return the text of a configuration with those settings of ``config`` that are only data."""
    if not config.exists():
        return ""
    # From stdin, without includes: no path in the file is followed.
    words = [git, *_QUIET, "config", "--file", "-", "--no-includes", "--null", "--list"]
    done = _run(words, own, environment, SECONDS, _bytes(config))
    if done.returncode:
        raise GitError(own_words(done))
    listed = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return "".join(_settings(entry.partition("\n") for entry in listed if entry))


def _settings(entries: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    for key, equals, value in entries:
        if _DATA.fullmatch(key) and _PRINTABLE.fullmatch(key + value):
            section, _, rest = key.partition(".")
            subsection, _, variable = rest.rpartition(".")
            header = f"{section} {_quoted_text(subsection)}" if subsection else section
            yield f"[{header}]\n\t{variable}{f' = {_quoted_text(value)}' if equals else ''}\n"


def _quoted_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _run(
    words: list[str],
    directory: Path,
    environment: Mapping[str, str],
    seconds: float,
    given: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    try:
        return run_program(
            words, directory=directory, environment=environment, bounds=Bounds(seconds), given=given
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise GitError(f"git cannot be started: {reason}") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git has not answered after {seconds:g} seconds") from error


def own_words(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return in one clause what git said when it failed."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"git says: {lines[0].removeprefix('fatal: ')}" if lines else "git does not say why"


def _text(path: Path) -> str:
    return os.fsdecode(_bytes(path))


def _bytes(path: Path) -> bytes:
    """Return the content of a regular file of a git directory, or of a link to one.

    Raises OSError.
    """
    # A named pipe must not keep us waiting for its other end.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | NO_WAIT)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, f"{path.name} is not a regular file")
        result = file.read(_LARGEST + 1)
    if len(result) > _LARGEST:
        raise OSError(errno.EFBIG, f"{path.name} is larger than {_LARGEST:,} bytes")
    return result


_SECONDS = 1800.0
"""For one command: hooks may run linters, and a test suite."""
_LISTED = ("--pathspec-from-file=-", "--pathspec-file-nul")


def require_branch(directory: Path) -> None:
    """Raise UserError unless commits around ``directory`` go to a branch that keeps them."""
    if working_tree(directory) is None:
        raise UserError(
            f"{directory} is not in a git repository; leave out --commit or --verify, or "
            "run `git init`"
        )
    if _git(directory, "symbolic-ref", "-q", "HEAD").returncode:
        raise UserError(
            "HEAD is detached, so no branch would keep the commits; create one with `git "
            "switch -c awaken`"
        )


def unstage(directory: Path, files: Sequence[Path]) -> None:
    """Take ``files`` (absolute) back out of the index: a killed commit may have put them there."""
    names = b"\0".join(map(os.fsencode, files))
    _git(directory, "reset", "--quiet", *_LISTED, given=names)


def commit(directory: Path, files: Sequence[Path], message: str) -> str:
    """Commit ``files`` (absolute), and nothing else, with ``message``; return its short hash.

    Raises UserError, with the last line that git or a hook printed, where there is no commit.
    """
    names = b"\0".join(map(os.fsencode, files))
    for words in (
        # Git adds no file that it ignores, although it tracks it.
        ("add", "--force", *_LISTED),
        ("commit", "--quiet", "--only", "--message", message, *_LISTED),
    ):
        done = _git(directory, *words, given=names)
        if done.returncode:
            lines = (done.stderr or done.stdout).decode(errors="replace").split("\n")
            why = next((line.strip() for line in reversed(lines) if line.strip()), "no reason said")
            raise UserError(
                f"git made no commit ({why}); the files of this step are written: "
                "commit them yourself and run the same command again, or `awaken undo`"
            )
    return _git(directory, "rev-parse", "--short", "HEAD").stdout.decode().strip()


def _git(directory: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    git = find_program("git", directory)
    if git is None:
        raise UserError("there is no git on the PATH outside the project; leave out --commit")
    try:
        return run_program(
            [git, "--literal-pathspecs", *words],
            directory=directory,
            environment={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            bounds=Bounds(_SECONDS, memory=1 << 34),
            given=given,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(
            f"git could not be run ({type(error).__name__}); leave out --commit"
        ) from error
