from typing import TypeVar

import sqlalchemy.orm

_T = TypeVar("_T")

class Query(sqlalchemy.orm.Query[_T]): ...
