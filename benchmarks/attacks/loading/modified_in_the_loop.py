from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    for user in session.scalars(select(User).order_by(User.id)).all():
        print(user.name, [post.title for post in user.posts])
        session.execute(delete(Post).where(Post.id == 3))


show(opened())
