from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    user = session.merge(User(id=1, name="merged"))
    print(user.name, [p.title for p in user.posts])
    session.refresh(user)
    print(user.name, len(user.posts))
    session.refresh(user, ["posts"])
    session.expire(user, ["posts"])
    print(len(user.posts), user.profile.city)
    other = session.merge(Post(id=3, title="x", author=user))
    print(other.author.name, len(user.posts))


show(opened())
