from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    for user in session.scalars(select(User).order_by(User.id).execution_options(yield_per=1)):
        print(user.name, len(user.posts))
    for post in session.scalars(select(Post).order_by(Post.id), execution_options={"stream_results": True}):
        print(post.author and post.author.name)
    for chunk in session.scalars(select(User).order_by(User.id)).partitions(2):
        print([len(user.posts) for user in chunk])


show(opened())
