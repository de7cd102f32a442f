"""The report as one HTML page: no network, and no script needed to read it.

The script of the page filters, walks and remembers what was looked at, in the browser. Every
finding is an element whose ``id`` is its site, so that its address stays the same between runs.
"""

from __future__ import annotations

import importlib.metadata
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from awaken.engine.report import Report
from awaken.preview.counts import count, plural, todo
from awaken.preview.html.markup import COLOURED_LINES, inline, rows
from awaken.preview.html.page_parts import Parts
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert_markup, visible


def write(report: Report, asked: Asked, compiled: Path | None = None) -> Iterator[bytes]:
    """Yield the form, as UTF-8; ``compiled`` is a directory of ``compiled_template``."""
    yield inert_markup(page(report, asked, compiled)).encode()


def page(report: Report, asked: Asked, compiled: Path | None = None) -> str:
    """Return the page for ``report``; every string in it is escaped by the template."""
    parts = Parts(report, asked)
    return template_of("awaken.preview.html", "report.html.jinja", compiled).render(
        title=f"awaken {asked.command}",
        sites=count(report).sites,
        version=importlib.metadata.version("awaken"),
        **parts.values(coloured=parts.size <= COLOURED_LINES),
        **trusted_parts("report.css", "report.js"),
    )


@cache
def compiled_template() -> Mapping[str, bytes]:
    """Return files by name; where they are, another process need not compile the page again."""
    with TemporaryDirectory() as place:
        template_of("awaken.preview.html", "report.html.jinja", Path(place))
        return {file.name: file.read_bytes() for file in Path(place).iterdir()}


def template_of(package: str, name: str, compiled: Path | None = None) -> Template:
    """Return the template ``name`` of a package; it escapes all strings, and shows what hides."""
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if compiled else None,
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


def _shown(value: object) -> object:
    return visible(value) if type(value) is str else value


def _resource(name: str) -> str:
    return resources.files("awaken.preview.html").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return what the page's policy names, so that the browser runs nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
