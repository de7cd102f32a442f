import pickle

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    user = session.scalars(select(User).where(User.id == 1)).one()
    copy = pickle.loads(pickle.dumps(user))
    print(sorted(name for name in vars(copy) if not name.startswith("_")))
    print(len(user.posts))
    with Session(session.get_bind()) as other:
        copy = other.merge(copy)
        print(len(copy.posts))


show(opened())
