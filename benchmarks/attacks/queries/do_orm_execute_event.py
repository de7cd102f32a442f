from sqlalchemy import event
from sqlalchemy.orm import Session, with_loader_criteria

from shop import Author, opened


@event.listens_for(Session, "do_orm_execute")
def seen(state):
    log.append((type(state.statement).__name__, state.is_select, sorted(state.execution_options), state.bind_mapper is not None))
    if state.is_select:
        state.statement = state.statement.options(with_loader_criteria(Author, Author.id < 3))


log = []


def show(session: Session):
    print([a.id for a in session.query(Author)], session.query(Author).count(), session.query(Author).get(3))
    print(session.query(Author.id).filter(Author.id == 3).scalar(), session.query(Author).first().id)
    print(session.query(session.query(Author).filter(Author.id == 3).exists()).scalar())


show(opened())
print(len(log), [kind for kind, *_ in log])
