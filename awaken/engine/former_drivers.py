"""Places that still name the synchronous driver after a program became asynchronous."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from awaken.engine.report import RootReport
from awaken.knowledge.ecosystem import default_drivers, drivers
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import is_async_driver
from awaken.project.frameworks.sqlalchemy.engines.url_sources import URL_READS, urls_elsewhere
from awaken.workspace.reading import METADATA_LIMIT, Enclosure
from awaken.workspace.sources import SourceFile, Undecodable, decode_settings

_MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py", "requirements*.txt", "requirements*.in")
_OTHERS = frozenset({"node_modules", "site-packages", "venv", "__pycache__"})
_HIDDEN = frozenset({".github", ".circleci"})
_MOST = 20_000
"""Files of one program that are looked at; more are another program's."""
_SYNCHRONOUS = re.compile(rb"(?<!\w)(?:create_engine|engine_from_config)\(")
"""What makes an engine that stays synchronous, and keeps its driver."""


def former_drivers(root: RootReport) -> list[tuple[str, str]]:
    """Return the path of each file that names a driver which the changes replaced.

    With it the rest of a sentence that begins with the path: a line, and what it says.

    Places are URLs in compose files, environments and jobs, and dependencies that no file of the
    program names any more. A program whose changes bring no asynchronous driver has none.
    """
    new = _new_drivers(root)
    if not new:
        return []
    texts = _texts(root)
    return [*_urls(texts, new), *_dependencies(texts, new)]


def _new_drivers(root: RootReport) -> dict[str, str]:
    """Return the asynchronous drivers that the changes wrote, each by its database."""
    names = {}
    for name in (url for driver in drivers() for url in driver.async_urls):
        for file in root.files:
            before = file.before.raw() if file.before else b""
            if name.encode() in file.after.raw() and name.encode() not in before:
                names[name.partition("+")[0]] = name
    return names


def _texts(root: RootReport) -> dict[str, bytes]:
    """Return by path the files that can name a driver, as the changes leave them."""
    enclosure, changed = Enclosure(root.root), {file.path: file.after.text for file in root.files}
    result: dict[str, bytes] = {}
    for path in _paths(root.root):
        if path not in changed and (path.endswith(".py") or _is_named(path)):
            try:
                raw = enclosure.read(root.root / path, METADATA_LIMIT)
                result[path] = raw if path.endswith(".py") else decode_settings(path, raw).text
            except (OSError, Undecodable):
                continue
    return result | changed


def _paths(top: Path) -> Iterator[str]:
    number = 0
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(
            path
            for path in folders
            if path not in _OTHERS and (not path.startswith(".") or path in _HIDDEN)
        )
        for name in sorted(files):
            number += 1
            if number > _MOST:
                return
            yield Path(folder, name).relative_to(top).as_posix()


def _is_named(path: str) -> bool:
    patterns = (*(name.removeprefix("/") for name in URL_READS), *_MANIFESTS)
    return any(PurePosixPath(path).match(pattern) for pattern in patterns)


def _urls(texts: Mapping[str, bytes], new: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    others = {path: SourceFile(path, text) for path, text in texts.items() if path[-3:] != ".py"}
    renamed = default_drivers().renamed
    for url in urls_elsewhere(others):
        dialect = url.drivername.partition("+")[0]
        driver = new.get(renamed.get(dialect, dialect))
        if driver and not is_async_driver(url.drivername, current=False):
            names = f"this URL names `{url.drivername}`"
            yield url.path, f":{url.line}: {names}, but the program now uses `{driver}`."


def _dependencies(texts: Mapping[str, bytes], new: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    manifests = {path for path in texts if any(PurePosixPath(path).match(p) for p in _MANIFESTS)}
    advice = "if nothing else needs it, remove it."
    whole = b"\n".join(text for path, text in texts.items() if path not in manifests).lower()
    if _SYNCHRONOUS.search(whole):
        return
    for driver in drivers():
        modules = {url.partition("+")[2] for url in driver.urls if url.partition("+")[0] in new}
        if driver.async_urls or not modules:
            continue
        if any(re.search(rb"\b%s\b" % re.escape(module.encode()), whole) for module in modules):
            continue
        for path in sorted(manifests):
            for number, line in enumerate(texts[path].split(b"\n"), 1):
                for name in driver.distributions:
                    if re.search(rb"(?<![\w.-])%s(?![\w.-])" % re.escape(name.encode()), line):
                        yield path, f":{number}: no file uses `{name}` any more; {advice}"
