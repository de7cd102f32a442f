from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    for thing in session.scalars(select(User).order_by(User.id)):
        print(hasattr(thing, "posts"), bool(getattr(thing, "profile", None)))
        try:
            print(len(thing.posts))
        except AttributeError:
            print("none")


show(opened())
