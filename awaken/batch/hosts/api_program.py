"""Asks the interface of a code host through its own program, which has the token."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.batch.hosts.host_port import HostError, StopError, WaitError
from awaken.batch.working.child_environment import without_secrets
from awaken.engine.machine.programs import Bounds, find_program, run_program

_SECONDS = 120.0
_STATUS = re.compile(r"HTTP/[\d.]+ (\d{3})")
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 401, 403, 404, 429, 500
_FAILED = 400
_SECONDARY = 60.0
"""What GitHub asks to wait for at least where it names no time."""
_SHOWN = 300


class Answer(Struct, frozen=True):
    """The answer of a host: the status, headers in lower case, and the document."""

    status: int
    headers: Mapping[str, str]
    document: Any


class ApiProgram:
    """Runs ``gh api`` or ``glab api`` for one server."""

    def __init__(self, name: str, directory: Path, server: str) -> None:
        program = find_program(name, directory)
        if program is None:
            raise StopError(
                f"there is no program {name} on the PATH; install it, and log in by "
                f"`{name} auth login`"
            )
        self._name, self._program, self._directory, self._server = name, program, directory, server

    def ask(
        self,
        path: str,
        method: str = "GET",
        document: Mapping[str, Any] | None = None,
        *,
        missing: bool = False,
    ) -> Any:
        """Return the document that the host answers; None for what is ``missing`` and may be.

        Raises HostError, WaitError and StopError.
        """
        answer = self._answer(path, method, document)
        if answer.status < _FAILED:
            return answer.document
        if missing and answer.status == _NOT_FOUND:
            return None
        raise self._error(answer)

    def _answer(self, path: str, method: str, document: Mapping[str, Any] | None) -> Answer:
        words = [self._program, "api", "--include", "--method", method]
        words += ["--hostname", self._server] if self._server else []
        words += ["--input", "-"] if document is not None else []
        words += ["--header", "Content-Type: application/json"] if self._name == "glab" else []
        given = json.dumps(document).encode() if document is not None else b""
        try:
            done = run_program(
                [*words, path],
                directory=self._directory,
                # The program parses the output of ``gh``.
                environment={**os.environ, "NO_COLOR": "1", "GH_PROMPT_DISABLED": "1"},
                bounds=Bounds(_SECONDS),
                given=given,
            )
        except subprocess.TimeoutExpired:
            raise WaitError(0, f"{self._name} has not answered after {_SECONDS:.0f} s") from None
        except OSError as error:
            raise StopError(f"{self._name} cannot be run: {error.strerror or error}") from None
        return self._read(done)

    def _read(self, done: subprocess.CompletedProcess[bytes]) -> Answer:
        head, _, body = done.stdout.replace(b"\r\n", b"\n").partition(b"\n\n")
        lines = head.decode("utf-8", "replace").splitlines()
        status = _STATUS.match(lines[0]) if lines else None
        if status is None:
            said = without_secrets(done.stderr.decode("utf-8", "replace")).strip()[:_SHOWN]
            if "auth login" in said or "authentication" in said.lower():
                raise StopError(f"{self._name}: {said.splitlines()[0]}")
            raise WaitError(0, f"{self._name}: {said or 'it answers nothing'}")
        headers = {
            name.strip().lower(): text.strip()
            for name, _, text in (line.partition(":") for line in lines[1:])
        }
        try:
            document = json.loads(body) if body.strip() else None
        except ValueError:
            document = None
        return Answer(int(status[1]), headers, document)

    def _error(self, answer: Answer) -> Exception:
        said = _message(answer.document) or f"status {answer.status}"
        why = f"{self._name}: {without_secrets(said)[:_SHOWN]}"
        if answer.status == _UNAUTHORIZED:
            return StopError(f"{why}; log in again by `{self._name} auth login`")
        if answer.status in {_FORBIDDEN, _TOO_MANY}:
            seconds = _pause(answer.headers, said)
            if seconds is not None:
                return WaitError(seconds, why)
            if answer.status == _TOO_MANY:
                return WaitError(_SECONDARY, why)
        if answer.status >= _SERVER:
            return WaitError(0, why)
        return HostError(why)


def _pause(headers: Mapping[str, str], said: str) -> float | None:
    """Return how many seconds a server wants us to wait, None if it does not say so."""
    after = headers.get("retry-after", "")
    if after.isdecimal():
        return float(after)
    reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", ""))
    if headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining")) == "0":
        # By the clock of the server, which need not be ours.
        return max(1.0, float(reset) - time.time()) if reset.isdecimal() else _SECONDARY
    is_limit = any(word in said.lower() for word in ("rate limit", "too quickly", "abuse"))
    return _SECONDARY if is_limit else None


def _message(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    parts = [document.get("message", document.get("error", ""))]
    errors: Sequence[Any] = document.get("errors") or ()
    parts += [
        each.get("message", each.get("code", "")) if isinstance(each, dict) else each
        for each in errors
        if each
    ]
    return ": ".join(str(part) for part in parts if part)
