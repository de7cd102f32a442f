# announced: the statement loads all their rows at once
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from blog import Post, User, opened

log = []
event.listen(Post, "load", lambda post, context: log.append(post.title))
event.listen(User, "load", lambda user, context: log.append(user.name))


def show(session: Session):
    for user in session.scalars(select(User).order_by(User.id)):
        log.append(f"read {user.name}")
        len(user.posts)


show(opened())
print(log)
