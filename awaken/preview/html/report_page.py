"""The report as one HTML page: no network, and no script needed to read it.

The script of the page filters, walks and remembers what was looked at, in the browser. Every
finding is an element whose ``id`` is its site, so that its address stays the same between runs.
A page may have the reports of several repositories, one after the other.
"""

from __future__ import annotations

import importlib.metadata
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from msgspec import Struct

from awaken.engine.report import Report
from awaken.preview.counts import changed_files, count, plural, todo
from awaken.preview.html.markup import COLOURED_LINES, inline, rows
from awaken.preview.html.page_parts import Parts
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert_markup, visible


class Repository(Struct, frozen=True):
    """One of several repositories on a page: its name, how far it is, and the report of its run.

    A repository without a run, such as one that was not cloned, has an empty report.
    """

    name: str
    state: str
    report: Report
    asked: Asked


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    yield inert_markup(page(report, asked)).encode()


def write_several(title: str, repositories: Sequence[Repository]) -> Iterator[bytes]:
    """Yield one page for ``repositories``: a table that links to the section of each, as UTF-8.

    ``title`` says what ran over them, for example ``awaken batch sqlalchemy-2``. ``send`` writes
    what this yields, as it writes any form.
    """
    yield inert_markup(page_of_several(title, repositories)).encode()


def page(report: Report, asked: Asked) -> str:
    """Return the page for ``report``; every string in it is escaped by the template."""
    title = f"awaken {asked.command}"
    return _rendered(title, [(Parts(report, asked), {})], count(report).sites, [])


def page_of_several(title: str, repositories: Sequence[Repository]) -> str:
    """Return the page that ``write_several`` writes, as text."""
    keys = _keys([one.name for one in repositories])
    parts = [
        (Parts(one.report, one.asked, f"{key}-"), {"name": one.name, "state": one.state})
        for one, key in zip(repositories, keys, strict=True)
    ]
    table = [
        (f"{key}-", one, count(one.report), changed_files(one.report))
        for one, key in zip(repositories, keys, strict=True)
    ]
    return _rendered(title, parts, sum(row[2].sites for row in table), table)


def _rendered(
    title: str,
    parts: Sequence[tuple[Parts, dict[str, str]]],
    sites: int,
    repositories: Sequence[tuple[object, ...]],
) -> str:
    is_coloured = sum(part.size for part, _ in parts) <= COLOURED_LINES
    return template_of("awaken.preview.html", "report.html.jinja").render(
        title=title,
        sites=sites,
        repositories=repositories,
        chapters=[
            {"name": "", "state": "", **more, **part.values(coloured=is_coloured)}
            for part, more in parts
        ],
        version=importlib.metadata.version("awaken"),
        **trusted_parts("report.css", "report.js"),
    )


def template_of(package: str, name: str) -> Template:
    """Return the template ``name`` of a package; it escapes all strings, and shows what hides."""
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(inline=inline, plural=plural, rows=rows, todo=todo)
    return environment.get_template(name)


def trusted_parts(style: str, script: str | None = None) -> dict[str, Any]:
    """Return files of this package as a page takes them, with what its policy says of them."""
    texts = {"style": _resource(style)} | ({"script": _resource(script)} if script else {})
    return {
        **{name: Markup(text) for name, text in texts.items()},  # noqa: S704  files of this package
        "digests": {name: _digest(text) for name, text in texts.items()},
    }


def _keys(names: Sequence[str]) -> list[str]:
    """Return what begins the addresses of each repository: its name as a word, each once."""
    keys: dict[str, None] = {}
    for name in names:
        word = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or "repository"
        number = 2
        key = word
        while key in keys:
            key, number = f"{word}-{number}", number + 1
        keys[key] = None
    return list(keys)


def _shown(value: object) -> object:
    return visible(value) if type(value) is str else value


def _resource(name: str) -> str:
    return resources.files("awaken.preview.html").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return what the page's policy names, so that the browser runs nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
