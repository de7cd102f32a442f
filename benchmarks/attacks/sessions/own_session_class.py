from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from database import User, engine, seed


class Audited(Session):
    log: list[str] = []

    def commit(self):
        self.log.append("commit")
        super().commit()

    def by_name(self, name):
        return self.scalar(select(User).where(User.name == name))


Local = sessionmaker(engine, class_=Audited)


def main():
    seed()
    with Local() as db:
        db.by_name("ann").name = "x"
        db.commit()
        print(db.by_name("x").id, db.log)


if __name__ == "__main__":
    main()
