from datetime import datetime, timezone

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, Numeric, String, Table, Text
from sqlalchemy.orm import backref, relationship

from .database import Base


def now():
    return datetime.now(timezone.utc).replace(tzinfo=None)


book_category = Table(
    "book_category",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("category_id", ForeignKey("categories.id"), primary_key=True),
)


class Author(Base):
    __tablename__ = "authors"

    id = Column(Integer, primary_key=True)
    name = Column(String(100), nullable=False)
    country = Column(String(2))

    books = relationship("Book", back_populates="author", order_by="Book.id")


class Category(Base):
    __tablename__ = "categories"

    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False, unique=True)
    parent_id = Column(ForeignKey("categories.id"))

    children = relationship("Category", backref=backref("parent", remote_side=[id]))


class Book(Base):
    __tablename__ = "books"

    id = Column(Integer, primary_key=True)
    isbn = Column(String(13), nullable=False, unique=True)
    title = Column(String(200), nullable=False)
    description = Column(Text)
    price = Column(Numeric(8, 2), nullable=False)
    stock = Column(Integer, nullable=False, default=0)
    published = Column(Integer)
    active = Column(Boolean, nullable=False, default=True)
    author_id = Column(ForeignKey("authors.id"), nullable=False)

    author = relationship("Author", back_populates="books")
    categories = relationship("Category", secondary=book_category, backref="books")
    reviews = relationship("Review", back_populates="book", cascade="all, delete-orphan")


class Customer(Base):
    __tablename__ = "customers"

    id = Column(Integer, primary_key=True)
    email = Column(String(200), nullable=False, unique=True)
    name = Column(String(100), nullable=False)
    newsletter = Column(Boolean, nullable=False, default=False)
    created_at = Column(DateTime, nullable=False, default=now)

    orders = relationship("Order", back_populates="customer", order_by="Order.id")


class Order(Base):
    __tablename__ = "orders"

    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customers.id"), nullable=False)
    status = Column(String(20), nullable=False, default="open")
    created_at = Column(DateTime, nullable=False, default=now)

    customer = relationship("Customer", back_populates="orders")
    # Nobody remembers why, but every order brings its lines along.
    lines = relationship("OrderLine", lazy="joined", back_populates="order")


class OrderLine(Base):
    __tablename__ = "order_lines"

    order_id = Column(ForeignKey("orders.id"), primary_key=True)
    book_id = Column(ForeignKey("books.id"), primary_key=True)
    quantity = Column(Integer, nullable=False, default=1)
    price = Column(Numeric(8, 2), nullable=False)

    order = relationship("Order", back_populates="lines")
    book = relationship("Book")


class Review(Base):
    __tablename__ = "reviews"

    id = Column(Integer, primary_key=True)
    book_id = Column(ForeignKey("books.id"), nullable=False)
    customer_id = Column(ForeignKey("customers.id"), nullable=False)
    stars = Column(Integer, nullable=False)
    text = Column(Text)

    book = relationship("Book", back_populates="reviews")
    customer = relationship("Customer")
