from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    for user in session.scalars(select(User).order_by(User.id).limit(2).offset(1)):
        print(user.name, [post.title for post in user.posts])
    for post in session.scalars(select(Post).order_by(Post.id.desc()).limit(3)):
        print(post.title, post.author.name if post.author else None, [t.name for t in post.tags])


show(opened())
