"""Ranges of versions: which versions can be in one, and whether two have one in common."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeVar

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CURRENT = {"python": ">=3.11", "sqlalchemy": ">=2.1,<2.2"}
"""The release lines that a new installation gets (November 2026), for what declares nothing."""

PYTHON_MINORS = ((2, 7), *((3, minor) for minor in range(30)))
"""The release lines that are told apart. With one a year, 3.29 comes in 2040."""

ANY_VERSION = "any version"
"""What is shown for a requirement that names no version."""

_KEPT_ANSWERS = 1000
"""Pairs of ranges kept: rules ask for some fifty over and over, manifests name the rest once."""

KEPT_TEXTS = 2000
"""Texts of requirements and ranges kept: each step of a recipe reads the same manifests again."""

TEXT_LIMIT = 4096
"""Characters of a requirement, a marker or a range: below what costs ``packaging`` time or Python's
limit for digits. ``apache-airflow`` with all of its extras takes 1,500."""

Form = TypeVar("Form")

_OLDEST, _NEWEST = Version("0"), Version("99999")


@lru_cache(KEPT_TEXTS)
def specifiers(text: str) -> SpecifierSet:
    """Return the range that ``text`` states. Raises InvalidSpecifier, and nothing else."""
    return _read(SpecifierSet, text, InvalidSpecifier)


def requirement(text: str) -> Requirement:
    """Return the requirement that ``text`` states. Raises InvalidRequirement, and nothing else."""
    return _read(Requirement, text, InvalidRequirement)


def marker(text: str) -> Marker:
    """Return the marker of ``text``. Raises InvalidMarker, and nothing else."""
    return _read(Marker, text, InvalidMarker)


def _read(form: Callable[[str], Form], text: str, invalid: type[ValueError]) -> Form:
    """Return what ``packaging`` makes of ``text``, which nobody vouches for. Raises ``invalid``."""
    if len(text) > TEXT_LIMIT:
        raise invalid(_too_long(text))
    try:
        return form(text)
    except RecursionError:
        raise invalid("its marker is nested too deeply") from None
    except ValueError as error:  # a number that Python does not convert, say
        raise invalid(str(error)) from None


def _too_long(text: str) -> str:
    return f"{text[:40]}... has more than {TEXT_LIMIT} characters"


def current(name: str) -> SpecifierSet:
    """Return the versions that a program which declares nothing gets; the newest if unknown."""
    return SpecifierSet(CURRENT.get(name, f">={_NEWEST}"))


def shown_range(one: SpecifierSet) -> str:
    """Return a range as a reader wants to see it: lower bounds first."""
    if one == current(""):
        return "newest"
    clauses = sorted(map(str, one), key=lambda clause: (clause.startswith("<"), clause))
    return ",".join(clauses) or ANY_VERSION


@lru_cache(_KEPT_ANSWERS)
def overlap(*ranges: SpecifierSet) -> bool:
    """Whether some version lies in all ``ranges``, pre-releases included."""
    return any(
        all(span.contains(version, prereleases=True) for span in ranges)
        for version in _candidates(ranges)
    )


@lru_cache(_KEPT_ANSWERS)
def is_within(inner: SpecifierSet, outer: SpecifierSet) -> bool:
    """Whether every version of ``inner`` lies in ``outer``."""
    return all(
        outer.contains(version, prereleases=True)
        for version in _candidates((inner, outer))
        if inner.contains(version, prereleases=True)
    )


def _candidates(ranges: Iterable[SpecifierSet]) -> set[Version]:
    """Return versions at, just below and just above each boundary: one for every interval."""
    versions = {_OLDEST, _NEWEST}
    for span in ranges:
        for specifier in span:
            try:
                boundary = Version(specifier.version.removesuffix(".*"))
            except ValueError:  # "===" takes any string
                continue
            versions.update((boundary, *_neighbours(boundary)))
    return versions


@cache
def _neighbours(boundary: Version) -> list[Version]:
    """Return releases below, above, and above the release line of ``boundary``."""
    release = boundary.release
    major, minor, micro = (*release, 0, 0)[:3]
    above = (major, minor, micro + 1)
    next_line = (*release[:-1], release[-1] + 1)
    last = max((i for i, part in enumerate(release) if part), default=None)
    parts = [above, next_line]
    if last is not None:
        parts.append((*release[:last], release[last] - 1, 9999))
    return [Version(f"{boundary.epoch}!{'.'.join(map(str, part))}") for part in parts]


@cache
def python_line(major: int, minor: int) -> SpecifierSet:
    """Return the range of all releases of one minor version of Python."""
    return SpecifierSet(f"=={major}.{minor}.*")


def lowest_python(ranges: Iterable[SpecifierSet]) -> tuple[int, int]:
    """Return the lowest minor version of Python of which some release lies in ``ranges``."""
    alternatives = tuple(ranges)
    for major, minor in PYTHON_MINORS:
        if any(overlap(python_line(major, minor), alternative) for alternative in alternatives):
            return major, minor
    return PYTHON_MINORS[-1]


def requested_range(text: str) -> SpecifierSet:
    """Return the range for what a user writes: ``2.0`` (the line), ``1.4.54``, ``>=1.4,<2.1``.

    Raises InvalidSpecifier.
    """
    text = text.strip()
    if not text:
        raise InvalidSpecifier("no version is given")
    if not text[0].isdigit():
        return specifiers(text)
    lines = len(text.split(".")) < 3  # noqa: PLR2004 - "2.0" names a release line
    return specifiers(f"=={text}.*" if lines and "*" not in text else f"=={text}")


def poetry_ranges(text: str) -> tuple[SpecifierSet, ...]:
    """Return the alternatives of a version constraint as Poetry (and Pipenv) write it.

    ``^1.4``, ``~1.4``, ``1.4.*``, ``*``, ``>=1.4 <2`` and ``a || b`` are understood
    (python-poetry.org/docs/dependency-specification). Raises InvalidSpecifier.
    """
    if len(text) > TEXT_LIMIT:
        raise InvalidSpecifier(_too_long(text))
    return tuple(_poetry_range(part) for part in re.split(r"\|\|?", text))


def _poetry_range(text: str) -> SpecifierSet:
    text = re.sub(r"([~^<>=!]=?=?)\s+", r"\1", text.strip())
    parts = [part for part in re.split(r"[,\s]+", text) if part]
    return specifiers(",".join(filter(None, map(_poetry_clause, parts))))


def _poetry_clause(clause: str) -> str:
    if clause == "*":
        return ""
    if clause.startswith("^") or (clause.startswith("~") and not clause.startswith("~=")):
        return _caret_or_tilde(clause)
    if clause[0].isdigit():
        return f"=={clause}"
    if clause.startswith("=") and not clause.startswith("=="):
        return f"={clause}"
    return clause


def _caret_or_tilde(clause: str) -> str:
    """Return ``>=low,<high``: a caret keeps the first part that is not 0, a tilde the minor."""
    text = clause[1:].removesuffix(".*")
    try:
        release = Version(text).release
    except ValueError as error:
        raise InvalidSpecifier(f"Invalid specifier: {clause!r}") from error
    if clause[0] == "^":
        kept = next((i for i, part in enumerate(release) if part), len(release) - 1)
    else:
        kept = min(1, len(release) - 1)
    high = (*release[:kept], release[kept] + 1)
    return f">={text},<{'.'.join(map(str, high))}"
