from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from flask_sqlalchemy.query import Query
from sqlalchemy import Select

_T = TypeVar("_T")

class Pagination(Generic[_T]):
    items: list[_T]
    page: int
    per_page: int
    total: int | None
    pages: int
    has_prev: bool
    has_next: bool
    prev_num: int | None
    next_num: int | None
    def __iter__(self) -> Iterator[_T]: ...
    def prev(self, *, error_out: bool = False) -> Pagination[_T]: ...
    def next(self, *, error_out: bool = False) -> Pagination[_T]: ...
    def iter_pages(self, *, left_edge: int = 2, left_current: int = 2, right_current: int = 4, right_edge: int = 2) -> Iterator[int | None]: ...

class BaseQuery(Query[_T]): ...

class SQLAlchemy:
    def get_or_404(self, entity: type[_T], ident: Any, *, description: str | None = None, **kwargs: Any) -> _T: ...
    def first_or_404(self, statement: Select[tuple[_T]], *, description: str | None = None) -> _T: ...
    def one_or_404(self, statement: Select[tuple[_T]], *, description: str | None = None) -> _T: ...
    def paginate(self, select: Select[tuple[_T]], *, page: int | None = None, per_page: int | None = None, max_per_page: int | None = None, error_out: bool = True, count: bool = True) -> Pagination[_T]: ...
