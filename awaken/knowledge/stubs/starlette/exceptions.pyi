from collections.abc import Mapping
from typing import Any

class HTTPException(Exception):
    status_code: int
    # FastAPI takes anything.
    detail: Any
    headers: Mapping[str, str] | None
