from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException as _HTTPException

class HTTPException(_HTTPException): ...

class RequestValidationError(ValueError):
    body: Any
    def errors(self) -> Sequence[dict[str, Any]]: ...
