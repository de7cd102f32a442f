"""Files other than Python that a rule or the engine names: settings, templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from awaken.workspace.reading import METADATA_LIMIT, Enclosure, Unreadable, why_unread
from awaken.workspace.sources import FileProblem, SourceFile, Undecodable, decode_settings

FILES_LIMIT = 5_000
"""Files beside Python that are read of one project; of fifty programs the one with the most
templates has 559."""

BYTES_LIMIT = 50_000_000
"""Bytes that they hold together: a rule asks for them by name, and all of them stay in memory."""


class Texts(Struct, frozen=True):
    """Files by project-relative path, and those that are there and not read, each with why.

    A conclusion from a missing file holds only if nothing is ``unread``.
    """

    files: Mapping[str, SourceFile]
    unread: tuple[FileProblem, ...] = ()


def read_texts(enclosure: Enclosure, root: Path, paths: Iterable[str]) -> Texts:
    """Return the files of ``root`` at ``paths`` that are there, decoded as settings are."""
    files: dict[str, SourceFile] = {}
    unread: list[FileProblem] = []
    size = 0
    for path in paths:
        try:
            if len(files) >= FILES_LIMIT or size > BYTES_LIMIT:
                raise Unreadable("is one of too many files that rules ask for")
            raw = enclosure.read(root / path, METADATA_LIMIT)
            size += len(raw)
            files[path] = decode_settings(path, raw)
        except FileNotFoundError:
            continue
        except OSError as error:
            unread.append(FileProblem(path, 0, why_unread(error)))
        except Undecodable as error:
            unread.append(FileProblem(path, error.line, str(error)))
    return Texts(files, tuple(unread))
