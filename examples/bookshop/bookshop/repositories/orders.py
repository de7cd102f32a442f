from sqlalchemy import desc, func
from sqlalchemy.orm import Session

from ..models import Book, Order, OrderLine
from .base import Repository


class OrderRepository(Repository):
    model = Order

    def __init__(self, db: Session):
        super().__init__(db)
        self.db = db

    def of_customer(self, customer_id):
        return self.db.query(Order).filter(Order.customer_id == customer_id).all()

    def latest(self, customer_id):
        return (
            self.db.query(Order)
            .filter_by(customer_id=customer_id)
            .order_by(Order.created_at.desc(), Order.id.desc())
            .first()
        )

    def with_book(self, book_id):
        return self.db.query(Order).join(Order.lines).filter(OrderLine.book_id == book_id).all()

    def total(self, order_id):
        return (
            self.db.query(func.sum(OrderLine.quantity * OrderLine.price))
            .filter(OrderLine.order_id == order_id)
            .scalar()
        ) or 0

    def status(self, order_id):
        return self.db.query(Order.status).filter(Order.id == order_id).scalar()

    def bestsellers(self, limit):
        sold = func.sum(OrderLine.quantity).label("sold")
        return (
            self.db.query(Book.title, sold)
            .join(OrderLine, OrderLine.book_id == Book.id)
            .group_by(Book.id, Book.title)
            .order_by(desc("sold"), Book.title)
            .limit(limit)
            .all()
        )

    def count_by_status(self):
        return dict(
            self.db.query(Order.status, func.count(Order.id)).group_by(Order.status).all()
        )

    def lock(self, order_id):
        return self.db.query(Order).with_for_update(of=Order).filter(Order.id == order_id).one()

    def cancel_open(self, customer_id):
        query = self.db.query(Order).filter_by(customer_id=customer_id, status="open")
        cancelled = query.count()
        query.update({"status": "cancelled"})
        self.db.commit()
        return cancelled
