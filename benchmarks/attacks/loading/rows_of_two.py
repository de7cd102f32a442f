from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from blog import Post, User, opened


def show(session: Session):
    for user, post in session.execute(select(User, Post).join(User.posts).order_by(Post.id)):
        print(len(user.posts), [t.name for t in post.tags], post.author is user)
    for row in session.execute(select(User).order_by(User.id)):
        print(len(row.User.posts), len(row[0].posts))
    other = aliased(User)
    for user in session.scalars(select(other).order_by(other.id)):
        print(len(user.posts), user.profile is None)


show(opened())
