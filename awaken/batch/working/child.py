"""The process that plans, verifies, applies and commits in one clone; it sees no secret.

    python -I -c "... main()" PLACE DIGEST

``PLACE`` has the file ``start`` of that digest and the clone, and gets ``out/result.json``. It ends
with the process that started it, which holds a lock on ``PLACE/alive``.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from hashlib import sha256
from pathlib import Path

import msgspec

from awaken.batch.state.records import Kind
from awaken.batch.working.changing import change
from awaken.batch.working.task_data import START, ChildResult, Start, Task, error_result
from awaken.contract import UserError

_SECONDS_BETWEEN = 0.5


def main() -> None:
    """Do the task of the place that the command line names, and end this process."""
    place = Path(sys.argv[1])
    threading.Thread(target=_end_with_parent, args=(place / "alive",), daemon=True).start()
    # Now, for the tests could write into that file as well.
    content = (place / START).read_bytes()
    if sha256(content).hexdigest() != sys.argv[2]:
        sys.exit("awaken: the task of this process was changed by another one")
    start = msgspec.msgpack.decode(content, type=Start)
    task = start.task
    os.chdir(place / "repository" / task.subdirectory if _is_inside(place, task) else place)
    try:
        result = change(start, place) if _is_inside(place, task) else _no_directory(task)
    except UserError as error:
        result = error_result(Kind.CODE, str(error))
    except Exception as error:  # noqa: BLE001  a repository must not cost the campaign more than itself
        traceback.print_exc()
        what = " ".join(f"{type(error).__name__}: {error}".split())
        result = error_result(
            Kind.INTERNAL, f"internal error: {what}; please report it with the log"
        )
    draft = place / "out" / "result.draft"
    draft.write_bytes(msgspec.json.encode(result))
    draft.rename(place / "out" / "result.json")
    sys.stdout.flush()
    # Nothing that the run left, a thread of a library for instance, may keep us.
    os._exit(0)


def _is_inside(place: Path, task: Task) -> bool:
    """Whether the subdirectory of the task is a directory of the clone, and no link out of it."""
    top = Path(os.path.realpath(place / "repository"))
    real = Path(os.path.realpath(top / task.subdirectory))
    return real.is_dir() and real.is_relative_to(top)


def _no_directory(task: Task) -> ChildResult:
    return error_result(Kind.GONE, f"there is no directory {task.subdirectory!r} in the repository")


def _end_with_parent(alive: Path) -> None:
    """End this group of processes as soon as nobody holds the lock on ``alive`` any more."""
    with alive.open() as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(_SECONDS_BETWEEN)
                continue
            os.killpg(0, signal.SIGKILL)
