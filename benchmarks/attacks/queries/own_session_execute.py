# announced: which Query does not call
from sqlalchemy.orm import Session

from shop import Author, opened


class Logged(Session):
    def scalars(self, *args, **kw):
        print("scalars")
        return super().scalars(*args, **kw)

    def get(self, *args, **kw):
        print("get")
        return super().get(*args, **kw)


def show(session: Session):
    print(session.query(Author).count(), session.query(Author).get(1).name)
    print(len(session.query(Author).all()))


plain = opened()
show(plain)
show(Logged(plain.get_bind()))
