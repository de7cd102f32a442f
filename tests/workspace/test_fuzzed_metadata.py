"""Whatever stands in a repository's files: one project's problem, and nothing is read outside."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from all_readers import read_everything
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from metadata_seeds import QUERY, SEEDS, TOKENS

from awaken import api
from awaken.engine import run_projects
from awaken.engine.diagnosing import diagnosis

LONG = os.environ.get("AWAKEN_HYPOTHESIS") == "long"
READ = 150 if LONG else 8
RUN = 15 if LONG else 2
PROFILE = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # four edits are few enough; to shrink them takes minutes
)
OPTIONS = api.Options(jobs=1, use_cache=False)
SISTER = {"pyproject.toml": SEEDS["pyproject"][1], "a.py": QUERY}


@pytest.fixture(scope="module")
def watched():
    """Return what was opened or listed while it is not None: an audit hook stays for ever."""
    seen = {"paths": None}

    def note(event, arguments):
        if seen["paths"] is not None and event in {"open", "os.scandir", "os.listdir"}:
            path, *_, flags = arguments if event == "open" else (*arguments, 0)
            # A name in an open directory: of which one, the event does not say. awaken opens only
            # its own state like this (engine.machine.filesystem), below a directory seen before.
            if flags & os.O_NOFOLLOW and "/" not in os.fsdecode(path):
                return
            if isinstance(path, (str, bytes, os.PathLike)) and path:
                seen["paths"].append(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100

    sys.addaudithook(note)
    return seen


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, watched):
    top = Path(os.path.realpath(tmp_path_factory.mktemp("fuzzed"))) / "top"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnosis, "repository_of", lambda _: None)  # git has tests of its own
        patch.setenv("HOME", str(top.parent))
        yield Workshop(top, watched)


class Workshop:
    """A project to put files into, and its sister, which must not notice."""

    def __init__(self, top, watched):
        self.shop, self.sister, self.outside = (top / n for n in ("shop", "sister", "outside"))
        self.watched = watched
        write(self.sister, SISTER)
        write(self.outside, {"secret.txt": b"sqlalchemy==0.1\n", "secret.py": b"1/0\n"})
        self.put({})
        report, seen = api.run([self.sister], OPTIONS), api.doctor([self.sister], OPTIONS)
        assert len(report.roots[0].findings) == 1
        self.expected = self.results(report), seen.roots[0]

    def results(self, report):
        (root,) = [one for one in report.roots if one.root == self.sister]
        return (
            root.findings,
            root.suppressed,
            root.targets,
            root.changes,
            root.files,
            root.diagnostics,
        )

    def put(self, files):
        """Make the project hold ``files`` (bytes by path) and little else."""
        remove(self.shop)
        write(self.shop, {"pyproject.toml": b"[project]\nname = 'shop'\n", "a.py": QUERY, **files})

    def check(self):
        """Run both projects and see that only the one had anything to say."""
        with self.watching():
            report = api.run([self.shop, self.sister], OPTIONS)
            seen = api.doctor([self.shop, self.sister], OPTIONS)

        assert self.results(report) == self.expected[0]
        assert [one for one in seen.roots if one.root == self.sister] == [self.expected[1]]
        said = [*report.diagnostics, *(one for root in report.roots for one in root.diagnostics)]
        said += [*seen.remarks, *(one for root in seen.roots for one in root.remarks)]
        assert [one.message for one in said if "internal error" in one.message] == []

    @contextmanager
    def watching(self):
        """See that nothing is opened or listed outside."""
        self.watched["paths"] = []
        try:
            yield
        finally:
            paths, self.watched["paths"] = self.watched["paths"], None
        assert sorted({path for path in paths if not self.allows(path)}) == []

    def allows(self, path):
        """Whether awaken may open a path: of the two, directly above, or its own and Python's."""
        own = (
            sys.prefix,
            sys.base_prefix,
            sys.pycache_prefix or sys.prefix,
            str(Path(api.__file__).parents[1] / "awaken"),
        )
        own += tuple(v for n, v in os.environ.items() if n.startswith("XDG_"))
        roots = (str(self.shop), str(self.sister))
        if path in sys.path:  # listed to import what is needed for the first time
            return True
        inside = any(Path(path).is_relative_to(one) for one in (*roots, *own))
        return inside or Path(path).parent in self.shop.parents or Path(path) in self.shop.parents


