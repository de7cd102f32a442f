from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    query = session.query(Author).filter(Author.id > 99)
    print("query" if query else "empty", bool(query))
    try:
        print(len(query))
    except TypeError:
        print("TypeError")
    print(str(query).split()[0], query.statement.is_select, list(query), query is not None)
    query = query or session.query(Author)
    print(query.count())


show(opened())
