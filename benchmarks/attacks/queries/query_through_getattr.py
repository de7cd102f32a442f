from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    make = session.query
    print(make(Author).count(), getattr(session, "query")(Author).count())
    query = session.query(Author)
    for name, value in (("filter_by", {"age": 30}), ("limit", 1)):
        query = getattr(query, name)(**value) if isinstance(value, dict) else getattr(query, name)(value)
    print(query.count(), [f(query) for f in (lambda q: q.count(), type(query).first)][0])
    print(list(map(lambda a: a.id, query)), isinstance(query, __import__("sqlalchemy").orm.Query))


show(opened())
