from sqlalchemy import select
from sqlalchemy.orm import object_session, make_transient

from database import Post, SessionLocal, User, seed


def main():
    seed()
    with SessionLocal() as db:
        merged = db.merge(User(id=1, name="merged"))
        print(merged.name, [p.title for p in merged.posts])
        db.refresh(merged)
        db.refresh(merged, ["posts"])
        post = merged.posts[0]
        db.delete(post)
        db.flush()
        db.expire(merged, ["posts"])
        print([p.title for p in merged.posts], object_session(merged) is db)
        db.commit()
        db.expunge_all()
        make_transient(merged)
        print(db.scalars(select(Post.id)).all(), db.get(User, 1) is merged)


if __name__ == "__main__":
    main()
