# announced: 1 statement now loads it
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import DetachedInstanceError

from blog import User, opened


def load(session: Session):
    with session:
        return session.scalars(select(User).order_by(User.id)).all()


for user in load(opened()):
    try:
        print(user.name, [post.title for post in user.posts])
    except DetachedInstanceError:
        print(user.name, "detached")
