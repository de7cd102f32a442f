from sqlalchemy.orm import Session

from shop import Author, Book, opened


def find(session: Session, name=None, old=False, page=None):
    q = session.query(Author)
    if name:
        q = q.filter(Author.name == name)
    elif old:
        q = q.join(Author.books).filter(Book.score > 4)
    else:
        q = q.outerjoin(Author.books)
    if page is not None:
        q = q.limit(2).offset(page * 2)
    total = q.count()
    return total, [a.id for a in q.order_by(Author.id).all()]


session = opened()
for kw in ({}, {"name": "ann"}, {"old": True}, {"page": 0}, {"page": 1}, {"name": "x", "page": 0}):
    print(find(session, **kw))
