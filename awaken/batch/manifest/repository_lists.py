"""Lists of repositories: lines of text, CSV, and what ``gh search`` and ``gh repo list`` print."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from msgspec import Struct

from awaken.batch.manifest.campaign_settings import Repository
from awaken.contract import UserError

_COLUMNS = {
    "url": ("url", "cloneurl", "repository", "repo", "sshurl", "fullname", "namewithowner"),
    "ref": ("ref", "branch", "defaultbranch"),
    "subdirectory": ("subdirectory", "path", "directory"),
    "skip": ("skip",),
}
"""What the columns of other tools are called; the first that is there counts."""
_TRUE = {"1", "true", "yes", "x"}


class Listed(Struct, frozen=True):
    """A repository of a list, and the line it was on; ``archived`` is what the list says."""

    repository: Repository
    line: int
    archived: bool = False


def read_list(text: str, shown: str) -> list[Listed]:
    """Return the repositories of a list in any of the forms. Raises UserError, with the line."""
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith(("[", "{")):
        return list(_from_json(stripped, shown))
    first = next((line for line in text.splitlines() if line.strip() and line[0] != "#"), "")
    if "," in first or _known_text(first.strip()) in _COLUMNS["url"]:
        return list(_from_csv(text, shown))
    return list(_from_lines(text))


def _from_lines(text: str) -> Iterator[Listed]:
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        # A name may hold a sign of a comment, but not after a blank.
        plain = line.partition(" #")[0].strip()
        if plain and not plain.startswith("#"):
            yield Listed(Repository(url=plain), number)


def _from_csv(text: str, shown: str) -> Iterator[Listed]:
    reader = csv.reader(StringIO(text.lstrip("\ufeff")), strict=True)
    header: list[str] | None = None
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if header is None:
                header = [_known_text(cell) for cell in cells]
                if not any(name in _COLUMNS["url"] for name in header):
                    raise UserError(
                        f"{shown}:{reader.line_num}: the first line of a CSV names its columns, "
                        "and one of them must be url"
                    )
                continue
            if len(cells) != len(header):
                raise UserError(
                    f"{shown}:{reader.line_num}: this line has {len(cells)} cells, "
                    f"and the first has {len(header)}"
                )
            yield _repository_row(dict(zip(header, cells, strict=True)), reader.line_num, shown)
    except csv.Error as error:
        raise UserError(f"{shown}:{reader.line_num}: is not valid CSV: {error}") from None


def _from_json(text: str, shown: str) -> Iterator[Listed]:
    try:
        document = json.loads(text)
    except RecursionError:
        raise UserError(f"{shown}: is nested too deeply") from None
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise UserError(f"{shown}:{line}: is not valid JSON: {error}") from None
    rows = document.get("items", [document]) if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise UserError(f"{shown}: must be a list of repositories, as `gh search repos` prints it")
    for number, row in enumerate(rows, 1):
        # `gh search code` has the repository inside of what it found.
        inner = row.get("repository", row) if isinstance(row, dict) else row
        cells = {"url": inner} if isinstance(inner, str) else inner
        if not isinstance(cells, dict):
            raise UserError(f"{shown}: entry {number} names no repository")
        plain = {_known_text(str(key)): _text(value) for key, value in cells.items()}
        yield _repository_row(plain, number, shown)


def _repository_row(cells: Mapping[str, str], line: int, shown: str) -> Listed:
    values = {
        field: next((cells[name] for name in names if cells.get(name)), "")
        for field, names in _COLUMNS.items()
    }
    if not values["url"]:
        raise UserError(
            f"{shown}:{line}: names no repository; ask gh for it with `--json url,isArchived`"
        )
    repository = Repository(
        url=values["url"],
        ref=values["ref"],
        subdirectory=values["subdirectory"],
        skip=values["skip"].lower() in _TRUE,
    )
    return Listed(repository, line, cells.get("isarchived", "").lower() == "true")


def _known_text(column: str) -> str:
    return column.lower().replace("_", "").replace("-", "").replace(" ", "").strip("\"'")


def _text(value: Any) -> str:
    # `gh repo list` has an object for the default branch.
    if isinstance(value, dict):
        return str(value.get("name", ""))
    return "" if value is None else str(value)
