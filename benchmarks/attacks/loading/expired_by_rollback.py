from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    users = session.scalars(select(User).order_by(User.id)).all()
    users[0].name = "changed"
    session.rollback()
    for user in users:
        print(user.name, len(user.posts))
    session.expire_all()
    for user in users:
        print(user.name, user.profile is None)


show(opened())
