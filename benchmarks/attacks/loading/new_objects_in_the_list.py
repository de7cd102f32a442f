from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    users = session.scalars(select(User).order_by(User.id)).all()
    users = [*users, User(id=7, name="new")]
    users[-1].posts.append(Post(id=7, title="n"))
    for user in users:
        print(user.name, [post.title for post in user.posts])


show(opened())
