"""Ask a migrated application fifty times at once, and compare with one request after the other.

BEFORE and AFTER are checkouts of one application, AFTER migrated. Each is served by one process of
uvicorn on loopback with a database of its own. Both are asked the same one after the other; then
AFTER alone is asked at once: first what only reads, of which every answer has to be the same, then
what writes, of which every status has to be, and what can be read afterwards has to be what BEFORE
has, but for its order and for numbers and times that databases give. Usage:

    python benchmarks/async_concurrency.py BEFORE AFTER REQUESTS.toml --python PYTHON

PYTHON is an interpreter that has uvicorn and what the application needs. REQUESTS.toml says what is
asked:

    app = "app.main:app"                # for uvicorn
    folder = "backend"                  # where it is started, if that is not the root
    prepare = "python -m app.tables"    # run there before, if anything
    environment = { DATABASE_URL = "..." }      # `{side}` is `before` or `after`
    reads = ["/items", "/items/1"]
    headers = { Authorization = "Bearer {token}" }

    [[setup]]                           # asked first; `keep` takes values of the answer by name
    method = "POST"
    path = "/token"
    form = { username = "ann", password = "secret" }
    keep = { token = "access_token" }

    [write]                             # `{n}` counts
    method = "POST"
    path = "/items"
    json = { name = "item {n}" }
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

MANY = 50
BEFOREHAND = 10
"""Writes one after the other, so that there is something to read."""
PORT = 8790
_STARTING = 120
"""Seconds in which a server has to answer."""


class Answer(NamedTuple):
    """What a server answers."""

    status: int
    text: str


class Client:
    """Sends the requests of a file to one server."""

    def __init__(self, plan: Mapping[str, Any], port: int) -> None:
        self._plan = plan
        self._base = f"http://127.0.0.1:{port}"
        self.kept: dict[str, str] = {}

    def send(self, request: Mapping[str, Any], number: int = 0) -> Answer:
        """Send a request, and wait for its answer."""
        headers = {key: self._filled(text, number) for key, text in self._headers().items()}
        data = None
        if "json" in request:
            data = self._filled(json.dumps(request["json"]), number).encode()
            headers["Content-Type"] = "application/json"
        elif "form" in request:
            data = urllib.parse.urlencode(request["form"]).encode()
        path = self._filled(request["path"], number)
        method = request.get("method", "GET")
        asked = urllib.request.Request(f"{self._base}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())

    def _headers(self) -> Mapping[str, str]:
        return self._plan.get("headers", {}) if self.kept else {}

    def _filled(self, text: str, number: int) -> str:
        for name, value in {**self.kept, "n": str(number)}.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def set_up(self) -> None:
        """Ask what has to be asked first."""
        for request in self._plan.get("setup", ()):
            answer = self.send(request)
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise SystemExit(f"{request['path']}: {answer}")
            found = json.loads(answer.text) if request.get("keep") else {}
            self.kept |= {name: str(found[key]) for name, key in request.get("keep", {}).items()}


@contextmanager
def served(root: Path, side: str, plan: Mapping[str, Any], python: str) -> Iterator[Client]:
    """Serve an application, and yield what asks it."""
    port = PORT + (side == "after")
    folder = (root / plan.get("folder", ".")).resolve()
    given = {key: text.replace("{side}", side) for key, text in plan.get("environment", {}).items()}
    environment = {**os.environ, **given, "PYTHONPATH": str(folder)}
    if "prepare" in plan:
        words = shlex.split(plan["prepare"].replace("{side}", side))
        words = [python if one == "python" else one for one in words]
        subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
    command = [python, "-m", "uvicorn", plan["app"], "--port", str(port), "--log-level", "error"]
    with Path(f"{root}.server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            client = Client(plan, port)
            _wait(client)
            client.set_up()
            yield client
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait(client: Client) -> None:
    for _ in range(_STARTING * 10):
        try:
            client.send({"path": "/openapi.json"})
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not answer")


def at_once(client: Client, requests: list[tuple[Mapping[str, Any], int]]) -> list[Answer]:
    """Send all requests at once, and return their answers in the order of these."""
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda one: client.send(*one), requests))


def comparable(text: str) -> Any:
    """Return what was read, without its order, and without what a database gives by itself."""
    try:
        return _plain(json.loads(text))
    except ValueError:
        return text


def _plain(value: Any) -> Any:
    match value:
        case dict():
            kept = {key: one for key, one in value.items() if not _is_given(key)}
            return {key: _plain(one) for key, one in sorted(kept.items())}
        case list():
            return sorted((_plain(one) for one in value), key=json.dumps)
        case _:
            return value


def _is_given(key: str) -> bool:
    return key == "id" or key.endswith(("_id", "_at", "date", "time")) or key in {"aid", "tid"}


def main() -> None:
    """Ask both sides, and print what differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("requests", type=Path)
    parser.add_argument("--python", required=True)
    arguments = parser.parse_args()
    plan = tomllib.loads(arguments.requests.read_text())
    reads: list[tuple[Mapping[str, Any], int]] = [({"path": one}, 0) for one in plan["reads"]]
    many = [reads[number % len(reads)] for number in range(MANY)]
    writes = (
        [(plan["write"], number) for number in range(BEFOREHAND + MANY)] if "write" in plan else []
    )
    with served(arguments.before, "before", plan, arguments.python) as client:
        one_by_one = [client.send(*one) for one in writes]
        wanted = [client.send(*one) for one in reads]
    with served(arguments.after, "after", plan, arguments.python) as client:
        first = [client.send(*one) for one in writes[:BEFOREHAND]]
        again = [client.send(*one) for one in many]
        started = time.perf_counter()
        together = at_once(client, many)
        seconds = time.perf_counter() - started
        written = at_once(client, writes[BEFOREHAND:]) if writes else []
        found = [client.send(*one) for one in reads]
    same = sum(one == other for one, other in zip(together, again, strict=True))
    print(f"{same} of {MANY} reads answered as one after the other, in {seconds:.2f} s")
    statuses = [one.status for one in one_by_one]
    alike = [one.status for one in (*first, *written)]
    equal = sum(one == other for one, other in zip(statuses, alike, strict=True))
    print(f"{equal} of {len(writes)} writes with the status of before: {sorted(set(alike))}")
    for (request, _), one, other in zip(reads, wanted, found, strict=True):
        is_same = one.status == other.status and comparable(one.text) == comparable(other.text)
        print(f"{'same' if is_same else 'DIFFERENT'} afterwards: {request['path']} {other.status}")
        if not is_same:
            print(f"    before: {one.text[:300]}\n    after: {other.text[:300]}")


if __name__ == "__main__":
    main()
