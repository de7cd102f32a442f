from sqlalchemy.orm import Session

from shop import Author, opened


class Tenant(Session):
    def query(self, *entities, **options):
        return super().query(*entities, **options).filter(Author.age == 30)


def names(session: Session):
    return [a.id for a in session.query(Author)]


plain = opened()
print(names(plain), names(Tenant(plain.get_bind())))
