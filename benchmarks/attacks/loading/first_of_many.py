from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    print([p.title for p in session.scalars(select(User).order_by(User.id)).first().posts])
    print(session.scalars(select(Post).order_by(Post.id.desc())).first().author)
    print(session.scalar(select(User).order_by(User.id)).profile.city)
    user = session.execute(select(User).where(User.id == 2)).scalar_one()
    print(user.posts[0].title, user.profile)
    none = session.scalars(select(User).where(User.id == 99)).one_or_none()
    print(none and none.posts)
    print(session.execute(select(User).order_by(User.id).limit(1)).scalar_one_or_none().posts[1].tags[0].name)


show(opened())
