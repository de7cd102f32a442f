from sqlalchemy.orm import Session

from shop import Author, opened


class Repository:
    model = Author

    def __init__(self, session: Session):
        self.session = session

    def all(self):
        return self.query().order_by(Author.id).all()

    def query(self):
        return self.session.query(self.model)

    def get(self, key):
        return self.session.query(self.model).get(key)

    def __len__(self):
        return self.session.query(self.model).count()


class Adults(Repository):
    def query(self):
        return super().query().filter(Author.age == 30)


for kind in (Repository, Adults):
    one = kind(opened())
    print(len(one), [a.id for a in one.all()], one.get(2).name)
