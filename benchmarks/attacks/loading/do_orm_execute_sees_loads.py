# announced: the statement loads all their rows at once
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from blog import User, opened

log = []


@event.listens_for(Session, "do_orm_execute")
def seen(state):
    if state.is_relationship_load:
        log.append("relationship")
    elif state.is_select:
        log.append("select")


def show(session: Session):
    for user in session.scalars(select(User).order_by(User.id)):
        print(len(user.posts))


show(opened())
print(log)
