from sqlalchemy.orm import Session

from ..config import settings
from ..models import Author, Book, Category
from ..repositories.books import BookRepository


def list_books(db: Session, page=1):
    books = BookRepository(db)
    return {
        "total": books.count_active(),
        "page": page,
        "items": books.page(page, settings.page_size),
    }


def add_book(db: Session, data):
    if db.query(Author).get(data.author_id) is None:
        raise LookupError("no such author")
    books = BookRepository(db)
    if books.isbn_taken(data.isbn):
        raise ValueError("this ISBN is taken")
    return books.add(Book(**data.model_dump()))


def category_tree(db: Session):
    """Walks down by lazy loading: one query per category."""

    def branch(category):
        return {
            "name": category.name,
            "books": len(category.books),
            "children": [branch(child) for child in category.children],
        }

    roots = db.query(Category).filter(Category.parent_id == None).order_by(Category.id)  # noqa: E711
    return [branch(root) for root in roots]


def authors_with_titles(db: Session):
    result = {}
    for author in db.query(Author).order_by(Author.name).all():
        result[author.name] = [book.title for book in author.books]  # n + 1
    return result


def low_stock(db: Session):
    books = db.query(Book.title, Book.stock).filter(Book.stock < settings.low_stock)
    return [f"{book.title}: {book.stock}" for book in books]


def has_books(db: Session, author_id):
    return db.query(Book.id).filter(Book.author_id == author_id).first() is not None
