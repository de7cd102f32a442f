"""Database URLs in files other than code: compose files, environments, jobs, manifests.

Only what such a URL begins with and the names of its parameters are kept: the rest may be secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from awaken.workspace.sources import SourceFile

URL_READS = (
    ".env*", "*.env", "*.env.*", "env.example", "Procfile",
    "compose*.yml", "compose*.yaml", "docker-compose*.yml", "docker-compose*.yaml",
    "Dockerfile*", "*.Dockerfile",
    "/.github/workflows/*.yml", "/.github/workflows/*.yaml", "/.gitlab-ci.yml",
    "/.circleci/config.yml", "/azure-pipelines.yml", "/bitbucket-pipelines.yml",
    "k8s/**/*.y*ml", "kubernetes/**/*.y*ml", "deploy/**/*.y*ml", "helm/**/*.y*ml",
    "manifests/**/*.y*ml",
)  # fmt: skip
"""What a rule declares in ``reads`` to ask for these URLs."""

_LARGEST = 200_000
"""Bytes of one file that are searched; a compose file has some thousands."""


_URL = re.compile(
    rb"(?<![\w+.:-])(?P<dialect>postgres(?:ql)?|mysql|mariadb|sqlite|oracle|mssql)"
    rb"(?P<driver>\+[a-z0-9_]{1,40})?://(?P<rest>[^\s\"'`<>,;]{0,2000})"
)
_PARAMETER = re.compile(rb"[?&]([A-Za-z_]\w{0,60})=")


class UrlElsewhere(Struct, frozen=True):
    """A URL in the file at ``path``: its 1-based line, its driver, the names after its ``?``."""

    path: str
    line: int
    drivername: str
    parameters: tuple[str, ...]


def urls_elsewhere(files: Mapping[str, SourceFile]) -> tuple[UrlElsewhere, ...]:
    """Return the URLs in ``files``, by file and line, comments left out."""
    url_elsewheres: list[UrlElsewhere] = []
    for path in sorted(files):
        text = files[path].text
        url_elsewheres += _in_text(path, text) if len(text) <= _LARGEST else ()
    return tuple(url_elsewheres)


def _in_text(path: str, text: bytes) -> Iterator[UrlElsewhere]:
    if b"://" not in text:
        return
    for number, line in enumerate(text.split(b"\n"), 1):
        written = line.partition(b" #")[0]
        if written.lstrip().startswith(b"#"):
            continue
        for match in _URL.finditer(written):
            drivername = match["dialect"] + (match["driver"] or b"")
            names = dict.fromkeys(item.decode() for item in _PARAMETER.findall(match["rest"]))
            yield UrlElsewhere(path, number, drivername.decode(), tuple(names))
