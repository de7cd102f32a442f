from typing import Any, Self

from sqlalchemy import Insert as _Insert

class Insert(_Insert):
    inserted: Any
    def on_duplicate_key_update(self, *args: Any, **kwargs: Any) -> Self: ...

def insert(table: Any) -> Insert: ...
