"""The results of a campaign as one HTML page, which links to the report of each repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from awaken.batch.manifest.campaign_settings import Manifest
from awaken.batch.reviewing.phrases import repositories
from awaken.batch.reviewing.review_rows import Row
from awaken.batch.working.task_data import SUMMARY, Summary
from awaken.preview.html.report_page import template_of, trusted_parts


def review_page(manifest: Manifest, rows: Sequence[Row], top: Path) -> str:
    """Return the page; every string in it is escaped by the template."""
    template = template_of("awaken.batch.reviewing", "review.html.jinja")
    states = Counter(row.state for row in rows)
    return template.render(
        campaign=manifest.campaign,
        total=repositories(len(rows)),
        rows=[(row, _summary(top / row.directory / SUMMARY)) for row in rows],
        states=sorted(states.items()),
        **trusted_parts("report.css"),
    )


def _summary(path: Path) -> Summary | Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except (OSError, msgspec.DecodeError):
        return Summary()
