"""What programs are made of whose endpoints do something with objects that they wrote."""

from __future__ import annotations

from random_objects import HEAD

PLAIN = HEAD.format(session="", base="DeclarativeBase", new="", default="", cascade="")
HELPING = """\
from contextvars import ContextVar

from sqlalchemy import inspect as inspected
from sqlalchemy import text

current: ContextVar[str] = ContextVar("current", default="nobody")

def everything(row):
    names = [one.key for one in inspected(type(row)).relationships]
    return {name: type(getattr(row, name)).__name__ for name in names}

def deep(row):
    found = []
    for one in inspected(row).mapper.relationships:
        value = getattr(row, one.key)
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                for other in inspected(item).mapper.relationships:
                    more = getattr(item, other.key)
                    size = len(more) if isinstance(more, list) else more is None
                    found.append([one.key, other.key, size])
    return sorted(found, key=str)

def get_or_make(db: Session, model, **kwargs):
    instance = db.query(model).filter_by(**kwargs).one_or_none()
    if instance:
        return instance
    instance = model(**kwargs)
    db.add(instance)
    db.commit()
    return instance

def owner_orders(order: Order) -> int:
    return len(order.user.orders)

def owner_name(order):
    return order.user.name

def renamed(db: Session, user: User) -> bool:
    try:
        with db.begin_nested():
            user.name = None
            db.flush()
    except IntegrityError:
        return False
    return True

class Work:
    def __init__(self, db: Session) -> None:
        self.db = db

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback) -> bool:
        if kind:
            self.db.rollback()
        else:
            self.db.commit()
        return kind is ValueError

def first_order(db: Session, key: int) -> Order | None:
    user = db.get(User, key)
    return user.orders[0] if user.orders else None
"""
ENDPOINT = """\
@app.post("/0/{{key}}"{model})
def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):
"""
