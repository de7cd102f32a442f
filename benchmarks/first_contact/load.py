"""Send 10,000 requests to programs before and after their migration, and count covered lines.

Usage, where CORPUS and LIST are those of `at_once.py` and RESULT is TOML:

    uv run python benchmarks/first_contact/load.py CORPUS LIST RESULT [NAME ...]

For each side: how often each status came for 50 of each request at once, the connections that were
open (most, a second later, after the end; open files of a SQLite database, before the end only),
and the resident memory in MB, after `WARM` requests and after each quarter of 10,000 more. They are
the reading ones of `requests`, or `repeated`, in turn. Then the tests of the migrated program run
under coverage: of the lines that awaken wrote, how many are executed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import msgspec
import tomlkit

sys.path.insert(0, str(Path(__file__).parent))
from at_once import PATIENCE, PORT, Served
from measure import FORGOTTEN, LONGEST, Program

WARM = 1_000
QUARTER = 2_500
QUARTERS = 4
AT_A_TIME = 10
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")


class Loaded(Served):
    """A served program, with the memory and the statuses of its repeated requests."""

    def __init__(self, program: Program, commit: str, first: str) -> None:
        super().__init__(program, commit, first)
        self.memory: list[float] = []
        self.repeated: Counter[str] = Counter()

    def connections(self) -> int:
        """Return how many connections to the database are open; for SQLite, open files."""
        if self.repeated and len(self.memory) <= QUARTERS:
            return 0  # A client that counts would take the processor from the server.
        if "database" in self._program.entry:
            return super().connections()
        files = Path(f"/proc/{self._server.pid}/fd").glob("*")
        return sum(os.path.realpath(file).endswith((".db", ".sqlite3")) for file in files)

    def resident(self) -> float:
        """Return the resident memory of the server in MB."""
        status = Path(f"/proc/{self._server.pid}/status").read_text()
        return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)

    async def send(self) -> dict[str, Counter[str]]:
        """Send all requests at once, and some of them 10,000 times."""
        statuses = await super().send()
        await self.repeat()
        return statuses

    async def repeat(self) -> None:
        """Send the repeated requests until one gets no answer; keep statuses and memory."""
        entry = self._program.entry["at_once"]
        reading = [request for request in self._requests if request.startswith("GET")]
        requests = entry.get("repeated", reading)
        numbers = iter(range(sys.maxsize))
        address = f"http://127.0.0.1:{PORT}"
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:

            async def some(several: Any) -> None:
                for number in several:
                    if not all(map(str.isdigit, self.repeated)):
                        return
                    request = requests[number % len(requests)]
                    self.repeated[await self._sent(client, request, number)] += 1

            for count in (WARM, *[QUARTER] * QUARTERS):
                shared = islice(numbers, count)
                await asyncio.gather(*(some(shared) for _ in range(AT_A_TIME)))
                self.memory.append(self.resident())


def covered(program: Program) -> dict[str, int]:
    """Run the tests under coverage; return the counts of written and of executed lines."""
    first, *_, last = program.commits()
    program.check_out(last)
    program.empty_database()
    report = program.copy.with_name(f"{program.name}.json")
    data = f"--data-file={report}.data"
    run = ["coverage", "run", data, "--source=.", "--concurrency=thread,greenlet", "-m", "pytest"]
    tests = [*run, "-q", "-p", "no:cacheprovider", *FORGOTTEN, *program.entry.get("tests", ())]
    variables = {**os.environ, "PYTHONPATH": ".", **program.entry.get("variables", {})}
    command = ["uv", "pip", "install", "-q", "--python", str(program.python), "coverage"]
    subprocess.run(command, check=True)
    export = ["coverage", "json", "-q", data, "-o", str(report)]
    for arguments in (*program.entry.get("prepare", ()), tests, export):
        module = arguments if arguments[0].startswith("-") else ["-m", *arguments]
        run = [str(program.python), *module]
        subprocess.run(run, cwd=program.root, env=variables, check=False, timeout=LONGEST)
    files = msgspec.json.decode(report.read_bytes())["files"]
    counts, path = Counter({"written": 0, "executed": 0}), ""
    for line in program.difference(first, last).splitlines():
        if line.startswith("+++ b/"):
            path = os.path.relpath(program.copy / line.removeprefix("+++ b/"), program.root)
        elif (hunk := _HUNK.match(line)) and path in files and "test" not in path:
            lines = set(range(int(hunk[1]), int(hunk[1]) + int(hunk[2] or 1)))
            executed = lines & set(files[path]["executed_lines"])
            counts["executed"] += len(executed)
            counts["written"] += len(executed | lines & set(files[path]["missing_lines"]))
    return dict(counts)


def main() -> None:
    """Read the command line, and write what each program did."""
    parser = argparse.ArgumentParser(description="send 10,000 requests to both sides")
    for place in ("corpus", "list", "result"):
        parser.add_argument(place, type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    rows = tomllib.loads(arguments.result.read_text()) if arguments.result.exists() else {}
    for name, entry in tomllib.loads(arguments.list.read_text()).items():
        if "at_once" not in entry or (arguments.names and name not in arguments.names):
            continue
        program = Program(name, entry, arguments.corpus.absolute())
        first, *_, last = program.commits()
        row: dict[str, Any] = {}
        for side, commit in (("before", first), ("after", last)):
            loaded = Loaded(program, commit, first)
            statuses, connections = asyncio.run(loaded.observe())
            row[side] = {"connections": list(connections), "memory": loaded.memory}
            row[side]["repeated"] = dict(loaded.repeated)
            row[side]["at_once"] = {key[:60]: dict(value) for key, value in statuses.items()}
        rows[name] = {**row, "coverage": covered(program)}
        print(name, rows[name], flush=True)
        arguments.result.write_text(tomlkit.dumps(rows))


if __name__ == "__main__":
    main()
