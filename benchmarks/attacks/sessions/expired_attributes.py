# announced: objects keep their old values after raw SQL
from sqlalchemy import text, update

from database import Post, SessionLocal, User, seed


def main():
    seed()
    with SessionLocal() as db:
        user = db.get(User, 1)
        db.execute(text("update users set name = 'raw' where id = 1"))
        db.commit()
        print(user.name)
        db.execute(update(User).where(User.id == 1).values(name="core"))
        print(user.name)
        db.rollback()
        print(user.name, [p.title for p in user.posts])
        db.add(Post(title="late", user_id=1))
        db.commit()
        print([p.title for p in user.posts])
        db.expire(user)
        print(user.name)


if __name__ == "__main__":
    main()
