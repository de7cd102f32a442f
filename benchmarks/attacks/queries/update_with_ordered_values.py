from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    n = session.query(Author).filter(Author.id == 1).update([(Author.age, 5), (Author.name, "z")], update_args={"preserve_parameter_order": True})
    print(n, session.query(Author.name, Author.age).filter(Author.id == 1).one())
    print(session.query(Author).update({}))


try:
    show(opened())
except Exception as error:
    print(type(error).__name__)
