import threading

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def work(users, out):
    for user in users:
        out.append(user.name)
        out.append(len(user.posts))


def show(session: Session):
    out = []
    users = session.scalars(select(User).order_by(User.id)).all()
    work(users, out)
    thread = threading.Thread(target=out.append, args=(len(users),))
    thread.start()
    thread.join()
    print(out)


show(opened())
