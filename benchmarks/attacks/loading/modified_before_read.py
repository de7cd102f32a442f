from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    users = session.scalars(select(User).order_by(User.id)).all()
    session.add(Post(id=9, title="late", user_id=1))
    session.flush()
    for user in users:
        print(user.name, [post.title for post in user.posts])


show(opened())
