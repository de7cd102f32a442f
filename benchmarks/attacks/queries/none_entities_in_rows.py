from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    for author, book in session.query(Author, Book).outerjoin(Book).order_by(Author.id, Book.id):
        print(author.id, book and book.id)
    print([b for b, in session.query(Book).with_entities(Book.author_id)])
    print([a and a.id for a in session.query(Author).select_from(Book).outerjoin(Book.author)])
    print(session.query(Author).select_from(Book).outerjoin(Book.author).order_by(Book.id.desc()).first())


show(opened())
