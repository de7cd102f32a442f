"""Draw changed lines of a program, and ask `awaken explain` about each.

`python benchmarks/explained.py PROGRAM... [--unsafe-fixes]` copies each program, runs `awaken
diff`, and draws lines that it replaces, 200 in all, by a fixed seed. It prints the share of lines
of which `explain` names the change with its reason, those of which it does not, and the processor
time: of the whole process, with what `check` remembered before.
"""

from __future__ import annotations

import json
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LINES = 200
_HUNK = re.compile(r"^@@ -(\d+)")


def spent() -> float:
    """Return the processor time that programs started here have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def changed_lines(root: Path, options: list[str]) -> list[tuple[str, int]]:
    """Return the lines that a run over the program at ``root`` replaces."""
    command = ["awaken", "diff", "--output-format", "patch", "--no-pager", *options]
    patch = subprocess.run(command, cwd=root, capture_output=True, check=False).stdout.decode()
    found, path, line = [], "", 0
    for row in patch.splitlines():
        hunk = _HUNK.match(row)
        if row.startswith("--- "):
            path = row.removeprefix("--- ").removeprefix("a/").partition("\t")[0]
        elif hunk:
            line = int(hunk[1])
        elif row.startswith("-"):
            if path.endswith(".py"):
                found.append((path, line))
            line += 1
        elif row.startswith(" "):
            line += 1
    return found


def main() -> None:
    options = [one for one in sys.argv[1:] if one.startswith("-")]
    programs = [Path(one) for one in sys.argv[1:] if not one.startswith("-")]
    drawn, named, seconds = random.Random(18), 0, []
    share = -(-LINES // len(programs))
    asked = 0
    for program in programs:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory) / program.name
            shutil.copytree(program, root, symlinks=True)
            subprocess.run(
                ["awaken", "check", "-q", *options], cwd=root, capture_output=True, check=False
            )
            lines = changed_lines(root, options)
            chosen = drawn.sample(lines, min(share, len(lines), LINES - asked))
            for path, line in chosen:
                command = [
                    "awaken",
                    "explain",
                    f"{path}:{line}",
                    "--output-format",
                    "json",
                    *options,
                ]
                began = spent()
                run = subprocess.run(command, cwd=root, capture_output=True, check=False)
                seconds.append(spent() - began)
                sites = json.loads(run.stdout)["sites"] if run.returncode == 0 else []
                told = [one for one in sites if one["change"] is not None and one["message"]]
                named += bool(told)
                if not told:
                    print(
                        f"    not named: {program.name}/{path}:{line} {run.stderr.decode()[:200]}"
                    )
            asked += len(chosen)
            print(f"{program.name}: {len(lines)} changed lines, {len(chosen)} drawn", flush=True)
    seconds.sort()
    print(
        f"{named} of {asked} name their change; median {seconds[len(seconds) // 2]:.2f} s, "
        f"longest {seconds[-1]:.2f} s"
    )


if __name__ == "__main__":
    main()
