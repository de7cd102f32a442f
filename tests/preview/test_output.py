from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from awaken.contract import UserError
from awaken.preview.streams.output import open_output, send


def test_a_file_gets_lines_as_utf_8_and_bytes_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "out"

    with open_output(file) as stream:
        send(["é", b"\xff\r\n", "\udce9 last"], stream)

    assert file.read_bytes() == "é\n".encode() + b"\xff\r\n" + b"\\udce9 last\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_file_is_not_there_before_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("old")

    with open_output(file) as stream:
        send(["new"], stream)
        assert file.read_text() == "old"

    assert file.read_text() == "new\n"


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("old")

    with pytest.raises(ZeroDivisionError), open_output(file) as stream:
        send([str(1 // 0)], stream)

    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_permissions_are_those_of_the_file_or_of_a_new_one(tmp_path: Path) -> None:
    old, new, usual = tmp_path / "old", tmp_path / "new", tmp_path / "usual"
    old.touch(mode=0o600)
    usual.touch()

    for file in (old, new):
        with open_output(file) as stream:
            send(["text"], stream)

    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert new.stat().st_mode == usual.stat().st_mode


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")

    with open_output(tmp_path / "link") as stream:
        send(["text"], stream)

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "text\n"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with open_output(pipe) as stream:
        send(["text"], stream)

    assert os.read(reader, 100) == b"text\n"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["", "no/such", "file/in"])
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    said = pytest.raises(UserError, match=r"^cannot write to .*; give --output-file .*$")
    with said, open_output(tmp_path / name) as stream:
        send(["text"], stream)

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_a_file_it_is_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_output(None) as stream:
        send(["one", b"two\xff\n", "three"], stream)

    assert capfdbinary.readouterr().out == b"one\ntwo\xff\nthree\n"


class Halting(io.RawIOBase):
    """Takes a few bytes at a time, as a pipe may do where there is no buffer."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        some = bytes(data)[:3]
        self.taken += some
        return len(some)


def test_a_stream_without_a_buffer_gets_everything() -> None:
    raw = Halting()

    send([b"many bytes and more"], io.TextIOWrapper(raw))

    assert raw.taken == b"many bytes and more"
