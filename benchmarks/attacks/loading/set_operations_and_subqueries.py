from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from blog import Post, User, opened


def show(session: Session):
    sub = select(User).where(User.id < 3).subquery()
    person = aliased(User, sub)
    print([(p.name, len(p.posts)) for p in session.scalars(select(person).order_by(person.id))])
    ids = select(Post.user_id).where(Post.id > 1)
    print([(u.name, len(u.posts)) for u in session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id))])


show(opened())
