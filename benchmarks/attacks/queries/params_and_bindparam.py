from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    q = session.query(Author.name).filter(Author.id == bindparam("key"))
    print(q.params(key=1).scalar(), q.params({"key": 2}).scalar(), q.params(key=9).first())
    print(session.query(Author).filter(Author.id.in_(bindparam("keys", expanding=True))).params(keys=[1, 3]).count())
    print(session.query(Author).filter(Author.id == bindparam("k")).params(k=1).params(k=3).one().id)
    print(session.query(Author).filter(Author.id == bindparam("k")).params(k=3).delete())


show(opened())
