"""The work on a cluster of Dask: one of this machine, or one that runs already.

Anyone who reaches a scheduler can run code on its workers, so TLS is the default. Dask runs a task
again when its worker dies; that does no harm, for the work on a repository takes and returns plain
data and publishes nothing.
"""

from __future__ import annotations

import queue
from typing import Any

from awaken.batch.manifest.campaign_settings import Dask
from awaken.batch.working.repository_work import own_code, work
from awaken.contract import UserError

_LOST = 3
"""How often a task may lose its worker before the campaign waits, and gives it out again."""
_SECONDS_TO_CONNECT = "30s"


class DaskExecutor:
    """Works on the workers of ``address``; ``local`` makes a cluster with so many ``jobs``."""

    def __init__(self, address: str, jobs: int, settings: Dask) -> None:
        distributed = _distributed_value()
        distributed.dask.config.set({"distributed.scheduler.allowed-failures": _LOST})
        self._cluster: Any = None
        self._outcomes: queue.SimpleQueue[tuple[str, bytes | str]] = queue.SimpleQueue()
        self._futures: dict[str, Any] = {}
        security = _security(distributed, address, settings)
        if address == "local":
            self._cluster = distributed.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                processes=True,
                security=security,
                dashboard_address=None,
                silence_logs=50,
            )
        try:
            self._client = distributed.Client(
                self._cluster or address,
                security=security,
                timeout=_SECONDS_TO_CONNECT,
                set_as_default=False,
            )
            self.capacity = self._checked_threads()
        except (OSError, TimeoutError) as error:
            self._close_cluster()
            raise UserError(f"the Dask cluster {address} cannot be reached: {error}") from None
        except BaseException:
            self._close_cluster()
            raise

    def _checked_threads(self) -> int:
        """Return how many tasks run at once. Raises UserError for workers with another awaken."""
        threads = int(sum(self._client.nthreads().values()))
        if not threads:
            raise UserError("the Dask cluster has no workers; start some and run this again")
        own = own_code()
        try:
            codes = self._client.run(own_code)
        except ModuleNotFoundError:
            raise UserError(
                "workers of the Dask cluster have no awaken; install it there"
            ) from None
        others = sorted({code for code in codes.values() if code != own})
        if others:
            raise UserError(
                f"workers of the Dask cluster have awaken {others[0]}, and here it is {own}; "
                "install the same on all machines"
            )
        return threads

    def submit(self, identity: str, document: bytes) -> None:
        """Begin a task, or keep it until there is room."""
        future = self._client.submit(work, document, pure=False)
        self._futures[identity] = future
        future.add_done_callback(lambda done: self._take(identity, done))

    def _take(self, identity: str, future: Any) -> None:
        try:
            answer: bytes | str = future.result()
        except BaseException as error:  # noqa: BLE001  whatever became of the worker is an answer
            answer = f"the worker was lost: {type(error).__name__}"
        self._outcomes.put((identity, answer))

    def next_outcome(self, seconds: float) -> tuple[str, bytes | str] | None:
        """Return the outcome of a task that ended; None after ``seconds``."""
        try:
            identity, answer = self._outcomes.get(timeout=seconds)
        except queue.Empty:
            return None
        self._futures.pop(identity, None)
        return identity, answer

    def close(self) -> None:
        """End whatever still runs."""
        for future in self._futures.values():
            future.cancel()
        self._client.close()
        self._close_cluster()

    def _close_cluster(self) -> None:
        if self._cluster is not None:
            self._cluster.close()


def _distributed_value() -> Any:
    try:
        import distributed  # noqa: PLC0415  an extra
    except ImportError:
        raise UserError(
            "--dask needs the package distributed; install awaken with its extra batch"
        ) from None
    return distributed


def _security(distributed: Any, address: str, settings: Dask) -> Any:
    if address == "local":
        try:
            return distributed.Security.temporary()
        except ImportError:
            raise UserError(
                "--dask local needs the package cryptography; install awaken with its extra batch"
            ) from None
    if not settings.tls:
        return distributed.Security(require_encryption=False)
    if not address.startswith("tls://"):
        raise UserError(
            f"{address} is not encrypted. Everyone who reaches a Dask scheduler can run code on "
            "its workers. Write tls://HOST:PORT, or tls = false in [dask]"
        )
    names = ("ca", "cert", "key")
    missing = [name for name in names if not getattr(settings, name)]
    if missing:
        raise UserError(f"[dask] must name {' and '.join(missing)} for {address}")
    return distributed.Security(
        require_encryption=True,
        tls_ca_file=settings.ca,
        tls_client_cert=settings.cert,
        tls_client_key=settings.key,
    )
