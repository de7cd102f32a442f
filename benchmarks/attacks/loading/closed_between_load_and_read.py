# Some objects leave the session before they are read: those that were read stay readable.
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import DetachedInstanceError

from blog import User, opened


def named(users: list[User]) -> list[str]:
    found = []
    for user in users:
        try:
            found.append(f"{user.id}: {len(user.posts)}")
        except DetachedInstanceError:
            found.append(f"{user.id}: gone")
    return found


def show(session: Session):
    users = list(session.scalars(select(User).order_by(User.id)))
    print(len(users[0].posts))
    session.expunge(users[0])
    session.expunge(users[1])
    print(named(users))


show(opened())
