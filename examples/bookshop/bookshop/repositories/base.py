"""What every repository can do, for whatever model it is about."""

from sqlalchemy.orm import Session


class Repository:
    model = None

    def __init__(self, db: Session):
        self.db = db

    def get(self, id):
        return self.db.query(self.model).get(id)

    def all(self):
        return self.db.query(self.model).all()

    def find(self, **criteria):
        query = self.db.query(self.model)
        for name, value in criteria.items():
            if value is not None:
                query = query.filter(getattr(self.model, name) == value)
        return query.all()

    def add(self, instance):
        self.db.add(instance)
        self.db.commit()
        self.db.refresh(instance)
        return instance

    def remove(self, id):
        deleted = self.db.query(self.model).filter(self.model.id == id).delete()
        self.db.commit()
        return deleted
