# announced: a read that awaken does not see now raises
from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


class Titles:
    def __get__(self, view, owner):
        return [post.title for post in view.user.posts]


class View:
    __slots__ = ("user",)
    titles = Titles()

    def __init__(self, user):
        self.user = user

    def __getattr__(self, name):
        return getattr(self.user, name)

    def __iter__(self):
        return iter(self.user.posts)


def show(session: Session):
    for view in map(View, session.scalars(select(User).order_by(User.id))):
        print(view.titles, [p.id for p in view], view.profile and view.profile.city, len(view.posts))


show(opened())
