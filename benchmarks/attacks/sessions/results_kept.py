from sqlalchemy import select

from database import Post, SessionLocal, User, seed


def rows(db):
    return db.execute(select(User.id, User.name).order_by(User.id))


def main():
    seed()
    with SessionLocal() as db:
        result = rows(db)
        print(result.keys(), result.fetchone(), result.first())
        print(rows(db).mappings().all(), rows(db).all()[1].name, [r.id for r in rows(db)])
        for number, (key, name) in enumerate(rows(db)):
            print(number, key, name)
        one, two = rows(db)
        print(one.id, two.id, dict(rows(db).tuples().all()), rows(db).scalars().unique().all())
        for chunk in db.scalars(select(Post).order_by(Post.id)).partitions(2):
            print(len(chunk))
        print(db.execute(select(User).where(User.id == 9)).scalar_one_or_none())
        print(db.scalars(select(User).execution_options(yield_per=1)).first().name)


if __name__ == "__main__":
    main()
