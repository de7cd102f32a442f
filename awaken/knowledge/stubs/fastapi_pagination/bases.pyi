from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")

class AbstractPage(BaseModel, Generic[T]): ...

class BasePage(AbstractPage[T], Generic[T]):
    items: Sequence[T]
    total: int
