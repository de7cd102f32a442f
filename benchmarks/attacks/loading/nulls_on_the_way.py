from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    for post in session.scalars(select(Post).order_by(Post.id)):
        print(post.author.profile.city if post.author and post.author.profile else None)
    for post in session.scalars(select(Post).where(Post.user_id.is_not(None)).order_by(Post.id)):
        print(post.author.name, len(post.author.posts), post.author.posts[0].author is post.author)


show(opened())
