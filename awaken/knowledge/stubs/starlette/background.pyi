from collections.abc import Callable
from typing import Any

class BackgroundTask:
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    is_async: bool
    async def __call__(self) -> None: ...

class BackgroundTasks(BackgroundTask):
    tasks: list[BackgroundTask]
    def add_task(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None: ...
