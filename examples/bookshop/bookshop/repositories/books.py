from sqlalchemy import func, or_
from sqlalchemy.orm import Session, joinedload

from ..models import Author, Book, Category, Review
from .base import Repository


class BookRepository(Repository):
    model = Book

    def __init__(self, db: Session):
        super().__init__(db)
        self.db = db

    def by_isbn(self, isbn):
        return self.db.query(Book).filter(Book.isbn == isbn).first()

    def page(self, page, size):
        return (
            self.db.query(Book)
            .options(joinedload(Book.author))
            .filter(Book.active == True)  # noqa: E712
            .order_by(Book.title)
            .offset((page - 1) * size)  # pages count from one
            .limit(size)
            .all()
        )

    def count_active(self):
        return self.db.query(Book).filter(Book.active.is_(True)).count()

    def search(self, text, category=None, max_price=None):
        query = self.db.query(Book).join(Book.author)
        query = query.filter(or_(Book.title.ilike(f"%{text}%"), Author.name.ilike(f"%{text}%")))
        if category:
            query = query.join(Book.categories).filter(Category.name == category)
        if max_price is not None:
            query = query.filter(Book.price <= max_price)
        return query.order_by(Book.id).all()

    def by_author_name(self, name):
        return self.db.query(Book).join(Author).filter_by(name=name).order_by(Book.id).all()

    def in_category(self, name):
        return self.db.query(Book).join(Book.categories).filter(Category.name == name).all()

    def titles(self):
        return [title for (title,) in self.db.query(Book.title).order_by(Book.title)]

    def isbn_taken(self, isbn):
        return self.db.query(self.db.query(Book).filter_by(isbn=isbn).exists()).scalar()

    def never_reviewed(self):
        reviewed = self.db.query(Review.book_id).distinct()
        return self.db.query(Book).filter(Book.id.notin_(reviewed)).order_by(Book.id).all()

    def average_stars(self, book_id):
        return self.db.query(func.avg(Review.stars)).filter(Review.book_id == book_id).scalar()

    def with_average_stars(self):
        stars = (
            self.db.query(Review.book_id, func.avg(Review.stars).label("average"))
            .group_by(Review.book_id)
            .subquery()
        )
        return (
            self.db.query(Book, stars.c.average)
            .outerjoin(stars, Book.id == stars.c.book_id)
            .order_by(Book.id)
            .all()
        )

    def cheapest(self, count):
        return self.db.query(Book).filter(Book.active).order_by(Book.price)[:count]

    def raise_prices(self, author_id, factor):
        changed = (
            self.db.query(Book)
            .filter(Book.author_id == author_id)
            .update({Book.price: Book.price * factor}, synchronize_session=False)
        )
        self.db.commit()
        return changed
