from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

_T = TypeVar("_T")

def run(func: Callable[..., Awaitable[_T]], *args: Any) -> _T: ...
def run_sync(func: Callable[..., _T], *args: Any) -> _T: ...
