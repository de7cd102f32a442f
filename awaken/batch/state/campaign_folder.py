"""The folder of a campaign: where everything lies, and the lock that one coordinator holds."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from msgspec import Struct

from awaken.batch.manifest.manifest_file import NAME
from awaken.batch.state.state_log import StateLog
from awaken.contract import UserError


class CampaignFolder(Struct, frozen=True):
    """The places of a campaign below its ``top``, a real path."""

    top: Path

    @property
    def log(self) -> Path:
        """The log of what happened."""
        return self.top / "state.jsonl"

    @property
    def work(self) -> Path:
        """Where clones are made; nothing in it is needed after a run."""
        return self.top / "work"

    def results(self, repository: str) -> Path:
        """Return where patch, report and logs of a repository are."""
        return self.top / "results" / repository

    @contextmanager
    def hold(self) -> Iterator[StateLog]:
        """Hold the campaign, and give its log to append to.

        Raises UserError while another coordinator holds it.
        """
        holder = self.top / ".coordinator"
        lock = FileLock(self.top / ".coordinator.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            who = ""
            with suppress(OSError):
                who = f" ({holder.read_text('utf-8').strip()})"
            raise UserError(
                f"another `awaken batch` works on this campaign{who}; "
                "wait until it has ended, or end it"
            ) from None
        except OSError as error:
            raise UserError(f"{self.top} cannot be written: {error.strerror or error}") from None
        try:
            with suppress(OSError):
                holder.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", "utf-8")
            log = StateLog(self.log)
            try:
                yield log
            finally:
                log.close()
        finally:
            with suppress(OSError):
                holder.unlink()
            lock.release()

    def fresh_work(self) -> Path:
        """Return the directory for clones, without what killed runs left there."""
        if self.work.is_symlink():
            raise UserError(f"{self.work} is a link; remove it")
        self.work.mkdir(mode=0o700, exist_ok=True)
        for left in self.work.iterdir():
            if left.name != "cache":
                shutil.rmtree(left, ignore_errors=True)
        return self.work


def find_campaign(directory: Path) -> CampaignFolder:
    """Return the campaign in ``directory``. Raises UserError where there is none."""
    if not (directory / NAME).is_file():
        raise UserError(
            f"there is no {NAME} in {directory}; `awaken batch init` makes a campaign, "
            "and --campaign names the folder of one"
        )
    return CampaignFolder(Path(os.path.realpath(directory)))
