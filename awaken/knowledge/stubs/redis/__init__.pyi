from typing import Any

from redis.client import Redis as Redis

def from_url(url: str, **kwargs: Any) -> Redis: ...
