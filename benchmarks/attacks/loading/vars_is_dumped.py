# announced: the statement loads all their rows at once
from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    users = session.scalars(select(User).order_by(User.id)).all()
    print([sorted(name for name in vars(user) if not name.startswith("_")) for user in users])
    print([len(user.posts) for user in users])


show(opened())
