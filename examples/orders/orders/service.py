from sqlalchemy import func, text
from sqlalchemy.orm import Session

from .models import Customer, Line, Order


def customer_named(db: Session, name: str) -> Customer:
    customer = db.query(Customer).filter(Customer.name == name).first()
    if customer is None:
        customer = Customer(name=name)
        db.add(customer)
        db.flush()
    return customer


def place(db: Session, name: str, articles: dict[str, int]) -> int:
    order = Order(customer_id=customer_named(db, name).id)
    order.lines = [Line(article=article, quantity=n) for article, n in articles.items()]
    db.add(order)
    db.commit()
    return order.id


def overview(db: Session) -> list[dict]:
    rows = []
    for customer in db.query(Customer).order_by(Customer.name):
        for order in customer.orders:
            rows.append({"customer": customer.name, "order": order.id, "status": order.status})
    return rows


def pieces(db: Session) -> dict[str, int]:
    found = db.query(Line.article, func.sum(Line.quantity)).group_by(Line.article).all()
    return {article: number for article, number in found}


def ship(db: Session, key: int) -> bool:
    order = db.query(Order).get(key)
    if order is None or order.status != "open":
        return False
    order.status = "shipped"
    db.commit()
    return True


def forget_shipped(db: Session) -> int:
    gone = db.query(Order).filter_by(status="shipped").all()
    for order in gone:
        db.delete(order)
    db.commit()
    return len(gone)


def is_alive(db: Session) -> bool:
    return db.execute(text("SELECT 1")).scalar() == 1
