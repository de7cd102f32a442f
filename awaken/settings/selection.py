"""The selection of rules: those that run, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from awaken.contract import Status, UserError
from awaken.contract.nearest import did_you_mean
from awaken.kit.rule import Rule
from awaken.settings.model import COMMAND_LINE, Settings

IN_PREVIEW = "in preview: select it by name, or its family with --preview"
OPT_IN = "opt-in: select it by name, family or recipe"
UNUSED_SUPPRESSION = "unused-suppression"
"""Under this name awaken itself gives advice about comments that suppress nothing."""


class UnknownRule(UserError):
    """A rule or family was asked for that does not exist; the message names the nearest one."""


class Chosen(Struct, frozen=True):
    """The names of the rules that run, and of each other one why not.

    ``left_out`` are those in preview that families or ``ALL`` would select, by the words that name
    them in a sentence.
    """

    rules: tuple[str, ...]
    off: Mapping[str, str]
    left_out: Mapping[str, tuple[str, ...]] = {}


def choose(rules: Sequence[Rule], layers: Sequence[tuple[str, Settings]]) -> Chosen:
    """Return the rules that run by ``layers``, the lowest first, each with its origin.

    Layers name rules (``query-to-select``), families (``sqlalchemy``) or ``ALL``. As in ruff:
    ``select`` forgets what the layers below say; ``extend-select`` and ``ignore`` add to it. Within
    one layer a rule's name weighs more than its family, and that more than ``ALL``; for the same
    kind of name, ``ignore`` weighs more. Families leave out what is in preview, but where the
    highest layer that says anything of ``preview`` admits it.
    """
    said = (item.preview for _, item in reversed(layers))
    admitted = bool(next((candidate for candidate in said if candidate is not None), False))
    off = {rule.name: _ASKED_FOR[rule.status] for rule in rules if rule.status in _ASKED_FOR}
    for origin, settings in layers:
        for rule in rules:
            is_hidden = rule.status is Status.PREVIEW and not admitted
            selected = _selects(rule, settings, is_hidden=is_hidden)
            if selected:
                off.pop(rule.name, None)
            elif selected is not None:
                off[rule.name] = f"ignored by {origin}"
            elif settings.select is not None:
                off[rule.name] = IN_PREVIEW if is_hidden else f"not selected by {origin}"
    running = tuple(rule.name for rule in rules if rule.name not in off)
    hidden = [rule for rule in rules if off.get(rule.name) == IN_PREVIEW]
    return Chosen(running, off, _left_out(hidden, layers))


_ASKED_FOR = {Status.OPT_IN: OPT_IN, Status.PREVIEW: IN_PREVIEW}


def _selects(rule: Rule, settings: Settings, *, is_hidden: bool) -> bool | None:
    """Return whether one layer selects ``rule`` (True) or ignores it; None if it says neither."""
    selected = (*(settings.select or ()), *settings.extend_select)
    # From the most to the least telling name: the first that says anything decides.
    for name in (rule.name, rule.family, "ALL"):
        if name in settings.ignore:
            return False
        if name in selected and (name == rule.name or not is_hidden):
            return True
    return None


def _left_out(
    hidden: Sequence[Rule], layers: Sequence[tuple[str, Settings]]
) -> dict[str, tuple[str, ...]]:
    """Return which of the rules in preview some words would select, by these words."""
    result: dict[str, tuple[str, ...]] = {}
    for origin, settings in layers:
        if settings.select is not None:
            result.clear()
        for key in ("select", "extend_select"):
            for name in getattr(settings, key) or ():
                left_out = tuple(rule.name for rule in hidden if name in {rule.family, "ALL"})
                option = f"`--{key.replace('_', '-')} {name}`"
                words = option if origin == COMMAND_LINE else f"`{name}` in {origin}"
                result |= {words: left_out} if left_out else {}
    return result


def remove_forbidden(chosen: Chosen, forbidden: Mapping[str, str]) -> Chosen:
    """Return what was chosen less the rules that may not run, each with why."""
    off = {**chosen.off, **forbidden}
    running = tuple(name for name in chosen.rules if name not in forbidden)
    return Chosen(running, off, chosen.left_out)


def names_of_rules(rules: Iterable[Rule], names: Sequence[str]) -> tuple[str, ...]:
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
