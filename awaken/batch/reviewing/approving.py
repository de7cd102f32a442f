"""Approvals: each is for the patch that is there now, and a line of the log."""

from __future__ import annotations

import time
from collections.abc import Sequence

from awaken.batch.manifest.campaign_settings import Manifest
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import READY, Record, State
from awaken.batch.state.repository_progress import fold
from awaken.batch.state.selecting import matching
from awaken.batch.state.state_log import read_log


def approve_results(
    folder: CampaignFolder, manifest: Manifest, patterns: Sequence[str], *, revoke: bool = False
) -> int:
    """Approve what is ready and matches, or take that back; return how many that are.

    Raises UserError for a pattern that matches nothing, and while another coordinator works.
    """
    with folder.hold() as log:
        progress = fold(read_log(folder.log)[0])
        records = []
        for entry in matching(manifest.entries, patterns):
            known = progress.get(entry.id)
            if known is None or known.result not in READY or entry.repository.skip:
                continue
            # A refused publication can be retried: approve the repository again.
            is_done = known.is_approved is not revoke and known.state is not State.REFUSED
            if is_done or known.is_published:
                continue
            state = known.result if revoke else State.APPROVED
            approved = "" if revoke else known.patch
            now = round(time.time(), 3)
            records.append(Record(at=now, repository=entry.id, state=state, approved=approved))
        if records:
            log.append(*records)
    return len(records)
