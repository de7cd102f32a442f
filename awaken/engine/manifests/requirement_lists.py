"""A list of requirements in a manifest: what every format can do, and what is added to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from awaken.engine.manifests.whole_texts import CannotAdd
from awaken.workspace.manifests.versions import overlap, requirement

_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[(?P<extras>[^\]]*)\])?")


class RequirementList(Protocol):
    """The requirements of one group in a manifest, which is edited in place."""

    @property
    def texts(self) -> Sequence[str]:
        """The requirements as they are written, without quotes and comments."""

    def insert(self, place: int, text: str) -> None:
        """Add a requirement in front of the one at ``place``, or behind the last."""

    def replace(self, place: int, text: str) -> None:
        """Write the requirement at ``place`` anew."""

    def manifest(self) -> str:
        """Return the text of the whole manifest. Raises CannotAdd if it is not as it should be."""


def distribution_of(text: str) -> str:
    """Return the canonical name of a requirement's distribution; empty for what is none."""
    found = _NAME.match(text)
    return canonicalize_name(found["name"]) if found else ""


def is_requirement(text: str) -> bool:
    """Whether ``text`` is a requirement, as packaging reads it."""
    try:
        requirement(text)
    except InvalidRequirement:
        return False
    return True


def require(found: RequirementList, wanted: Requirement) -> None:
    """Add ``wanted`` to a list: nothing, an extra or a requirement, whichever is missing."""
    names = [distribution_of(text) for text in found.texts]
    name = canonicalize_name(wanted.name)
    if name not in names:
        found.insert(_place(found.texts, str(wanted)), str(wanted))
        return
    place = names.index(name)
    _require_compatible(found.texts[place], wanted)
    merged = _with_extras(found.texts[place], wanted)
    if merged != found.texts[place]:
        found.replace(place, merged)


def _require_compatible(text: str, wanted: Requirement) -> None:
    """Raise CannotAdd if no version is both what a manifest says and what is wanted."""
    try:
        said = requirement(text).specifier
    except InvalidRequirement:
        return
    if not overlap(said, wanted.specifier):
        raise CannotAdd(f"it asks for {text}, which excludes it")


def _place(texts: Sequence[str], wanted: str) -> int:
    """Return the place that keeps a sorted list sorted, else the end."""
    names = [text.lower() for text in texts]
    if names != sorted(names):
        return len(names)
    return sum(name <= wanted.lower() for name in names)


def _with_extras(text: str, wanted: Requirement) -> str:
    """Return a requirement with the missing extras; its specifier and its marker stay as written.

    ``packaging`` would write all of it anew.
    """
    found = _NAME.match(text)
    if found is None:
        return text
    extras = [extra.strip() for extra in (found["extras"] or "").split(",") if extra.strip()]
    missing = sorted(wanted.extras - {canonicalize_name(extra) for extra in extras} - set(extras))
    if not missing:
        return text
    return f"{found['name']}[{','.join([*extras, *missing])}]{text[len(found[0].rstrip()) :]}"
