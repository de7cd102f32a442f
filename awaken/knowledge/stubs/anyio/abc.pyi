from typing import Self

class TaskGroup:
    async def __aenter__(self) -> Self: ...
