"""The check of a rule's plan against the contract: the engine trusts no plan before it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import PurePosixPath

from awaken.contract import (
    ChangeId,
    Constraints,
    Edit,
    Finding,
    Level,
    Place,
    Plan,
    SetKey,
    SiteId,
    Span,
)
from awaken.kit.rule import Rule
from awaken.workspace.sources import Snapshot

_SURROGATE = re.compile("[\ud800-\udfff]")  # cannot be encoded


def contract_broken(
    rule: Rule, plan: Plan, constraints: Constraints, snapshot: Snapshot
) -> str | None:
    """Return what is wrong with the plan of ``rule`` for ``snapshot``, or None.

    Every site has one finding; a manual finding has a reason that the rule declares; a safe or
    unsafe one has a change that names its site and is in the plan, unless the site is left out.
    Places lie in files of the project, and what is written there is text.
    """
    sites = [finding.site for finding in plan.findings]
    if len(set(sites)) != len(sites):
        return "a site has two findings"
    wrong = chain(
        _wrong_findings(rule, plan, constraints, snapshot),
        _wrong_changes(rule, plan),
        _wrong_places(plan, snapshot),
    )
    return next(wrong, None)


def _wrong_findings(
    rule: Rule, plan: Plan, constraints: Constraints, snapshot: Snapshot
) -> Iterator[str]:
    sites_of = {change.id: frozenset(change.sites) for change in plan.changes}
    reasons = {reason.full_code(rule.name) for reason in rule.reasons}
    for finding in plan.findings:
        for what in chain(
            _wrong_words(rule, finding, reasons), _wrong_change(finding, sites_of, constraints)
        ):
            yield f"{_where(finding.place, snapshot)} {what}"


def _where(place: Place, snapshot: Snapshot) -> str:
    source = snapshot.get(place.path)
    if source is None:
        return place.path
    # As the line of a finding is counted: CR, LF and CRLF end lines.
    return f"{place.path}:{len((source.text[: place.span.start] + b'.').splitlines())}"


def _wrong_words(rule: Rule, finding: Finding, reasons: Collection[str]) -> Iterator[str]:
    rewritten = finding.level in {Level.SAFE, Level.UNSAFE}
    if finding.rule != rule.name:
        yield f"is a finding of {finding.rule}"
    if rewritten != (finding.change is not None):
        yield f"is {finding.level} and its change is {finding.change}"
    if (finding.level is Level.MANUAL) != (finding.reason is not None):
        yield f"is {finding.level} and its reason is {finding.reason}"
    if finding.reason is not None and finding.reason not in reasons:
        yield f"has the undeclared reason {finding.reason}"


def _wrong_change(
    finding: Finding, sites_of: Mapping[ChangeId, Collection[SiteId]], constraints: Constraints
) -> Iterator[str]:
    # An excluded site keeps its level and names its change, although the plan has it no more.
    if finding.change is None or finding.site in constraints.excluded:
        return
    if finding.change not in sites_of:
        yield "names a change that is not in the plan"
    elif finding.site not in sites_of[finding.change]:
        yield "names a change that does not name it"


def _wrong_changes(rule: Rule, plan: Plan) -> Iterator[str]:
    if len({change.id for change in plan.changes}) != len(plan.changes):
        yield "two changes have one identity"
    known = {finding.site for finding in plan.findings}
    for change in plan.changes:
        if change.rule != rule.name:
            yield f"a change is one of {change.rule}"
        if not known.issuperset(change.sites):
            yield "a change names a site without a finding"
        if not change.sites:
            yield "a change names no site"


def _wrong_places(plan: Plan, snapshot: Snapshot) -> Iterator[str]:
    # A rule may read anything of the program; its plan may touch only the project's files.
    for finding in plan.findings:
        if finding.place.path not in snapshot:
            yield f"a finding is in {finding.place.path}, which is no file of the project"
        for place in (finding.place, *finding.related):
            yield from _wrong_span(place.path, place.span, snapshot)
    for change in plan.changes:
        for edit in change.edits:
            yield from _wrong_edit(edit, snapshot)


def _wrong_edit(edit: Edit, snapshot: Snapshot) -> Iterator[str]:
    path = getattr(edit, "path", "")
    # The settings of pytest may be above the project: they are left to do.
    is_outside = PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts
    if is_outside and not isinstance(edit, SetKey):
        yield f"an edit leads out of the project, to {path}"
    span = getattr(edit, "anchor", getattr(edit, "at", None))
    if span is not None:
        yield from _wrong_span(path, span, snapshot)
    if _SURROGATE.search(getattr(edit, "text", "")):
        yield f"an edit of {path} is no text: it holds a lone surrogate"


def _wrong_span(path: str, span: Span, snapshot: Snapshot) -> Iterator[str]:
    source = snapshot.get(path)
    if source is not None and not 0 <= span.start <= span.end <= len(source.text):
        yield f"{path} has no bytes {span.start} to {span.end}"
