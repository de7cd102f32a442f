from sqlalchemy import event, select
from sqlalchemy.orm import Session

from blog import Post, User, opened

log = []


@event.listens_for(Session, "before_flush")
def before(session, context, instances):
    for thing in session.dirty:
        if isinstance(thing, User):
            log.append([p.title for p in thing.posts])


@event.listens_for(Post, "before_delete")
def gone(mapper, connection, post):
    log.append(post.author.name if post.author else None)


def show(session: Session):
    user = session.scalars(select(User).where(User.id == 1)).one()
    user.name = "x"
    session.commit()
    session.delete(session.get(Post, 3))
    session.commit()
    print([len(u.posts) for u in session.scalars(select(User).order_by(User.id))])


show(opened())
print(log)
