from sqlalchemy import exists
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import NoResultFound

from ..models import Customer, Order
from .base import Repository


class CustomerRepository(Repository):
    model = Customer

    def __init__(self, db: Session):
        super().__init__(db)
        self.db = db

    def by_email(self, email):
        try:
            return self.db.query(Customer).filter_by(email=email).one()
        except NoResultFound:
            return None

    def email_taken(self, email):
        return self.db.query(exists().where(Customer.email == email)).scalar()

    def names_and_emails(self):
        rows = self.db.query(Customer.name, Customer.email).order_by(Customer.name).all()
        return {row.email: row.name for row in rows}

    def without_orders(self):
        return (
            self.db.query(Customer)
            .outerjoin(Customer.orders)
            .filter(Order.id.is_(None))
            .order_by(Customer.id)
            .all()
        )

    def subscribers(self):
        for customer in self.db.query(Customer).filter_by(newsletter=True).order_by(Customer.id):
            yield customer.email

    def ordered_since(self, moment):
        recent = self.db.query(Order.customer_id).filter(Order.created_at >= moment).subquery()
        return self.db.query(Customer).filter(Customer.id.in_(recent.select())).all()

    def unsubscribe_all(self):
        self.db.query(Customer).update({"newsletter": False})
        self.db.commit()
