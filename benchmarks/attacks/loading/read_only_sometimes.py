from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session, deep):
    for user in session.scalars(select(User).order_by(User.id)):
        if deep and user.name == "ann":
            print([post.title for post in user.posts])
            continue
        print(user.name)


show(opened(), True)
show(opened(), False)
