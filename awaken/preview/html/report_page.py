"""The report as one HTML page: no network, and no script needed to read it.

The script of the page filters, walks and remembers what was looked at, in the browser. Every
finding is an element whose ``id`` is its site, so that its address stays the same between runs.
"""

from __future__ import annotations

import importlib.metadata
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined, Template
from jinja2.bccache import Bucket
from markupsafe import Markup

from awaken.engine.report import Report
from awaken.preview.counts import count, plural, todo
from awaken.preview.html.markup import COLOURED_LINES, inline, rows
from awaken.preview.html.page_parts import Parts
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert_markup, visible


def write(report: Report, asked: Asked, compiled: bytes = b"") -> Iterator[bytes]:
    """Yield the form, as UTF-8; ``compiled`` is what ``compiled_template`` gave."""
    yield inert_markup(page(report, asked, compiled)).encode()


def page(report: Report, asked: Asked, compiled: bytes = b"") -> str:
    """Return the page for ``report``; every string in it is escaped by the template."""
    parts = Parts(report, asked)
    code = _Compiled(compiled)
    return template_of("awaken.preview.html", "report.html.jinja", code).render(
        title=f"awaken {asked.command}",
        sites=count(report).sites,
        version=importlib.metadata.version("awaken"),
        **parts.values(coloured=parts.size <= COLOURED_LINES),
        **trusted_parts("report.css", "report.js"),
    )


@cache
def compiled_template() -> bytes:
    """Return the code of the page, so that another process need not compile it again."""
    code = _Compiled()
    template_of("awaken.preview.html", "report.html.jinja", code)
    return code.text


class _Compiled(BytecodeCache):
    """The code of one template, in memory: whoever can write it into a file runs in our process."""

    def __init__(self, text: bytes = b"") -> None:
        self.text = text

    def load_bytecode(self, bucket: Bucket) -> None:
        if self.text:
            bucket.bytecode_from_string(self.text)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.text = bucket.bytecode_to_string()


def template_of(package: str, name: str, compiled: BytecodeCache | None = None) -> Template:
    """Return the template ``name`` of a package; it escapes all strings, and shows what hides."""
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        bytecode_cache=compiled,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown_value,
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


def _shown_value(value: object) -> object:
    return visible(value) if type(value) is str else value


def _resource(name: str) -> str:
    return resources.files("awaken.preview.html").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return what the page's policy names, so that the browser runs nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
