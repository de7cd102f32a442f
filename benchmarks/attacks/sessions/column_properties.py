from sqlalchemy import func, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import column_property

from database import Base, Post, SessionLocal, User, engine, seed

User.post_count = column_property(
    select(func.count(Post.id)).where(Post.user_id == User.id).correlate_except(Post).scalar_subquery()
)


def main():
    seed()
    with SessionLocal() as db:
        for user in db.scalars(select(User).order_by(User.id)):
            print(user.name, user.post_count)
        user = db.get(User, 2)
        db.add(Post(title="new", author=user))
        db.flush()
        print(user.post_count)
        db.commit()
        print(user.post_count)
        new = User(name="n")
        db.add(new)
        db.flush()
        print(new.post_count, new.posts)


if __name__ == "__main__":
    main()
