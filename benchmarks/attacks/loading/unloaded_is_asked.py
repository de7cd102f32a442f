# announced: the statement loads all their rows at once
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    for user in session.scalars(select(User).order_by(User.id)):
        print(sorted(inspect(user).unloaded), "posts" in vars(user))
        print(len(user.posts))


show(opened())
