from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    ann = session.get(User, 1)
    print(ann.name)
    for user in session.scalars(select(User).order_by(User.id)):
        print(user is ann, len(user.posts))
    print(session.get(User, 1).profile.city, session.get(User, 2).profile)


show(opened())
