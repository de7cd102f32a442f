from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    post = Post(id=20, title="x", user_id=1)
    session.add(post)
    print(post.author)
    session.flush()
    print(post.author.name if post.author else None, post.tags)
    other = Post(id=21, title="y", user_id=2)
    session.add(other)
    session.commit()
    print(other.author.name, other.tags)
    third = Post(id=22, title="z", user_id=1)
    session.add(third)
    session.flush()
    print(third.author.name)


show(opened())
