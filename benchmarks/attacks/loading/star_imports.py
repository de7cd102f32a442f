from sqlalchemy import *
from sqlalchemy.orm import *

from blog import *


def show(session):
    return [(u.name, [p.title for p in u.posts]) for u in session.scalars(select(User).order_by(User.id))]


print(show(opened()))
