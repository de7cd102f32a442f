"""Run scripts of Bowler by Bowler and as passes of awaken, and compare every file byte for byte.

CORPUS holds the wheels of `pass_packages.toml`, unpacked as `NAME-VERSION`. Bowler writes all
hunks, awaken applies all changes, each to a copy of its own. Prints Markdown. Usage:

    uv run python benchmarks/bowler_passes.py CORPUS [--only PACKAGE] [--script NAME] [--keep DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tables import row, table

HERE = Path(__file__).parent.absolute()
SCRIPTS = HERE.parent / "tests" / "passes" / "scripts"
PEER = HERE / "peers" / "bowler_write.py"
AWAKEN = Path(sys.executable).with_name("awaken")
WORDS = {
    "documented/rename_function": ("isinstance", "is_instance"),
    "documented/rename_method": ("append", "push", "name", "str"),
    "documented/rename_class": ("ValueError", "WrongValue"),
    "documented/rename_module": ("logging=structured.logging", "os.path=paths"),
    "documented/rename_variable": ("i", "index"),
    "documented/encapsulate": (),
    "documented/add_argument": ("main", "len"),
    "documented/remove_argument": ("flags", "mode"),
    "documented/subclasses": ("Exception", "code = 0"),
    "found/asserts": (),
    "found/counted": ("setattr",),
    "found/dumped": ("main",),
    "found/fixers": (),
    "found/formats": (),
    "found/supers": (),
    "found/vendored": ("requests", "numpy", "pyasn1"),
}
"""The scripts, and the words that each is given."""
ENCAPSULATED = {
    "optuna": ("FrozenTrial", "state"),
    "flask-appbuilder": ("BaseView", "endpoint"),
    "docutils": ("Input", "encoding"),
    "keylime": ("Failure", "_component"),
    "ldap3": ("Server", "ipc"),
}
WHOLE_LINES = "\n[tool.black]\nline-length = 320\n"
"""So that awaken breaks no long line: Bowler does not."""


class Run(NamedTuple):
    """What one of the two did with a copy."""

    files: Mapping[str, bytes]
    seconds: float
    code: int
    said: str


class Compared(NamedTuple):
    """The files that differ from the original on either side, each with what is the case."""

    outcomes: Mapping[str, str]

    def of(self, outcome: str) -> list[str]:
        """Return the files with one outcome."""
        return [path for path, one in self.outcomes.items() if one == outcome]


SAME, LINE_ENDS, LOST, CANNOT_PARSE, LEFT, OTHER = (
    "the same bytes",
    "the same but for line ends that Bowler changes",
    "lost by Bowler",
    "not parsed by Bowler, reported by awaken",
    "left alone by awaken, and said",
    "other",
)


def contents(directory: Path) -> dict[str, bytes]:
    """Return what every Python file holds."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*.py"))
    }


def by_bowler(script: str, words: tuple[str, ...], copy: Path) -> Run:
    """Let Bowler write."""
    began = time.perf_counter()
    command = [sys.executable, PEER, SCRIPTS / f"{script}.py", *words]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    return Run(contents(copy), seconds, done.returncode, done.stdout + done.stderr)


def by_awaken(
    script: str, words: tuple[str, ...], copy: Path, state: Path
) -> tuple[Run, Mapping[str, str]]:
    """Let awaken apply; also return why files were left alone, by path."""
    (copy / "pyproject.toml").write_text(WHOLE_LINES)
    chosen = ["--unsafe-fixes", "--allow-dirty", "--target-version", "py311", "--no-cache"]
    named = ["--output-format", "json", "--bowler", str(SCRIPTS / f"{script}.py"), "."]
    began = time.perf_counter()
    done = subprocess.run(
        [AWAKEN, "apply", *chosen, *named, "--", *words],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AWAKEN_STATE_DIR": str(state)},
    )
    seconds = time.perf_counter() - began
    document = json.loads(done.stdout)
    left = {
        one["path"]: f"{one['reason']}: {one['message']}"
        for one in document["findings"]
        if one["level"] == "manual"
    }
    left |= {one["path"]: f"failed: {one['message']}" for one in document["diagnostics"]}
    return Run(contents(copy), seconds, done.returncode, done.stdout + done.stderr), left


