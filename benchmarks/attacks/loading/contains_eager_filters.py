from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, noload, raiseload

from blog import Post, User, opened


def show(session: Session):
    statement = select(User).join(User.posts).where(Post.title == "a").options(contains_eager(User.posts)).execution_options(populate_existing=True)
    for user in session.scalars(statement).unique():
        print(user.name, [p.title for p in user.posts])
        for post in user.posts:
            print([t.name for t in post.tags])
    session.expire_all()
    for user in session.scalars(select(User).options(raiseload(User.profile)).order_by(User.id)):
        print(len(user.posts))


show(opened())
