from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def report(session: Session):
    def titles(user):
        return [post.title for post in user.posts]

    def tags(user):
        return sorted({tag.name for post in user.posts for tag in post.tags})

    found = session.scalars(select(User).order_by(User.id)).all()
    return [(titles(user), tags(user)) for user in found], list(map(titles, found))


print(report(opened()))
