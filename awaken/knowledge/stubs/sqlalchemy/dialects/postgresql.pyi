from typing import Any, Self

from sqlalchemy import Insert as _Insert

class Insert(_Insert):
    excluded: Any
    def on_conflict_do_nothing(self, *args: Any, **kwargs: Any) -> Self: ...
    def on_conflict_do_update(self, *args: Any, **kwargs: Any) -> Self: ...

def insert(table: Any) -> Insert: ...
