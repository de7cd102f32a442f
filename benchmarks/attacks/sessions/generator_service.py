from sqlalchemy import select
from sqlalchemy.orm import Session

from database import SessionLocal, User, seed


def pages(db: Session, size=1):
    offset = 0
    while chunk := db.scalars(select(User).order_by(User.id).offset(offset).limit(size)).all():
        yield chunk
        offset += size


def main():
    seed()
    with SessionLocal() as db:
        for page in pages(db):
            print([u.name for u in page])
        print([u.name for page in pages(db, 2) for u in page])
        print(len(list(pages(db))))
        print(next(pages(db))[0].name)


if __name__ == "__main__":
    main()
