import json

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from blog import User, opened


def as_dict(thing, depth=1):
    mapper = inspect(type(thing))
    found = {c.key: getattr(thing, c.key) for c in mapper.column_attrs}
    if depth:
        for relationship in mapper.relationships:
            value = getattr(thing, relationship.key)
            if relationship.uselist:
                found[relationship.key] = [as_dict(one, depth - 1) for one in value]
            else:
                found[relationship.key] = value and as_dict(value, depth - 1)
    return found


def show(session: Session):
    print(json.dumps([as_dict(user) for user in session.scalars(select(User).order_by(User.id))]))


show(opened())
