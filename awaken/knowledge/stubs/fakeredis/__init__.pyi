from typing import Any

from redis.client import Redis

class FakeRedis(Redis):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class FakeStrictRedis(FakeRedis): ...
