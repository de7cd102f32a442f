"""Which rules run: those that are selected by name or family, without those that are ignored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from awaken.contract import Rule, UserError


class UnknownRule(UserError):
    """A rule or family was asked for that does not exist; the message names the nearest one."""


def choose(rules: Iterable[Rule], select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules that ``select`` names and ``ignore`` does not.

    Both name rules (``query-to-select``), families (``sqlalchemy``) or ``ALL``. Without
    ``select`` every rule runs that is not in preview. Raises UnknownRule for any other name.
    """
    rules = tuple(rules)
    for name in (*select, *ignore):
        _require_known(name, rules)
    return tuple(
        rule
        for rule in rules
        if (_named_by(rule, select) if select else not rule.preview) and not _named_by(rule, ignore)
    )


def _named_by(rule: Rule, names: Sequence[str]) -> bool:
    if rule.name in names:
        return True
    return not rule.preview and ("ALL" in names or rule.family in names)


def _require_known(name: str, rules: Sequence[Rule]) -> None:
    known = sorted({"ALL", *(rule.name for rule in rules), *(rule.family for rule in rules)})
    if name in known:
        return
    import difflib  # noqa: PLC0415  only a misspelt name needs it

    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else "`awaken rules` lists them all."
    raise UnknownRule(f"there is no rule or family named {name!r}; {hint}")
