"""Takes the results of a shard into a campaign; twice is the same as once."""

from __future__ import annotations

from pathlib import Path

from awaken.batch.manifest.campaign_settings import Manifest
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.state_log import StateLog, merged_records, read_log
from awaken.batch.working.task_data import KEPT
from awaken.contract import UserError
from awaken.engine.machine.filesystem import replacing

_LARGEST = 64 << 20


def merge_shard(folder: CampaignFolder, log: StateLog, manifest: Manifest, shard: Path) -> int:
    """Add what ``shard``, a campaign folder or its log, has and ``folder`` has not.

    Return the number of new lines. Files come first, so that a line never speaks of what is not
    there. Raises UserError for a folder without a campaign, and for other repositories.
    """
    place = shard.parent if shard.is_file() else shard
    path = place / "state.jsonl"
    if not path.is_file():
        raise UserError(f"there is no state.jsonl in {place}; name the folder of a shard")
    if folder.log.exists() and path.samefile(folder.log):
        raise UserError(f"{place} is this campaign itself; name the folders of its shards")
    new = list(merged_records(read_log(folder.log)[0], read_log(path)[0]))
    known = {entry.id for entry in manifest.entries}
    foreign = next((record.repository for record in new if record.repository not in known), None)
    if foreign is not None:
        raise UserError(f"{path} is about {foreign}, which this campaign does not have")
    for identity in dict.fromkeys(record.repository for record in new):
        target = folder.results(identity)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in KEPT:
            source = place / "results" / identity / name
            if source.is_file() and not source.is_symlink() and source.stat().st_size <= _LARGEST:
                with replacing(target / name) as file:
                    file.write(source.read_bytes())
            else:
                (target / name).unlink(missing_ok=True)
    if new:
        log.append(*new)
    return len(new)
