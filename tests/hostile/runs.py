"""A run of awaken's commands over a hostile repository, and everything that it did."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from build import Place
from msgspec import Struct

_PATIENCE = 240
"""Seconds after which a command waits for something that never comes."""
_WATCHED = Path(__file__).with_name("watched.py")
_CALLS = (
    "execve,execveat,open,openat,openat2,creat,unlink,unlinkat,rmdir,rename,renameat,renameat2,"
    "mkdir,mkdirat,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,truncate,mknod,mknodat,"
    "chown,fchownat,setxattr,connect"
)
TRACE = "trace"
"""The name of what strace writes in the directory of a run."""
_CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>.*)$")
_STRING = re.compile(
    r'(?:(?:AT_FDCWD|\d+)<(?P<directory>(?:[^>\\]|\\.)*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"'
)
_OPENED = re.compile(r"\d+<(?P<path>.*)>$")
_NOT_THERE = re.compile(r"-1 E\w+")


class Event(Struct, frozen=True):
    """Something that happened: ``read``, ``write`` or the name of the call, and of what."""

    kind: str
    path: str
    command: int


class Command(Struct, frozen=True):
    """One command that came to its end: its words, its exit code and what it printed."""

    words: tuple[str, ...]
    code: int | None
    out: bytes
    err: bytes

    def __str__(self) -> str:
        return " ".join(self.words)


class Run(Struct, frozen=True):
    """What the commands did: as the interpreter heard it, and as the system saw it."""

    place: Place
    commands: tuple[Command, ...]
    heard: tuple[Event, ...]
    seen: tuple[Event, ...]
    started: tuple[tuple[str, ...], ...]


def run(
    place: Place, commands: Sequence[Sequence[str]], directory: Path, tracer: Sequence[str] = ()
) -> Run:
    """Run ``commands`` in the target of ``place``, one process for all; keep what happens.

    ``tracer`` are the words that start a process under strace (``tracer_to``).
    """
    directory.mkdir()
    listed = directory / "commands"
    listed.write_text(json.dumps(commands))
    program = [*tracer, sys.executable, "-I", "-B", str(_WATCHED), str(listed), str(directory)]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            program,
            cwd=place.target,
            env=place.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
    return _read(place, commands, directory, directory / TRACE)


def _read(place: Place, commands: Sequence[Sequence[str]], directory: Path, trace: Path) -> Run:
    heard, started, codes = [], [], {}
    events = directory / "events"
    for line in events.read_text().splitlines() if events.exists() else ():
        kind, number, *rest = json.loads(line)
        if kind == "code":
            codes[number] = rest[0]
        elif kind in {"subprocess.Popen", "os.exec", "os.posix_spawn"} or len(rest) != 1:
            started.append((kind, *rest))
        elif not rest[0].startswith(str(directory)):
            heard.append(Event(kind, rest[0], number))
    done = tuple(
        Command(tuple(words), codes.get(number), *(_printed(directory, number)))
        for number, words in enumerate(commands)
    )
    seen = tuple(_seen(trace, directory)) if trace.exists() else ()
    return Run(place, done, tuple(heard), seen, tuple(started))


def _printed(directory: Path, number: int) -> Iterator[bytes]:
    for stream in ("out", "err"):
        file = directory / f"{number}.{stream}"
        yield file.read_bytes() if file.exists() else b""


def tracer_to(directory: Path) -> list[str]:
    """Return the words that write down what the system is asked for; none where none may do so."""
    program = shutil.which("strace")
    if program is None:
        return []
    words = [program, "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={_CALLS}", "--seccomp-bpf"]
    tried = subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False)
    return [*words, "-o", str(directory / TRACE)] if tried.returncode == 0 else []


def _seen(trace: Path, directory: Path) -> Iterator[Event]:
    """Yield what the system did, as strace wrote it; what failed did nothing."""
    number = -1
    for line in trace.read_text("utf-8", "surrogateescape").splitlines():
        match = _CALL.match(line)
        if match is None or _NOT_THERE.match(match["result"]):
            continue
        name, opened = match["name"], _OPENED.match(match["result"])
        if name in {"open", "openat", "openat2", "creat"} and opened:
            path = _text(opened["path"])
            if path.startswith(str(directory)):
                number += path.endswith(".out")
                continue
            writes = name == "creat" or re.search(
                r"O_(WRONLY|RDWR|CREAT|TRUNC)", match["arguments"]
            )
            yield Event("write" if writes else "read", path, number)
        else:
            for one in _STRING.finditer(match["arguments"]):
                base = _text(one["directory"] or "/")
                yield Event(name, str(Path(base, _text(one["path"]))), number)
                if name in {"execve", "setxattr"}:
                    break


def _text(escaped: str) -> str:
    return os.fsdecode(
        escaped.encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1")
    )
