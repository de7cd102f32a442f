from sqlalchemy import event
from sqlalchemy.orm import Query, Session

from shop import Author, opened


@event.listens_for(Query, "before_compile", retval=True)
def only_adults(query):
    for description in query.column_descriptions:
        if description["entity"] is Author:
            query = query.enable_assertions(False).filter(Author.age == 30)
    return query


def show(session: Session):
    print([a.id for a in session.query(Author)], session.query(Author).count())


show(opened())
