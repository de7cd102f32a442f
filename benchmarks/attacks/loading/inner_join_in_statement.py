from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    for user in session.scalars(select(User).join(User.posts).order_by(Post.id)):
        print(user.name, len(user.posts))
    for user in session.scalars(select(User).join(User.posts).distinct().order_by(User.id)):
        print(user.name, len(user.posts))
    for post in session.scalars(select(Post).join(Post.author).where(User.name == "ann").order_by(Post.id)):
        print(post.title, post.author.name)


show(opened())
