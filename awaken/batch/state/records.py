"""The lines of the log as types: the state after a step, and what is known then."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """Where a repository is. The values are what the log and the tables say."""

    WAITING = "waiting"
    CLONED = "cloned"
    NOTHING = "nothing to do"
    CHANGED = "changed"
    VERIFIED = "verified"
    RED_BEFORE = "tests were red before"
    VERIFY_FAILED = "verify failed"
    REFUSED = "refused"
    APPROVED = "approved"
    PUSHED = "pushed"
    PR_OPEN = "PR open"
    MERGED = "merged"
    CLOSED = "closed"
    ERROR = "error"


FINISHED = frozenset(State) - {State.WAITING, State.CLONED}
"""States after which a run of the same inputs has nothing to do."""
READY = frozenset({State.CHANGED, State.VERIFIED})
"""States that can be approved."""
FAILED = frozenset({State.ERROR, State.VERIFY_FAILED, State.RED_BEFORE})


class Kind(StrEnum):
    """Why something failed. Failures of the machine are retried, failures of the code are not."""

    NETWORK = "network"
    DISK = "disk"
    KILLED = "killed"
    GONE = "gone"
    GIT = "git"
    CODE = "code"
    TIME = "time"
    MEMORY = "memory"
    SIZE = "size"
    HOST = "host"
    INTERNAL = "internal"


MACHINERY = frozenset({Kind.NETWORK, Kind.DISK, Kind.KILLED})


class Counts(Struct, frozen=True, omit_defaults=True):
    """The counts of a run: rewritten sites by level, manual sites, files, and tests."""

    safe: int = 0
    unsafe: int = 0
    manual: int = 0
    files: int = 0
    tests_before: str = ""
    tests_after: str = ""
    not_exercised: int = 0


class Known(Struct, kw_only=True, omit_defaults=True):
    """The facts of one log line about a repository, or of all its lines together.

    ``key`` identifies the inputs, ``base`` is the cloned commit, ``commit`` the new one, ``patch``
    the digest of its changes, ``approved`` the digest that was approved. ``branch`` is the name,
    and ``pushed`` the commit on the host.
    """

    repository: str
    state: State = State.WAITING
    at: float = 0.0
    key: str = ""
    base: str = ""
    base_branch: str = ""
    commit: str = ""
    patch: str = ""
    branch: str = ""
    pushed: str = ""
    kind: Kind | None = None
    message: str = ""
    cause: str = ""
    attempt: int = 0
    seconds: float = 0.0
    approved: str = ""
    url: str = ""
    number: int = 0
    fork: str = ""


class Record(Known, kw_only=True, omit_defaults=True):
    """One line: the ``state`` of a repository after a step, and what is new.

    ``at`` is the clock of then; the order is that of the lines, for clocks jump. ``pushing`` is a
    commit that was about to be pushed.
    """

    state: State
    at: float
    pushing: str = ""
    counts: Counts | None = None
    opened: bool = False
    machine: str = ""
