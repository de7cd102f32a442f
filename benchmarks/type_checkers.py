"""Count what a program's own type checker says before awaken and after it.

`python benchmarks/type_checkers.py PROGRAM COMMAND...` copies the program, runs the command of its
type checker in the copy, then again after `awaken apply --select query-to-select`, after `awaken
apply`, and after `awaken apply --unsafe-fixes`, and prints how many errors there are, and each new
one. An error is new if its file has more of its kind and message than before; lines may move.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

STAGES = {
    "apply --select query-to-select": ["--select", "query-to-select"],
    "apply": [],
    "apply --unsafe-fixes": ["--unsafe-fixes"],
}
_MYPY = re.compile(r"^(?P<path>[^:]+):\d+: error: (?P<message>.*)$")
_PYRIGHT = re.compile(r"^ *(?P<path>[^:]+):\d+:\d+ - error: (?P<message>.*)$")


def errors(text: str, root: Path) -> Iterator[tuple[str, str]]:
    """Yield file and message of each error that mypy or pyright printed."""
    for line in text.splitlines():
        found = _MYPY.match(line) or _PYRIGHT.match(line)
        if found:
            yield found["path"].strip().removeprefix(f"{root}/"), found["message"]


def checked(command: list[str], root: Path) -> Counter[tuple[str, str]]:
    """Return the errors in the program at ``root``."""
    shutil.rmtree(root / ".mypy_cache", ignore_errors=True)
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if run.returncode not in {0, 1}:
        sys.exit(run.stdout + run.stderr)
    return Counter(errors(run.stdout, root))


def main() -> None:
    program, command = Path(sys.argv[1]), sys.argv[2:]
    before: Counter[tuple[str, str]] = Counter()
    for name, options in {"before": None, **STAGES}.items():
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory) / program.name
            shutil.copytree(program, root, symlinks=True)
            if options is not None:
                apply = ["awaken", "apply", "--quiet", "--extend-exclude", "node_modules", *options]
                subprocess.run(apply, cwd=root, capture_output=True, check=False)
            after = checked(command, root)
        before = before if options is not None else after
        new = after - before
        print(f"{name}: {after.total()} errors, {new.total()} new", flush=True)
        for (path, message), count in sorted(new.items()):
            print(f"    {path}: {message}" + (f" ({count} times)" if count > 1 else ""))


if __name__ == "__main__":
    main()
