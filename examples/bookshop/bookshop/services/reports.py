from sqlalchemy import func
from sqlalchemy.orm import Session

from ..models import Author, Book, Customer, Order, OrderLine


def shop_numbers(db: Session):
    return {
        "books": db.query(Book).count(),
        "authors": db.query(func.count(Author.id)).scalar(),
        "customers": db.query(Customer).count(),
        "paid_orders": db.query(Order).filter(Order.status == "paid").count(),
        "countries": db.query(Author.country).distinct().count(),
    }


def turnover_per_author(db: Session, minimum=0):
    turnover = func.sum(OrderLine.quantity * OrderLine.price)
    rows = (
        db.query(Author.name, turnover.label("turnover"))
        .select_from(OrderLine)
        .join(OrderLine.book)
        .join(Book.author)
        .group_by(Author.id, Author.name)
        .having(turnover > minimum)
        .order_by(Author.name)
        .all()
    )
    return [{"author": row.name, "turnover": float(row.turnover)} for row in rows]


def customers_of_author(db: Session, author_id):
    customers = (
        db.query(Customer)
        .join(Customer.orders)
        .join(Order.lines)
        .join(OrderLine.book)
        .filter(Book.author_id == author_id)
        .order_by(Customer.id)
    )
    return [customer.name for customer in customers]


def cheapest_and_dearest(db: Session):
    lowest, highest = db.query(func.min(Book.price), func.max(Book.price)).one()
    return {"lowest": lowest, "highest": highest}


def order_numbers(db: Session, customer_id):
    rows = db.query(Order.id, Customer.id).join(Customer).filter(Customer.id == customer_id)
    return [row[0] for row in rows.order_by(Order.id)]


def export(db: Session, columns):
    """``columns`` come from the request: nobody knows what the rows will be."""
    return [list(row) for row in db.query(*columns).all()]