def compared(
    before: Mapping[str, bytes],
    theirs: Run,
    ours: Run,
    left: Mapping[str, str],
) -> Compared:
    """Return what is the case with each file that somebody changed or left alone."""
    outcomes: dict[str, str] = {}
    for path, old in before.items():
        they, we = theirs.files[path], ours.files[path]
        if they == we == old:
            if path in left:
                outcomes[path] = CANNOT_PARSE if "cannot-parse" in left[path] else LEFT
        elif they == we:
            outcomes[path] = SAME
        elif they == we.replace(b"\r\n", b"\n"):
            outcomes[path] = LINE_ENDS
        elif they == old:
            outcomes[path] = LOST if is_lost(path, theirs.said) else OTHER
        elif we == old and path in left:
            outcomes[path] = LEFT
        else:
            outcomes[path] = OTHER
    return Compared(outcomes)


def is_lost(path: str, said: str) -> bool:
    """Whether Bowler tried to change a file, and failed."""
    name = re.escape(path)
    failed = rf"(Skipping|invalid CST for|--- )[^\n]*{name}"
    return bool(re.search(failed, said)) or "failed to apply patch hunk" in said


def runs(
    corpus: Path, only: str | None, script: str | None, keep: Path | None
) -> Iterator[tuple[str, str, Run, Run, Compared, Mapping[str, str]]]:
    """Yield each script on each package."""
    packages = tomllib.loads((HERE / "pass_packages.toml").read_text())["package"]
    for package in packages:
        if only not in {None, package["name"]}:
            continue
        original = corpus / f"{package['name']}-{package['version']}"
        before = contents(original)
        for name, given in WORDS.items():
            if script is not None and script not in name:
                continue
            with tempfile.TemporaryDirectory() as home:
                place = Path(home if keep is None else keep / package["name"] / name)
                copies = [place / "bowler", place / "awaken"]
                for copy in copies:
                    shutil.rmtree(copy, ignore_errors=True)
                    shutil.copytree(original, copy)
                words = given or ENCAPSULATED[package["name"]] * name.endswith("ulate")
                theirs = by_bowler(name, words, copies[0])
                ours, left = by_awaken(name, words, copies[1], Path(home) / "state")
                result = compared(before, theirs, ours, left)
                yield package["name"], name, theirs, ours, result, left


def main() -> None:
    """Print a row for each run, then what is other, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--script")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    columns = ("package", "script", "same", "line ends", "lost", "not parsed", "left", "other")
    columns += ("Bowler s", "awaken s")
    print(table(columns, (), words=2))
    sums: dict[str, Counter[str]] = {}
    others: list[str] = []
    for package, name, theirs, ours, result, left in runs(
        options.corpus, options.only, options.script, options.keep
    ):
        counts = Counter(result.outcomes.values())
        kinds = [counts[one] for one in (SAME, LINE_ENDS, LOST, CANNOT_PARSE, LEFT, OTHER)]
        times = f"{theirs.seconds:.1f}", f"{ours.seconds:.1f}"
        print(row((package, name, *kinds, *times)), flush=True)
        sums.setdefault(name, Counter()).update(counts)
        for kind in (LOST, LEFT, OTHER):
            others += [
                f"- {package}, {name}: {path}: {kind}; {left.get(path, '')}"
                for path in result.of(kind)
            ]
    print("\n".join(["", *others, ""]))
    print(
        table(
            ("script", *columns[2:8]),
            [
                (name, *[counts[one] for one in (SAME, LINE_ENDS, LOST, CANNOT_PARSE, LEFT, OTHER)])
                for name, counts in sums.items()
            ],
        )
    )


if __name__ == "__main__":
    main()
