"""An explanation as one JSON document, for programs and editors.

::

    {"version": 1,                      grows only by new keys; a higher number breaks
     "awaken": "0.1.0",                 the version that wrote it
     "command": "explain",
     "place": {"path", "line", "column"},
     "root": "..",                      the project's directory, null where none is known
     "sites": [{... as a finding of `awaken check --output-format json`,
                "status": "rewritten",  or "waiting" for --unsafe-fixes, "left" alone, "held"
                "matched": "span",      or "statement": the line is another one of its statement,
                                        "change": its change edits the line as well
                "adds": [{"text", "why"}],   pieces that the change adds here, with their reasons
                "documented": {"code", "message", "cure", "mended_by", "asks_nothing"},
                                        what the rule says of the reason
                "held_by", "note", "held_at",                as in that document
                "change": {"id", "rule", "title", "level", "sites", "requires", "files",
                           "admitted"},
                "requires": [...],      the other changes that this one needs, in the same form
                "plan": {...},          what the change of a whole program comes to, or what stops
                                        it, in the form that it has in that document; else null
                "patch": "..."}],       what the change does alone, as `git apply` takes it
     "why_no_site": [{"code", "message", "rule", "cure"}],
     "nearest": [40, 61],               lines of the sites before and after the place
     "note": ""}

Exactly one of ``sites`` and ``why_no_site`` holds something. A code is one of ``not-python``,
``excluded``, ``unreadable``, ``unparsable``, ``not-its-business`` (a rule looked at the place and
left it), ``not-selected`` (a rule that does not run would find a site), ``not-trusted`` (a pass
might, and nobody lets the code of the project run), ``no-rule``, ``blank``,
``comment``, ``in-string``, ``no-trigger`` (nothing that the rule looks for is in the file) and
``not-this-line``. ``rule`` and ``cure`` may be empty; ``documented``, ``held_by``, ``held_at``,
``change`` and ``column`` may be null. ``message`` of ``documented`` holds ``{}`` where each
site says something of its own.

Asked for the code of a reason, it is ``{"version", "awaken", "command", "reason", "rule",
"message", "cure"}``; ``rule`` is null for a reason of the engine.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from awaken.contract import Reason
from awaken.engine.explaining.explanation import Explanation, Site
from awaken.engine.report import Report, RootReport, SuppressedBy, SuppressedSite
from awaken.kit.rule import Rule
from awaken.preview.diffs.patch import patch
from awaken.preview.documents.document import Table, Tables, encoded_table, header
from awaken.preview.markdown.rule_markdown import message
from awaken.preview.paths import relative


def explanation_document(explanation: Explanation, current: Path) -> bytes:
    """Return the document, paths relative to ``current``, as indented UTF-8."""
    asked, root = explanation.asked, explanation.root
    path = asked.given if root is None else relative(root, asked.path, current)
    whole: Table = {
        **header("explain"),
        "place": {"path": path, "line": asked.line, "column": asked.column},
        "root": None if root is None else relative(root, "", current),
        "sites": [_site(explanation, site, current) for site in explanation.sites],
        "why_no_site": explanation.whys,
        "nearest": explanation.nearest,
        "note": explanation.note,
    }
    return encoded_table(whole, indent=2)


def reason_document(code: str, reason: Reason, rule: Rule | None) -> bytes:
    """Return what a reason means as indented UTF-8; ``rule`` is None for those of the engine."""
    name = None if rule is None else rule.name
    said = {"message": message(reason), "cure": reason.help}
    return encoded_table({**header("explain"), "reason": code, "rule": name, **said}, indent=2)


def _site(explanation: Explanation, site: Site, current: Path) -> Table:
    assert explanation.report is not None  # noqa: S101  a site comes from a run
    # Readers of `check --output-format json` find the same keys here.
    root_report = _report_alone(explanation.report, site)
    suppressed = next(iter(Tables(Report((root_report,), ()), current).suppressed_sites()))
    changes = list(Tables(Report((root_report,), ()), current).changes())
    return {
        **suppressed,
        "status": site.status,
        "matched": site.matched,
        "adds": [{"text": text, "why": why} for text, why in site.pieces],
        "documented": site.reason,
        "held_by": None if site.suppressed is None else site.suppressed.by,
        "note": "" if site.suppressed is None else site.suppressed.note,
        "change": next((change for change in changes if change["id"] == site.finding.change), None),
        "requires": [change for change in changes if change["id"] != site.finding.change],
        "plan": next(Tables(Report((root_report,), ()), current).plans(), None),
        "patch": patch(Report((root_report,), ()), current).decode("utf-8", "backslashreplace"),
    }


def _report_alone(report: RootReport, site: Site) -> RootReport:
    """Return the report as if the site were all that it is about."""
    wanted = {change.id for change in (*((site.change,) if site.change else ()), *site.requires)}
    return structs.replace(
        report,
        findings=(),
        suppressed=(site.suppressed or SuppressedSite(site.finding, SuppressedBy.COMMENT),),
        changes=tuple(change for change in report.changes if change.id in wanted),
        pending=tuple(change for change in report.pending if change.id in wanted),
        files=site.files,
        outlines=() if site.outline is None else (site.outline,),
    )
