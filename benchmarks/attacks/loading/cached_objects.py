import functools

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened

session = opened()


@functools.cache
def users():
    return session.scalars(select(User).order_by(User.id)).all()


@functools.lru_cache(maxsize=None)
def posts_of(key):
    return [p.title for p in session.get(User, key).posts]


print([len(u.posts) for u in users()], posts_of(1))
session.add(Post(id=9, title="z", user_id=1))
session.commit()
print([len(u.posts) for u in users()], posts_of(1), len(session.get(User, 1).posts))
