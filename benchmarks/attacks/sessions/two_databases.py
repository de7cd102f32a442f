from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from database import Base, SessionLocal, User, seed

archive = create_engine("sqlite:///archive.db")
Archive = sessionmaker(bind=archive, autoflush=False)


def copy(source: Session, target: Session):
    for user in source.scalars(select(User).order_by(User.id)):
        target.add(User(id=user.id, name=user.name))
    target.commit()


def main():
    seed()
    Base.metadata.create_all(archive)
    with SessionLocal() as source, Archive() as target:
        copy(source, target)
        print(target.scalars(select(User.name).order_by(User.id)).all(), [p.title for p in target.get(User, 1).posts])


if __name__ == "__main__":
    main()
