from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session

from .. import schemas, tasks
from ..database import get_db
from ..models import Book, Review
from ..repositories.books import BookRepository
from ..services import catalogue

router = APIRouter(prefix="/books", tags=["books"])


@router.get("", response_model=schemas.BookPage)
def list_books(page: int = 1, db: Session = Depends(get_db)):
    return catalogue.list_books(db, page)


@router.get("/search", response_model=list[schemas.BookOut])
def search(text: str, category: str = None, max_price: float = None, db: Session = Depends(get_db)):
    return BookRepository(db).search(text, category, max_price)


@router.get("/tree")
def tree(db: Session = Depends(get_db)):
    return catalogue.category_tree(db)


@router.get("/{book_id}", response_model=schemas.BookOut)
def read_book(book_id: int, db: Session = Depends(get_db)):
    book = db.query(Book).filter(Book.id == book_id).first()
    if not book:
        raise HTTPException(404, "no such book")
    return book


@router.post("", response_model=schemas.BookOut, status_code=201)
async def add_book(data: schemas.BookIn, db: Session = Depends(get_db)):
    # A blocking session in an async endpoint: the loop stands still meanwhile.
    try:
        return catalogue.add_book(db, data)
    except LookupError as error:
        raise HTTPException(404, str(error))
    except ValueError as error:
        raise HTTPException(409, str(error))


@router.put("/{book_id}", response_model=schemas.BookOut)
def change_book(book_id: int, data: schemas.BookIn, db: Session = Depends(get_db)):
    book_query = db.query(Book).filter(Book.id == book_id)
    if book_query.first() is None:
        raise HTTPException(404, "no such book")
    book_query.update(data.model_dump(), synchronize_session=False)
    db.commit()
    return book_query.first()


@router.delete("/{book_id}", status_code=204)
def remove_book(book_id: int, db: Session = Depends(get_db)):
    if not BookRepository(db).remove(book_id):
        raise HTTPException(404, "no such book")


@router.get("/{book_id}/reviews")
def reviews(book_id: int, db: Session = Depends(get_db)):
    found = db.query(Review).filter(Review.book_id == book_id).order_by(Review.stars.desc()).all()
    return [{"by": review.customer.name, "stars": review.stars} for review in found]


@router.post("/{book_id}/reviews", status_code=201)
def add_review(book_id: int, data: schemas.ReviewIn, db: Session = Depends(get_db)):
    if db.query(Review).filter_by(book_id=book_id, customer_id=data.customer_id).count() > 0:
        raise HTTPException(409, "one review each")
    db.add(Review(book_id=book_id, **data.model_dump()))
    db.commit()
    return {"average": BookRepository(db).average_stars(book_id)}


@router.get("/{book_id}/prices")
async def prices(book_id: int, db: Session = Depends(get_db)):
    isbn = db.query(Book.isbn).filter(Book.id == book_id).scalar()
    if isbn is None:
        raise HTTPException(404, "no such book")
    return await tasks.compare_prices(isbn, ["north", "broken", "westend"])
