from operator import attrgetter

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session, name):
    for user in session.scalars(select(User).order_by(User.id)):
        print(getattr(user, name), [len(x) for x in [attrgetter("posts")(user)]], hasattr(user, "profile"))


show(opened(), "name")
for user in opened().scalars(select(User).order_by(User.id)):
    print({name: type(getattr(user, name)).__name__ for name in ("posts", "profile")})
