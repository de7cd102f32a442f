# announced: which now gets a different statement
from sqlalchemy.orm import Session, sessionmaker

from shop import Author, opened


class Retry(Session):
    def execute(self, statement, *args, **kw):
        log.append(type(statement).__name__)
        return super().execute(statement, *args, **kw)


log = []
bind = opened().get_bind()
options = {"class_": Retry}
Local = sessionmaker(bind, **options)


def count(db: Session):
    return db.query(Author).filter(Author.id > 1).delete(), db.query(Author).all()


with Local() as db:
    print(count(db)[0], log)
