"""A list of requirements in a manifest: the operations of every format, and its additions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from awaken.engine.manifests.whole_texts import CannotAdd
from awaken.workspace.manifests.versions import KEPT_TEXTS, is_within, overlap, requirement

_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[(?P<extras>[^\]]*)\])?")


class RequirementList(Protocol):
    """The requirements of one group in a manifest, which is edited in place."""

    @property
    def names(self) -> Sequence[str]:
        """The canonical names of the distributions, in their order."""

    def add(self, wanted: Requirement, beside: str) -> None:
        """Add a requirement that is not there yet; it is needed like ``beside`` (or nothing)."""

    def extend(self, wanted: Requirement, *, may_replace: bool = False) -> None:
        """Give a requirement that is there what it lacks. Raises CannotAdd."""

    def manifest(self) -> str:
        """Return the text of the whole manifest. Raises CannotAdd if it is not as it should be."""


class Texts(Protocol):
    """Requirements as PEP 508 has them, edited in place."""

    @property
    def texts(self) -> Sequence[str]:
        """The requirements as they are written, without quotes and comments."""

    def insert(self, place: int, text: str) -> None:
        """Add a requirement before the one at ``place``, or after the last."""

    def replace(self, place: int, text: str) -> None:
        """Write the requirement at ``place`` again."""

    def manifest(self) -> str:
        """Return the text of the whole manifest. Raises CannotAdd if it is not as it should be."""


class TextList:
    """A list of requirements as PEP 508 has them."""

    def __init__(self, held: Texts) -> None:
        self._held = held
        self.manifest: Callable[[], str] = held.manifest

    @property
    def names(self) -> Sequence[str]:
        """The canonical names of the distributions."""
        return [distribution_of(text) for text in self._held.texts]

    def add(self, wanted: Requirement, beside: str) -> None:
        """Add a requirement where it keeps the order."""
        del beside
        self._held.insert(place_of(self.names, wanted.name), str(wanted))

    def extend(self, wanted: Requirement, *, may_replace: bool = False) -> None:
        """Give the requirement missing extras and bounds. Raises CannotAdd."""
        place = self.names.index(canonicalize_name(wanted.name))
        text = self._held.texts[place]
        extended = _with_extras(_with_bounds(text, wanted, may_replace=may_replace), wanted)
        if extended != text:
            self._held.replace(place, extended)


def distribution_of(text: str) -> str:
    """Return the canonical name of a requirement's distribution; empty for other lines."""
    match = _NAME.match(text)
    return canonicalize_name(match["name"]) if match else ""


@lru_cache(KEPT_TEXTS)
def is_requirement(text: str) -> bool:
    """Whether ``text`` is a requirement, as packaging reads it."""
    try:
        requirement(text)
    except InvalidRequirement:
        return False
    return True


def require(
    found: RequirementList, wanted: Requirement, beside: str = "", *, may_replace: bool = False
) -> None:
    """Add ``wanted`` to a list: nothing, an extra, a bound or a requirement, what is missing.

    With ``may_replace`` its versions take the place of those that exclude it.
    """
    if canonicalize_name(wanted.name) in found.names:
        found.extend(wanted, may_replace=may_replace)
    else:
        found.add(wanted, beside)


def place_of(names: Sequence[str], wanted: str) -> int:
    """Return the place that keeps a list of canonical names sorted, else the end."""
    if list(names) != sorted(names):
        return len(names)
    return sum(name <= canonicalize_name(wanted) for name in names)


_LOWER = re.compile(r">=?\s*[^\s,;)]+")


def narrowed_range(
    written: str, said: SpecifierSet, wanted: Requirement, *, may_replace: bool = False
) -> str:
    """Return the range that a manifest has ``written``, without what ``wanted`` excludes.

    ``said`` is what it means. Raises CannotAdd if nothing is left, or if it cannot be written.
    """
    if not overlap(said, wanted.specifier):
        if may_replace:
            return str(wanted.specifier)
        raise CannotAdd(f"it requires {wanted.name} {written.strip()}, which excludes it")
    for clause in sorted(wanted.specifier, key=str, reverse=True):
        if is_within(said, SpecifierSet(str(clause))):
            continue
        lower = _LOWER.search(written) if clause.operator == ">=" else None
        if lower is not None:
            written = f"{written[: lower.start()]}{clause}{written[lower.end() :]}"
        else:
            bare = written.rstrip()
            written = f"{bare}{',' if bare.strip() else ''}{clause}{written[len(bare) :]}"
    return written


def _with_bounds(text: str, wanted: Requirement, *, may_replace: bool) -> str:
    """Return a requirement whose range leaves out what ``wanted`` excludes. Raises CannotAdd."""
    head = _NAME.match(text)
    try:
        said = requirement(text)
    except InvalidRequirement:
        return text
    if head is None or said.url:
        return text
    is_excluded = not overlap(said.specifier, wanted.specifier)
    if is_excluded and not may_replace:
        raise CannotAdd(f"it requires {text}, which excludes it")
    written, semicolon, marker = text[head.end() :].partition(";")
    if is_excluded:
        written = written[len(written.rstrip()) :]
    if not written.strip():
        # The extras come first, then the range: blanks before the marker stay.
        return f"{text[: head.end()].rstrip()}{_bounds(wanted)}{written}{semicolon}{marker}"
    new = narrowed_range(written, said.specifier, wanted)
    if written.lstrip().startswith("(") and new != written:
        raise CannotAdd(f"it requires {text}, but the change needs {_bounds(wanted)}")
    return f"{text[: head.end()]}{new}{semicolon}{marker}"


def _bounds(wanted: Requirement) -> str:
    return str(wanted.specifier)


def _with_extras(text: str, wanted: Requirement) -> str:
    """Return a requirement with the missing extras; its specifier and its marker stay as written.

    ``packaging`` would write all of it again.
    """
    match = _NAME.match(text)
    if match is None:
        return text
    extras = [extra.strip() for extra in (match["extras"] or "").split(",") if extra.strip()]
    missing = missing_extras(extras, wanted)
    if not missing:
        return text
    return f"{match['name']}[{','.join([*extras, *missing])}]{text[len(match[0].rstrip()) :]}"


def missing_extras(extras: Sequence[str], wanted: Requirement) -> list[str]:
    """Return the extras of ``wanted`` that are not among ``extras``."""
    return sorted(wanted.extras - {canonicalize_name(extra) for extra in extras} - set(extras))