def write(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def remove(path):
    if path.is_dir() and not path.is_symlink():
        for one in path.iterdir():
            remove(one)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


EDIT = st.tuples(
    st.sampled_from(["insert", "replace", "delete", "double", "cut", "flip", "line"]),
    st.floats(0, 1, allow_nan=False),
    st.integers(0, 40),
    st.sampled_from(TOKENS),
)


def mutated(content, edits):
    """Return ``content`` after ``edits``, each somewhere between its start and its end."""
    for kind, where, length, token in edits:
        at = int(where * len(content))
        before, inside, after = content[:at], content[at : at + length], content[at + length :]
        if kind == "insert":
            content = before + token + inside + after
        elif kind == "replace":
            content = before + token + after
        elif kind == "delete":
            content = before + after
        elif kind == "double":
            content = before + inside * 30 + after
        elif kind == "cut":
            content = before
        elif kind == "flip":
            content = (
                before + bytes(byte ^ (1 << length % 8) for byte in inside[:1]) + inside[1:] + after
            )
        else:
            start = content.rfind(b"\n", 0, at) + 1
            content = content[:start] + token + b"\n" + content[start:]
    return content


@pytest.mark.parametrize("kind", SEEDS)
def test_the_seed_is_sound(workshop, kind):
    name, content = SEEDS[kind]
    includes = {
        "requirements.txt": b"",
        "more-requirements.txt": b"x\n",
        "requirements/base.txt": b"y\n",
    }
    settings_too = {"known.json": b""} if kind == "settings" else {}
    workshop.put({**includes, **settings_too, name: content})

    report = api.run([workshop.shop], OPTIONS)

    assert report.diagnostics == ()
    assert [one.diagnostics for one in report.roots] == [()]


@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.sampled(4)
def test_a_mutated_file_is_its_own_projects_problem(workshop, kind):
    name, seed = SEEDS[kind]

    @settings(PROFILE, max_examples=RUN)
    @given(st.lists(EDIT, min_size=1, max_size=4))
    def holds(edits):
        workshop.put({name: mutated(seed, edits)})
        workshop.check()

    holds()


@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.sampled(4)
def test_no_reader_fails_or_reads_outside(workshop, kind):
    name, seed = SEEDS[kind]
    workshop.put({})

    @settings(PROFILE, max_examples=READ)
    @given(st.lists(EDIT, min_size=1, max_size=4))
    def holds(edits):
        write(workshop.shop, {name: mutated(seed, edits)})
        with workshop.watching():
            read_everything(workshop.shop)

    holds()


@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.sampled(4)
def test_any_bytes_are_its_own_projects_problem(workshop, kind):
    @settings(PROFILE, max_examples=RUN)
    @given(st.binary(max_size=300))
    def holds(content):
        workshop.put({SEEDS[kind][0]: content})
        workshop.check()

    holds()


def sparse(path):
    with path.open("wb") as file:
        file.truncate(20_000_000_000)


def bound_socket(path):
    before = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may have 100 characters only
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(before)


ODD = {
    "a link out": lambda path: path.symlink_to(os.path.relpath("/etc/passwd", path.parent)),
    "a link to the sister": lambda path: path.symlink_to(path.parents[1] / "outside/secret.txt"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link into /proc": lambda path: path.symlink_to("/proc/self/environ"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a directory": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a socket": bound_socket,
    "a sparse file": sparse,
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_file_is_its_own_projects_problem(workshop, odd):
    names = sorted({name for name, _ in SEEDS.values()})
    for some in [names[:1], names] + [[name] for name in names if LONG]:
        workshop.put(dict.fromkeys(some, b""))
        for name in some:
            (workshop.shop / name).unlink()
            ODD[odd](workshop.shop / name)

        workshop.check()


def test_the_watch_sees_what_is_opened(workshop, monkeypatch):
    workshop.put({})
    secret = workshop.outside / "secret.txt"
    monkeypatch.setattr(run_projects, "rules_that_ran", lambda *_: tuple(secret.read_text()[:0]))

    with pytest.raises(AssertionError, match=r"secret\.txt"):
        workshop.check()


def test_the_check_sees_an_internal_error(workshop, monkeypatch):
    workshop.put({})

    def fails(found, *_):
        assert found.root.path == workshop.sister
        return real(found, *_)

    real = run_projects.root_run_of
    monkeypatch.setattr(run_projects, "root_run_of", fails)

    with pytest.raises(AssertionError, match="internal error: AssertionError"):
        workshop.check()
