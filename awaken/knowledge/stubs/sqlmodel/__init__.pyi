from pydantic import BaseModel
from sqlalchemy import select as select

class SQLModel(BaseModel): ...
