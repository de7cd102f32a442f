from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, Tag, User, opened


def add(session: Session, key, title):
    user = session.get(User, key)
    user.posts.append(Post(title=title))
    session.commit()
    return [post.title for post in user.posts]


def move(session: Session):
    post = session.scalars(select(Post).where(Post.id == 1)).one()
    post.author = session.get(User, 2)
    post.tags.remove(session.get(Tag, 1))
    session.commit()
    return [t.name for t in post.tags], post.author.name


session = opened()
print(add(session, 1, "new"), add(session, 3, "other"))
print(move(session), [p.id for p in session.get(User, 1).posts], [p.id for p in session.get(User, 2).posts])
