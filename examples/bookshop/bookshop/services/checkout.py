from sqlalchemy.orm import Session

from ..models import Book, Customer, Order, OrderLine
from ..repositories.orders import OrderRepository


class OutOfStock(Exception):
    pass


class CheckoutService:
    def __init__(self, db: Session):
        self.db = db
        self.orders = OrderRepository(db)

    def place(self, customer_id, lines):
        customer = self.db.query(Customer).filter(Customer.id == customer_id).one_or_none()
        if not customer:
            raise LookupError("no such customer")
        order = Order(customer=customer)
        for line in lines:
            book = self.db.query(Book).filter(Book.id == line.book_id, Book.active).first()
            if book is None:
                raise LookupError(f"no such book: {line.book_id}")
            if book.stock < line.quantity:
                raise OutOfStock(book.title)
            book.stock -= line.quantity
            order.lines.append(OrderLine(book=book, quantity=line.quantity, price=book.price))
        self.db.add(order)
        self.db.commit()
        return order

    def pay(self, order_id):
        order = self.orders.lock(order_id)
        if order.status != "open":
            raise ValueError(f"this order is {order.status}")
        order.status = "paid"
        self.db.commit()
        return self.orders.total(order_id)

    def cancel(self, order_id):
        query = self.db.query(Order).filter(Order.id == order_id)
        order = query.first()
        if order is None:
            return False
        for line in order.lines:
            self.db.query(Book).filter(Book.id == line.book_id).update(
                {"stock": Book.stock + line.quantity}
            )
        query.update({"status": "cancelled"}, synchronize_session=False)
        self.db.commit()
        return True
