"""Send 50 requests at once to the programs of a list, as they were and as they were migrated.

`measure.py` made the copies: their first commit is the program as it was. On each side the database
is created again, `prepare` fills it by the program as it was, uvicorn serves `serve`, and each of
`requests` is sent 50 times at once; `{n}` is the number of one. Usage:

    uv run python benchmarks/first_contact/at_once.py CORPUS LIST [NAME ...]

For each request a line is printed with how often each status came, and one with the connections
that the server of the database has open: most at once, a second after the last answer, and after
the program ended.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parent))
from measure import Program

AT_ONCE = 50
PORT = 58431
PATIENCE = 40
_OPEN = "select count(*) from information_schema.processlist where db = '{}'"
_OPEN_POSTGRES = "select count(*) from pg_stat_activity where datname = '{}'"


class Served:
    """A program that uvicorn serves, with the database that it uses."""

    def __init__(self, program: Program, commit: str, first: str) -> None:
        entry = program.entry["at_once"]
        self._program = program
        self._requests: list[str] = entry["requests"]
        self._environment = {**os.environ, "PYTHONPATH": ".", **program.entry.get("variables", {})}
        program.empty_database()
        program.check_out(first)
        for arguments in entry.get("prepare", []):
            self._run(arguments).wait()
        program.check_out(commit)
        arguments = ["-m", "uvicorn", entry["serve"], "--port", str(PORT), "--log-level", "error"]
        self._server = self._run(arguments)

    def _run(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [str(self._program.python), *arguments]
        return subprocess.Popen(
            command,
            cwd=self._program.root,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def connections(self) -> int:
        """Return how many connections to the database of the program are open."""
        entry = self._program.entry
        is_mysql = entry.get("server") == "mysql"
        query = (_OPEN if is_mysql else _OPEN_POSTGRES).format(entry["database"])
        command = ["mariadb", "-Ne", query] if is_mysql else ["psql", "-Atc", query, "postgres"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    async def send(self) -> dict[str, Counter[str]]:
        """Send all requests, and return how often each status came."""
        statuses: dict[str, Counter[str]] = {}
        address, limits = f"http://127.0.0.1:{PORT}", httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(base_url=address, limits=limits, timeout=PATIENCE) as client:
            for _ in range(100):
                with contextlib.suppress(httpx.TransportError):
                    await client.get("/openapi.json")
                    break
                await asyncio.sleep(0.2)
            for request in self._requests:
                several = (self._sent(client, request, number) for number in range(AT_ONCE))
                statuses[request] = Counter(await asyncio.gather(*several))
        return statuses

    @staticmethod
    async def _sent(client: httpx.AsyncClient, request: str, number: int) -> str:
        method, path, *body = request.replace("{n}", str(number)).split(" ", 2)
        data: Any = {"json": json.loads(body[0])} if body else {}
        try:
            return str((await client.request(method, path, **data)).status_code)
        except httpx.HTTPError as error:
            return type(error).__name__

    async def observe(self) -> tuple[dict[str, Counter[str]], tuple[int, int, int]]:
        """Send all requests, and return the statuses and the connections that were open."""
        sending, most = asyncio.create_task(self.send()), 0
        while not sending.done():
            most = max(most, await asyncio.to_thread(self.connections))
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        behind = self.connections()
        self._server.send_signal(signal.SIGTERM)
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
        await asyncio.sleep(1)
        return await sending, (most, behind, self.connections())


def main() -> None:
    """Read the command line, and print what each side answers."""
    parser = argparse.ArgumentParser(description="send requests at once to both sides")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("list", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    for name, entry in tomllib.loads(arguments.list.read_text()).items():
        if "at_once" not in entry or (arguments.names and name not in arguments.names):
            continue
        program = Program(name, entry, arguments.corpus.absolute())
        first, *_, last = program.commits()
        for side, commit in (("before", first), ("after", last)):
            statuses, connections = asyncio.run(Served(program, commit, first).observe())
            for request, counts in statuses.items():
                print(name, side, request[:60], dict(counts.most_common()), flush=True)
            print(name, side, "connections", *connections, flush=True)
        program.check_out(last)


if __name__ == "__main__":
    main()
