from sqlalchemy.orm import Session

from shop import Author, opened

bind = opened().get_bind()


class Loud(Session):
    def close(self):
        print("closing")
        super().close()


def ids():
    session = Loud(bind)
    try:
        for a in session.query(Author).order_by(Author.id):
            yield a.id
    finally:
        session.close()


def twice():
    session = Session(bind)
    try:
        first = session.query(Author).count()
    finally:
        session.close()
    session = Session(bind)
    try:
        return first, session.query(Author).count()
    finally:
        session.close()


for i in ids():
    print(i)
    if i == 2:
        break
print(twice())
