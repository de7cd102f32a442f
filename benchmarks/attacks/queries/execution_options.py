from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    q = session.query(Author).execution_options(stream_results=True, marker="m").order_by(Author.id)
    print([a.id for a in q], q.get_execution_options().get("marker"))
    print([a.id for a in session.query(Author).order_by(Author.id).execution_options(yield_per=2)])
    print(session.query(Author).execution_options(populate_existing=True).first().name)
    print(session.query(Author).with_for_update().filter_by(id=1).one().id, session.query(Author).with_for_update(read=True).count())
    print(session.query(Author.id).execution_options(autoflush=False).count())


show(opened())
