from sqlalchemy import event
from sqlalchemy.orm import Session

from shop import Author, opened

log = []
event.listen(Author, "load", lambda target, context: log.append(("load", target.id, type(context.query).__name__, context.session is not None)))
event.listen(Session, "after_bulk_delete", lambda context: log.append(("deleted", context.result.rowcount)))
event.listen(Session, "after_bulk_update", lambda context: log.append(("updated", sorted(map(str, context.values)))))


def show(session: Session):
    print(session.query(Author).order_by(Author.id).first().name)
    print(session.query(Author).filter(Author.id == 3).update({"name": "n"}))
    print(session.query(Author).filter(Author.id == 3).delete())


show(opened())
print(log[0][:2], log[1:])
