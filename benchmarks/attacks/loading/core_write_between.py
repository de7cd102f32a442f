from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from blog import Post, User, opened


def change(session: Session):
    session.execute(update(Post).where(Post.id == 3).values(user_id=1))
    session.execute(insert(Post).values(id=8, title="core", user_id=2))


def show(session: Session):
    users = list(session.scalars(select(User).order_by(User.id)))
    change(session)
    print([(user.name, [post.title for post in user.posts]) for user in users])


show(opened())
