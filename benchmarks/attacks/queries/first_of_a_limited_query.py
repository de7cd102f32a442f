from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    print(session.query(Author.id).order_by(Author.id).limit(0).first())
    print(session.query(Author.id).order_by(Author.id).limit(2).offset(1).first())
    print(session.query(Author.id).order_by(Author.id)[1:3])
    print(session.query(Author.id).order_by(Author.id)[2])
    try:
        print(session.query(Author.id).order_by(Author.id)[7])
    except IndexError as error:
        print("IndexError", error)
    print(session.query(Author.id).order_by(Author.id)[1:3:2], session.query(Author.id)[2:1])
    print(session.query(Author.id).slice(1, 2).first())


show(opened())
