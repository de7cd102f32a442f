"""Load two checkouts of the bookshop, one synchronous and one migrated, on PostgreSQL.

Each is served by one process of uvicorn on loopback, with data of its own database, and asked by
`wrk` for some seconds with every number of connections, behind some that are not counted. Between
server and database stands a proxy that holds each packet back for a few milliseconds, for a
database is seldom on the machine of its application. Both run in turns, so that both see the same
machine. "CPU" is what the server itself used for a request: it says more than all else where the
machine does other things as well. Usage:

    uv run python benchmarks/async_load.py BEFORE AFTER --python PYTHON --database URL
        [--sync-driver psycopg] [--async-driver asyncpg] [--delays 0,2,10] [--rounds 3]
        [--paths /books,/books/2,/reports] [--connections 1,10,50,200]
        [--seconds 10] [--warming 5]

PYTHON is an interpreter that has uvicorn, the drivers and what the bookshop needs; URL is that of a
server, as in `postgresql://postgres@127.0.0.1:5432`, without a database.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tables import row, table

PATHS = "/books,/books/2,/reports"
CONNECTIONS = "1,10,50,200"
COLUMNS = (
    "delay, ms", "path", "connections", "", "requests/s", "median, ms", "99 %, ms", "CPU, ms",
    "failed",
)  # fmt: skip
PORT, PROXY_PORT = 8765, 8766
FILLING = """
import asyncio, inspect
import bookshop.config
from tests.conftest import fill
from bookshop.database import SessionLocal, engine
from bookshop import main
async def run():
    await main.create_tables()
    async with SessionLocal() as db:
        await fill(db)
    await engine.dispose()
if inspect.iscoroutinefunction(fill):
    asyncio.run(run())
else:
    main.create_tables()
    with SessionLocal() as db:
        fill(db)
"""
"""Reads the settings before the suite, which sets the URL of a database of its own."""


class Measured(NamedTuple):
    """What one run of `wrk` says: requests in a second, milliseconds, answers that failed.

    ``busy`` are the milliseconds in which the server computed for one request.
    """

    throughput: float
    median: float
    slowest: float
    busy: float
    failed: int


def main(arguments: argparse.Namespace) -> int:
    """Measure, and print a table."""
    there = urlsplit(arguments.database)
    sides = {
        "before": (arguments.before, arguments.sync_driver),
        "after": (arguments.after, arguments.async_driver),
    }
    print(table(COLUMNS, [], words=4))
    for delay in map(float, arguments.delays.split(",")):
        with delayed(there.hostname or "127.0.0.1", there.port or 5432, delay):
            for path in arguments.paths.split(","):
                for connections in map(int, arguments.connections.split(",")):
                    found: dict[str, list[Measured]] = {name: [] for name in sides}
                    for _ in range(arguments.rounds):
                        for name, (directory, driver) in sides.items():
                            url = f"postgresql+{driver}://{there.username}@127.0.0.1:{PROXY_PORT}"
                            database = f"{url}/bookshop_{name}"
                            with served(arguments.python, directory, database) as server:
                                # The first requests open the connections of the pool.
                                loaded(path, connections, arguments.warming, server)
                                wait_for(f"http://127.0.0.1:{PORT}{path}")
                                one = loaded(path, connections, arguments.seconds, server)
                                found[name].append(one)
                    for name, runs in found.items():
                        print(told(delay, path, connections, name, runs), flush=True)
    return 0


def told(delay: float, path: str, connections: int, name: str, runs: list[Measured]) -> str:
    """Return a line of the table: the medians of some runs."""
    cells = (
        f"{delay:g}",
        f"`{path}`",
        connections,
        name,
        f"{statistics.median(one.throughput for one in runs):.0f}",
        f"{statistics.median(one.median for one in runs):.1f}",
        f"{statistics.median(one.slowest for one in runs):.0f}",
        f"{statistics.median(one.busy for one in runs):.2f}",
        sum(one.failed for one in runs),
    )
    return row(cells)


@contextmanager
def served(python: str, directory: Path, url: str) -> Iterator[int]:
    """Serve the bookshop of a directory, with its data in a database made anew.

    Yields the number of the process.
    """
    name = url.rpartition("/")[2]
    psql("-c", f"drop database if exists {name}", "-c", f"create database {name}")
    environment = {**os.environ, "BOOKSHOP_DATABASE_URL": url}
    subprocess.run(
        [python, "-c", FILLING], cwd=directory, env=environment, check=True, capture_output=True
    )
    command = [python, "-m", "uvicorn", "bookshop.main:app", "--port", str(PORT)]
    with subprocess.Popen(
        [*command, "--log-level", "error", "--no-access-log"], cwd=directory, env=environment
    ) as server:
        try:
            wait_for(f"http://127.0.0.1:{PORT}/books")
            yield server.pid
        finally:
            server.terminate()


def psql(*arguments: str) -> None:
    """Run statements as the user of the environment (`PGHOST`, `PGPORT`, `PGUSER`)."""
    subprocess.run(["psql", "-q", "-d", "postgres", *arguments], check=True, capture_output=True)


def wait_for(url: str) -> None:
    """Wait until a server answers, for a minute at most."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def loaded(path: str, connections: int, seconds: int, server: int) -> Measured:
    """Ask a path of a ``server`` for some seconds over a number of connections."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    begin = computed(server)
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{PORT}{path}"], capture_output=True, text=True, check=True
    ).stdout
    busy = computed(server) - begin
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    errors = re.search(r"Socket errors: .*?timeout (\d+)", said)
    return Measured(
        float(word(r"Requests/sec:\s+([\d.]+)", said)),
        milliseconds(word(r"(?m)^ +50%\s+(\S+)", said)),
        milliseconds(word(r"(?m)^ +99%\s+(\S+)", said)),
        busy * 1000 / max(1, int(word(r"(\d+) requests in", said))),
        int(failed[1] if failed else 0) + int(errors[1] if errors else 0),
    )


def computed(process: int) -> float:
    """Return the seconds in which a process computed so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def word(pattern: str, text: str) -> str:
    """Return what the group of a pattern finds; raises ValueError where it is not there."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(text)
    return found[1]


def milliseconds(text: str) -> float:
    """Return what `wrk` writes as `12.3ms`, `1.2s` or `800.00us`."""
    unit = word(r"([a-z]+)$", text)
    return float(text.removesuffix(unit)) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000}[unit]


# ------------------------------------------------------------------------------------ the proxy
@contextmanager
def delayed(host: str, port: int, delay: float) -> Iterator[None]:
    """Hand on what comes to the port of the proxy, each packet ``delay`` milliseconds later."""
    command = [sys.executable, __file__, "--proxy", host, str(port), str(delay)]
    with subprocess.Popen(command) as proxy:
        time.sleep(1)
        try:
            yield
        finally:
            proxy.terminate()


async def proxy(host: str, port: int, delay: float) -> None:
    """Serve the proxy until it is ended."""

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while packet := await reader.read(65536):
                loop.call_later(delay / 1000, writer.write, packet)
        loop.call_later(delay / 1000, writer.close)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, port)
        await asyncio.gather(hand_on(reader, back), hand_on(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", PROXY_PORT)
    await server.serve_forever()


def parsed() -> argparse.Namespace:
    """Return the arguments of the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--sync-driver", default="psycopg")
    parser.add_argument("--async-driver", default="asyncpg")
    parser.add_argument("--delays", default="0,2,10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--paths", default=PATHS)
    parser.add_argument("--connections", default=CONNECTIONS)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--warming", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--proxy"]:
        asyncio.run(proxy(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
        sys.exit()
    sys.exit(main(parsed()))
