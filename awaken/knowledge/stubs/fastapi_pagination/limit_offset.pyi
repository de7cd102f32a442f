from typing import Generic, TypeVar

from fastapi_pagination.bases import BasePage

T = TypeVar("T")

class LimitOffsetPage(BasePage[T], Generic[T]):
    limit: int
    offset: int
