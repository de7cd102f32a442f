from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def users(session: Session):
    for user in session.scalars(select(User).order_by(User.id)):
        yield user


def pairs(session: Session):
    yield from ((user, post) for user in users(session) for post in user.posts)


session = opened()
for user, post in pairs(session):
    print(user.name, post.title, [tag.name for tag in post.tags])
    if post.id == 2:
        break
