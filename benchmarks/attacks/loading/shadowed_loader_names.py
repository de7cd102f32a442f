from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened

selectinload = "mine"


def joinedload(x):
    return x


def show(session: Session):
    Post = "local"
    for user in session.scalars(select(User).order_by(User.id)):
        print(len(user.posts), joinedload(Post), selectinload)


def other(session: Session):
    User = __import__("blog").User
    return [len(u.posts) for u in session.scalars(select(User).order_by(User.id))]


show(opened())
print(other(opened()))
