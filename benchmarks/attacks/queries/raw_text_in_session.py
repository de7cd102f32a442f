from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    for call in (
        lambda: session.execute("select 1").scalar(),
        lambda: session.scalar("select :x", {"x": 1}),
        lambda: session.query(Author).filter("age = 30").all(),
        lambda: session.connection().execute("select 1"),
    ):
        try:
            print(call())
        except Exception as error:
            print(type(error).__name__)


show(opened())
