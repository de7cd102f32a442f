"""Rules as one JSON document, for programs.

::

    {"version": 2,                grows only by new keys; a higher number breaks
     "awaken": "0.1.0",           the version that wrote it
     "rules": [{
        "name", "family",
        "kind",                   "rewrite" or "advice"
        "levels",                 what its sites can get: "safe", "unsafe", "manual", "advice"
        "phase",                  phases run in order; rules of one phase see the same program
        "status",                 "default", "opt-in", "preview", or "foreign": a pass
        "since",                  the version that brought it, "" if unknown
        "summary",                the first sentence of the page
        "needs",                  {"sqlalchemy": ">=1.4"}: else the rule does not run
        "options": [{"name", "type", "default", "description"}],
        "reasons": [{"reason", "message", "cure"}],
        "examples": [{"title", "unsafe", "before", "after"}],
        "page"                    the whole page, as Markdown
     }]}

``default`` is written as in TOML, and null where the option must be given. ``reason`` is the full
code (``query-to-select/unknown-entity``); ``…`` in ``message`` marks the parts that each site fills
in. ``before`` and ``after`` give the text of each file by its path.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any

from awaken.kit.rule import Rule
from awaken.preview.documents.document import encoded_table
from awaken.preview.markdown.rule_markdown import markdown, message
from awaken.preview.markdown.rule_page import examples, levels, options, status, summary

VERSION = 2


def document(rules: Sequence[Rule]) -> bytes:
    """Return the document for ``rules``, as indented UTF-8."""
    whole = {
        "version": VERSION,
        "awaken": importlib.metadata.version("awaken"),
        "rules": [_entry(rule) for rule in rules],
    }
    return encoded_table(whole, indent=2)


def _entry(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "family": rule.family,
        "kind": rule.kind,
        "levels": levels(rule),
        "phase": rule.phase.name.lower(),
        "status": status(rule),
        "since": rule.since,
        "summary": summary(rule),
        "needs": rule.needs,
        "options": options(rule),
        "reasons": [
            {"reason": reason.full_code(rule.name), "message": message(reason), "cure": reason.help}
            for reason in rule.reasons
        ],
        "examples": [
            {"title": item.title, "unsafe": item.unsafe, "before": item.before, "after": item.after}
            for item in examples(rule)
        ],
        "page": markdown(rule),
    }
