from typing import Generic, TypeVar

from fastapi_pagination.bases import BasePage

T = TypeVar("T")

class Page(BasePage[T], Generic[T]):
    page: int
    size: int
    pages: int
