from sqlalchemy import select
from sqlalchemy.orm import Session, with_loader_criteria

from blog import Post, User, opened


def show(session: Session):
    statement = select(User).options(with_loader_criteria(Post, Post.id != 2)).order_by(User.id)
    for user in session.scalars(statement):
        print([p.id for p in user.posts])
    session.expunge_all()
    later = select(User).options(with_loader_criteria(Post, Post.id > 2, propagate_to_loaders=False)).order_by(User.id)
    for user in session.scalars(later):
        print([p.id for p in user.posts])


show(opened())
