from sqlalchemy import delete, select, update
from sqlalchemy.dialects.sqlite import insert

from database import Post, SessionLocal, User, seed


def main():
    seed()
    with SessionLocal() as db:
        user = db.get(User, 1)
        statement = insert(User).values(id=1, name="up").on_conflict_do_update(index_elements=["id"], set_={"name": "up"})
        found = db.scalars(statement.returning(User), execution_options={"populate_existing": True}).one()
        print(found is user, user.name)
        print(db.execute(update(Post).values(title=Post.title + "!").returning(Post.id)).all())
        print(db.execute(delete(Post).where(Post.id == 3)).rowcount, [p.title for p in user.posts])
        db.commit()


if __name__ == "__main__":
    main()
