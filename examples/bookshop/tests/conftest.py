import os

os.environ["BOOKSHOP_DATABASE_URL"] = "sqlite://"

import pytest
from fastapi.testclient import TestClient

from bookshop import tasks
from bookshop.database import Base, SessionLocal, engine
from bookshop.main import app
from bookshop.models import Author, Book, Category, Customer, Order, OrderLine, Review


def fill(db):
    le_guin = Author(id=1, name="Ursula K. Le Guin", country="US")
    lem = Author(id=2, name="Stanisław Lem", country="PL")
    eco = Author(id=3, name="Umberto Eco", country="IT")
    fiction = Category(id=1, name="Fiction")
    science = Category(id=2, name="Science fiction", parent=fiction)
    crime = Category(id=3, name="Crime", parent=fiction)
    db.add_all([le_guin, lem, eco, fiction, science, crime])
    books = [
        Book(id=1, isbn="9780000000011", title="The Dispossessed", price=10, stock=5, author=le_guin),
        Book(id=2, isbn="9780000000028", title="Solaris", price=8, stock=2, author=lem),
        Book(id=3, isbn="9780000000035", title="The Cyberiad", price=12, stock=9, author=lem),
        Book(id=4, isbn="9780000000042", title="The Name of the Rose", price=15, stock=1, author=eco),
        Book(id=5, isbn="9780000000059", title="Baudolino", price=14, stock=0, author=eco, active=False),
    ]
    for book in books[:3]:
        book.categories.append(science)
    books[3].categories.extend([fiction, crime])
    ann = Customer(id=1, email="ann@example.org", name="Ann", newsletter=True)
    bob = Customer(id=2, email="bob@example.org", name="Bob", newsletter=True)
    eve = Customer(id=3, email="eve@example.org", name="Eve")
    db.add_all([*books, ann, bob, eve])
    db.add_all(
        [
            Order(id=1, customer=ann, status="paid", lines=[
                OrderLine(book=books[1], quantity=2, price=8),
                OrderLine(book=books[2], quantity=1, price=12),
            ]),
            Order(id=2, customer=ann, lines=[OrderLine(book=books[0], quantity=1, price=10)]),
            Order(id=3, customer=bob, lines=[OrderLine(book=books[1], quantity=1, price=8)]),
            Review(id=1, book=books[1], customer=ann, stars=5, text="Strange and beautiful"),
            Review(id=2, book=books[1], customer=bob, stars=4),
            Review(id=3, book=books[0], customer=ann, stars=3),
        ]
    )
    db.commit()


@pytest.fixture
def db():
    Base.metadata.create_all(engine)
    session = SessionLocal()
    fill(session)
    yield session
    session.close()
    engine.dispose()  # the only connection: the database in memory goes with it
    tasks.outbox.clear()


@pytest.fixture
def client(db):
    with TestClient(app) as client:
        yield client
