"""The selection of rules: those that run, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from awaken.contract import UserError
from awaken.contract.nearest import did_you_mean
from awaken.kit.rule import Rule
from awaken.settings.model import Settings

IN_PREVIEW = "in preview: select it by name"
UNUSED_SUPPRESSION = "unused-suppression"
"""Under this name awaken itself gives advice about comments that suppress nothing."""


class UnknownRule(UserError):
    """A rule or family was asked for that does not exist; the message names the nearest one."""


class Chosen(Struct, frozen=True):
    """The names of the rules that run, and of each other one why not."""

    rules: tuple[str, ...]
    off: Mapping[str, str]


def choose(rules: Iterable[Rule], select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules that ``select`` names and ``ignore`` does not.

    Both name rules (``query-to-select``), families (``sqlalchemy``) or ``ALL``, and a rule by
    name weighs more than its family. Without ``select`` every rule runs that is not in preview.
    Raises UnknownRule for any other name.
    """
    rules = tuple(rules)
    for name in (*select, *ignore):
        require_known(name, rules)
    chosen = choose_by_layers(
        rules, [("", Settings(select=tuple(select) or None, ignore=tuple(ignore)))]
    )
    return tuple(rule for rule in rules if rule.name in chosen.rules)


def choose_by_layers(rules: Sequence[Rule], layers: Iterable[tuple[str, Settings]]) -> Chosen:
    """Return the rules that run by ``layers``, the lowest first, each with its origin.

    As in ruff: ``select`` forgets what the layers below say; ``extend-select`` and ``ignore`` add
    to it. Within one layer a rule's name weighs more than its family, and that more than ``ALL``;
    for the same kind of name, ``ignore`` weighs more.
    """
    off: dict[str, str] = {rule.name: IN_PREVIEW for rule in rules if rule.preview}
    for origin, settings in layers:
        for rule in rules:
            said = _said(rule, settings)
            if said:
                off.pop(rule.name, None)
            elif said is not None:
                off[rule.name] = f"ignored by {origin}"
            elif settings.select is not None:
                off[rule.name] = IN_PREVIEW if rule.preview else f"not selected by {origin}"
    return Chosen(tuple(rule.name for rule in rules if rule.name not in off), off)


def without(chosen: Chosen, forbidden: Mapping[str, str]) -> Chosen:
    """Return what was chosen less the rules that may not run, each with why."""
    off = {**chosen.off, **forbidden}
    return Chosen(tuple(name for name in chosen.rules if name not in forbidden), off)


def _said(rule: Rule, settings: Settings) -> bool | None:
    """Return whether one layer selects ``rule`` (True) or ignores it; None if it says neither."""
    selected = (*(settings.select or ()), *settings.extend_select)
    # From the most to the least telling name: the first that says anything decides.
    for name in (rule.name, rule.family, "ALL"):
        if name in settings.ignore:
            return False
        # A family must not turn on what is in preview.
        if name in selected and (name == rule.name or not rule.preview):
            return True
    return None


def named(rules: Iterable[Rule], names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all rules that ``names`` mean: rules, families, ``ALL``."""
    return tuple(
        rule.name for rule in rules if not {rule.name, rule.family, "ALL"}.isdisjoint(names)
    )


def require_known(name: str, rules: Sequence[Rule]) -> None:
    """Raise UnknownRule unless ``name`` is ``ALL``, a rule or a family."""
    known = {"ALL", *(rule.name for rule in rules), *(rule.family for rule in rules)}
    # Findings show this name, so users try to select it.
    if name == UNUSED_SUPPRESSION and name not in known:
        raise UnknownRule(
            f"{name} is no rule but advice on comments that hold nothing back; remove such a "
            f"comment, or write `# awaken: ignore[..., {name}]` in it"
        )
    if name not in known:
        hint = did_you_mean(name, known, "`awaken rules` lists them all.")
        raise UnknownRule(f"there is no rule or family named {name!r}{hint}")
