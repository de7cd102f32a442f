from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter

_T = TypeVar("_T")

async def run_sync(func: Callable[..., _T], *args: Any, abandon_on_cancel: bool = False, cancellable: bool | None = None, limiter: CapacityLimiter | None = None) -> _T: ...
def current_default_thread_limiter() -> CapacityLimiter: ...
