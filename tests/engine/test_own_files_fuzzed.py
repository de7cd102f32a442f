"""What is read back from files of awaken's own, or of git's, may hold any bytes.

Each is mutated; the answer is a result or one sentence, and nothing outside of the root is touched.
"""

from __future__ import annotations

import itertools
import sys

import msgspec
import pytest
from git_repository import Repository
from hypothesis import given, settings
from hypothesis import strategies as st
from small_project import Project, tree

from awaken.contract import UserError
from awaken.engine.diagnosing.diagnosis import repository_of
from awaken.engine.machine.filesystem import REAL
from awaken.engine.suppressing.changed_lines import changed_lines
from awaken.engine.writing.journal import Record
from awaken.engine.writing.lock import hold, holder
from awaken.engine.writing.undoing import Watch, pending, undo_list

numbers = itertools.count()
SOME_PATHS = st.sampled_from(
    [b"a.py", b"pkg/b.py", b"../../outside/c.py", b"/etc/hostname", b".", b"", b"x\0y", b"\xff"]
) | st.binary(max_size=9)


# Where, how much goes, and what comes instead: a piece of the same file, or any bytes.
MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, 1 << 16),
        st.integers(0, 9),
        st.integers(0, 1 << 16) | st.binary(max_size=9),
    ),
    min_size=1,
    max_size=6,
)


def mutated(content):
    """Versions of ``content``; what is drawn does not depend on it, for it differs by run."""

    def change(mutations):
        raw = bytearray(content)
        for place, gone, new in mutations:
            if isinstance(new, int):
                start = new % (len(raw) + 1)
                new = bytes(raw[start : start + 20])  # noqa: PLW2901  a piece of it
            at = place % (len(raw) + 1)
            raw[at : at + gone] = new
        return bytes(raw)

    return MUTATIONS.map(change)


def records(written):
    """Records as somebody may forge them, around a real one."""
    saved = st.sampled_from(written.files).flatmap(
        lambda file: st.builds(
            lambda path, mode, original: msgspec.structs.replace(
                file, path=path, mode=mode, original=original
            ),
            SOME_PATHS,
            st.integers(-(1 << 63), (1 << 64) - 1),
            st.just(file.original) | st.binary(max_size=5),
        )
    )
    return st.builds(
        lambda files, directories, root: msgpack(
            msgspec.structs.replace(
                written, files=tuple(files), directories=tuple(directories), root=root
            )
        ),
        st.lists(saved, max_size=3),
        st.lists(SOME_PATHS, max_size=3),
        st.just(written.root) | SOME_PATHS,
    )


msgpack = msgspec.msgpack.encode


@pytest.mark.parametrize("status", ["done", "applying", "undoing"])
@given(data=st.data())
@pytest.mark.sampled(3)
def test_a_journal_record(tmp_path_factory, status, data):
    directory = tmp_path_factory.mktemp(f"journal{next(numbers)}")
    project = Project(directory)
    outside = directory / "outside"
    outside.mkdir()
    (outside / "c.py").write_bytes(b"mine")
    project.apply(REAL)
    (file,) = (project.state / "journal").iterdir()
    content = file.read_bytes()
    written = msgspec.msgpack.decode(content, type=Record)
    file.write_bytes(data.draw(mutated(content) | records(written)))
    file.rename(file.with_suffix(f".{status}"))
    around = tree(outside), {path.name for path in directory.iterdir()}

    for work in (
        lambda: undo_list(project.root, state=project.state),
        lambda: pending(project.root, state=project.state),
        lambda: Watch(project.state).require_settled([project.root]),
        lambda: project.undo(REAL),
    ):
        try:
            work()
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017  any of them may come, or none

    assert (tree(outside), {path.name for path in directory.iterdir()}) == around


@given(data=st.data())
def test_a_lock(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp(f"lock{next(numbers)}")
    locks = directory / "locks"
    with hold(directory, locks):
        (file,) = locks.glob("*.lock")
        file.write_bytes(data.draw(mutated(file.read_bytes())))
        try:
            found = holder(directory, locks)
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017  as above
        else:
            assert found is None or found.process is not None


CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfsmonitor = {0}
\tworktree = {1}
[filter "x"]
\tclean = {0}
\tprocess = {0}
[extensions]
\tobjectformat = sha1
[include]
\tpath = {1}
[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    made = Repository(tmp_path_factory.mktemp("git") / "project")
    made.write(".gitattributes", "*.py filter=x\n")
    made.commit(a="a = 1\n")
    made.write("a.py", "a = 2\n")
    return made


STARTED = []


@pytest.fixture(scope="module", autouse=True)
def started():
    """Hear of every process that is started here; a hook stays for good."""
    sys.addaudithook(
        lambda event, found: STARTED.append(found[1]) if event == "subprocess.Popen" else None
    )
    return STARTED


@settings(deadline=None)
@given(data=st.data())
@pytest.mark.slow
def test_the_configuration_of_a_repository(repository, started, data):
    witness = repository.path.parent / "ran"
    program = repository.path.parent / "program"
    program.write_text(f"#!/bin/sh\ntouch {witness}\n")
    program.chmod(0o755)
    config = CONFIG.format(program, repository.path.parent).encode()
    (repository.path / ".git" / "config").write_bytes(data.draw(mutated(config)))
    started.clear()

    repository_of(repository.path)
    try:
        changed_lines(repository.path, "HEAD", {})
    except UserError as error:
        assert "\n" not in str(error)  # noqa: PT017  as above

    assert not witness.exists()
    assert {words[0].rpartition("/")[2] for words in started} <= {"git"}
