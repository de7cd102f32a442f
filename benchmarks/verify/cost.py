"""Measures what a verification adds, in seconds of the processor.

    cost.py log ROOT --python PYTHON [-- TESTS]
    cost.py files --number 1000

``log`` runs a suite with and without the plugin of awaken, by turns, and prints the share of the
plugin. ``files`` makes a project of many files that all change, with one test, and prints what a
verification takes without the test runs: copy, plan and comparison.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from kills import MANIFEST, MODULE, TEST

from awaken import api
from awaken.settings import Settings
from awaken.verifying import verify_changes as verifying
from awaken.verifying.copies import copy_of_project
from awaken.verifying.suites import Copy, Suite

OPTIONS = api.Options(settings=Settings(select=("query-to-select",)), use_cache=False)


def worked(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def quietly(command: list[str], copy: Path, environment: dict[str, str]) -> None:
    out = subprocess.DEVNULL
    subprocess.run(command, cwd=copy, env=environment, stdout=out, check=False)


def share_of_log(root: Path, command: list[str], rounds: int) -> None:
    os.chdir(root)
    report = api.run([Path()], OPTIONS)
    watched = {file.path: None for one in report.roots for file in one.files}
    sums = {"with": 0.0, "without": 0.0}
    with copy_of_project(Path.cwd()) as copy:
        suite = Suite(Copy(copy, Path.cwd()), command)
        environment = {
            **os.environ,
            "PYTHONPATH": str(copy),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for number in range(rounds + 1):
            for kind in sums:
                before = worked(resource.RUSAGE_CHILDREN)
                if kind == "with":
                    tests = len(suite.run(watched=watched).tests)
                else:
                    quietly(command, copy, environment)
                # The first round warms the disk.
                spent = worked(resource.RUSAGE_CHILDREN) - before
                sums[kind] += spent if number else 0
                print(number, kind, round(spent, 2), flush=True)
    share = sums["with"] / sums["without"] - 1
    print(f"{tests} tests: {sums['without'] / rounds:.2f} s without, {share:+.1%} with the log")


def many_files(number: int) -> None:
    tests = [0.0]
    plain = Suite.run

    def run(suite: Suite, *words: object, **named: object) -> object:
        before = worked(resource.RUSAGE_CHILDREN)
        try:
            return plain(suite, *words, **named)
        finally:
            tests[0] += worked(resource.RUSAGE_CHILDREN) - before

    Suite.run = run
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        Path("pyproject.toml").write_text(MANIFEST, "utf-8")
        Path("shop.py").write_text(MODULE, "utf-8")
        Path("test_shop.py").write_text(TEST.split("def test_child")[0], "utf-8")
        for each in range(number - 3):
            Path(f"more_{each}.py").write_text(MODULE, "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
        before = sum(map(worked, both))
        api.run([Path()], OPTIONS)
        plan = sum(map(worked, both)) - before
        result = verifying.verify([Path()], OPTIONS, command)
        whole = sum(map(worked, both)) - before - plan - tests[0]
    sites = sum(len(root.changes) for root in result.report.roots)
    print(f"{number} files, {sites} changes, {result.runs} runs of the tests")
    print(f"{plan:.1f} s for a plan alone; {whole:.1f} s for plan, copy and comparison")
    print(f"{tests[0]:.1f} s for the runs of the tests, which are not counted above")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["log", "files"])
    parser.add_argument("root", type=Path, nargs="?")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--tests", nargs="*", default=[])
    line = parser.parse_args()
    if line.what == "files":
        many_files(line.number)
        return
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *line.tests]
    share_of_log(line.root, [line.python, *words], line.rounds)


if __name__ == "__main__":
    main()
