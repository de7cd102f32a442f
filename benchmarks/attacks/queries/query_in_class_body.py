from sqlalchemy.orm import Session

from shop import Author, opened

session: Session = opened()


class Report:
    authors = session.query(Author).order_by(Author.id)
    total = session.query(Author).count()

    @property
    def names(self):
        return [a.name for a in self.authors]

    @classmethod
    def first(cls):
        return cls.authors.first()


print(Report.total, Report().names, Report.first().id)
