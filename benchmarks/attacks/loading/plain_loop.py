from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    for user in session.scalars(select(User).order_by(User.id)):
        print(user.name, [post.title for post in user.posts], user.profile and user.profile.city)


show(opened())
