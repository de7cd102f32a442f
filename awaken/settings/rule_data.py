"""Rules as data: what a rule declares, without the code that plans it.

To read the declarations of all rules from their classes imports several hundred modules. So they
are kept between runs (``awaken.engine.remembering.rule_table``), and a rule made from its data
imports its module when somebody first asks it for more.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, Literal

import msgspec
from msgspec import Struct

from awaken.contract import Level, NoOptions, Phase, Reason, Status
from awaken.kit.rule import Rule

_METHODS = tuple(name for name, member in vars(Rule).items() if isinstance(member, FunctionType))
"""What a rule does; all else in ``Rule`` is what it declares."""


class RuleData(Struct, frozen=True, kw_only=True):
    """The declarations of one rule, and the class that has them.

    Most fields are those of ``Rule``. ``methods`` are the names of those that the class defines,
    ``has_options`` says that its options are not ``NoOptions``.
    """

    module: str
    qualname: str
    methods: tuple[str, ...]
    has_options: bool
    name: str
    kind: Literal["rewrite", "advice"]
    family: str
    phase: Phase
    since: str
    levels: tuple[Level, ...]
    after: tuple[str, ...]
    triggers: tuple[bytes, ...]
    anchors: tuple[tuple[bytes, ...], ...]
    needs: dict[str, str]
    declares: dict[str, str]
    reads: tuple[str, ...]
    pieces: dict[str, str]
    writers: tuple[str, ...]
    reasons: tuple[Reason, ...]
    status: Status
    per_file: bool
    decides_by: Literal["file", "selection", "program"]
    looks_outside: bool


_DECLARED = tuple(
    name
    for name in RuleData.__struct_fields__
    if name not in {"module", "qualname", "methods", "has_options"}
)


def data_of(rule: Rule) -> RuleData:
    """Return what ``rule`` declares. Raises msgspec.ValidationError for what is no data."""
    kind = type(rule)
    fields = {name: msgspec.to_builtins(getattr(rule, name)) for name in _DECLARED}
    # Bytes stay bytes: they are data of MessagePack, which JSON has not.
    fields |= {"triggers": rule.triggers, "anchors": rule.anchors}
    fields |= {
        "module": kind.__module__,
        "qualname": kind.__qualname__,
        "methods": tuple(one for one in _METHODS if getattr(kind, one) is not getattr(Rule, one)),
        "has_options": rule.options is not NoOptions,
    }
    return msgspec.convert(fields, RuleData)


class DeclaredRule(Rule):
    """A rule made from its data; it imports its code when it is asked to do something."""

    data: RuleData

    def load(self) -> Rule:
        """Return the rule with its code."""
        return _loaded_rule(self.data.module, self.data.qualname)


@cache
def _loaded_rule(module: str, qualname: str) -> Rule:
    rule = getattr(importlib.import_module(module), qualname)()
    if not isinstance(rule, Rule):
        raise TypeError(f"{module}.{qualname} is not a rule")
    return rule


def rule_from(data: RuleData) -> DeclaredRule:
    """Return the rule that declares ``data``."""
    attributes: dict[str, Any] = {name: getattr(data, name) for name in _DECLARED}
    attributes |= {"__module__": data.module, "data": data}
    # Attributes that the class does not define stay those of `Rule`: the engine asks who proves.
    attributes |= {name: _calling(name) for name in data.methods}
    if data.has_options:
        attributes["options"] = property(lambda rule: rule.load().options)
    made: type[DeclaredRule] = type(data.qualname, (DeclaredRule,), attributes)
    return made()


def _calling(name: str) -> Callable[..., Any]:
    def call(rule: DeclaredRule, *arguments: Any) -> Any:
        return getattr(rule.load(), name)(*arguments)

    return call


def with_code(rule: Rule) -> Rule:
    """Return ``rule`` with its code imported: workers that are forked then share it."""
    return rule.load() if isinstance(rule, DeclaredRule) else rule
