from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from blog import Post, User, opened


def find(session: Session, name=None, full=False):
    statement = select(User).order_by(User.id)
    if name:
        statement = statement.where(User.name == name)
    if full:
        statement = statement.options(selectinload(User.posts))
    else:
        statement = statement.join(User.posts).distinct()
    return session.scalars(statement).all()


session = opened()
for user in find(session, full=True) + find(session) + find(session, "ann"):
    print(user.name, len(user.posts), user.profile is not None)
