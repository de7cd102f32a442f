from sqlalchemy.orm import Query, Session

from shop import Author, opened


def run(thing):
    if isinstance(thing, Query):
        return thing.count()
    return "other"


def show(session: Session):
    query = session.query(Author)
    print(run(query), type(query).__name__, query.session is session, hasattr(query, "all"))


show(opened())
