from datetime import timedelta

import pytest

from bookshop.models import Author, Book, now
from bookshop.repositories.books import BookRepository
from bookshop.repositories.customers import CustomerRepository
from bookshop.repositories.orders import OrderRepository


@pytest.fixture
def books(db):
    return BookRepository(db)


@pytest.fixture
def customers(db):
    return CustomerRepository(db)


@pytest.fixture
def orders(db):
    return OrderRepository(db)


def titles(books):
    return [book.title for book in books]


def test_get_finds_by_key(books):
    assert books.get(2).title == "Solaris"
    assert books.get(99) is None


def test_all_brings_inactive_books_too(books):
    assert len(books.all()) == 5


def test_find_ignores_criteria_that_are_none(books):
    assert titles(books.find(author_id=2, published=None)) == ["Solaris", "The Cyberiad"]


def test_remove_says_how_many(books):
    assert books.remove(5) == 1
    assert books.remove(5) == 0


def test_by_isbn(books):
    assert books.by_isbn("9780000000028").id == 2
    assert books.by_isbn("nothing") is None


def test_pages_count_from_one(books):
    assert titles(books.page(1, 2)) == ["Solaris", "The Cyberiad"]
    assert titles(books.page(2, 2)) == ["The Dispossessed", "The Name of the Rose"]
    assert books.page(3, 2) == []


def test_count_active(books):
    assert books.count_active() == 4


def test_search_in_titles_and_names(books):
    assert titles(books.search("solaris")) == ["Solaris"]
    assert titles(books.search("Lem", max_price=10)) == ["Solaris"]
    assert titles(books.search("the", category="Crime")) == ["The Name of the Rose"]


def test_by_author_name(books):
    assert titles(books.by_author_name("Stanisław Lem")) == ["Solaris", "The Cyberiad"]


def test_in_category(books):
    assert len(books.in_category("Science fiction")) == 3


def test_titles_are_strings(books):
    assert books.titles()[0] == "Baudolino"


def test_isbn_taken_is_a_bool(books):
    assert books.isbn_taken("9780000000028") is True
    assert books.isbn_taken("9780000000000") is False


def test_never_reviewed(books):
    assert [book.id for book in books.never_reviewed()] == [3, 4, 5]


def test_average_stars(books):
    assert books.average_stars(2) == 4.5
    assert books.average_stars(3) is None


def test_with_average_stars_unpacks(books):
    averages = {book.id: average for book, average in books.with_average_stars()}
    assert averages == {1: 3, 2: 4.5, 3: None, 4: None, 5: None}


def test_cheapest_is_a_list(books):
    assert [book.price for book in books.cheapest(2)] == [8, 10]


def test_raise_prices(books, db):
    assert books.raise_prices(2, 2) == 2
    assert [price for (price,) in db.query(Book.price).filter(Book.author_id == 2)] == [16, 24]


def test_by_email(customers):
    assert customers.by_email("bob@example.org").name == "Bob"
    assert customers.by_email("nobody@example.org") is None


def test_names_and_emails(customers):
    assert list(customers.names_and_emails().values()) == ["Ann", "Bob", "Eve"]


def test_without_orders(customers):
    assert [customer.name for customer in customers.without_orders()] == ["Eve"]


def test_ordered_since(customers):
    assert len(customers.ordered_since(now() - timedelta(days=1))) == 2
    assert customers.ordered_since(now() + timedelta(days=1)) == []


def test_unsubscribe_all(customers):
    customers.unsubscribe_all()
    assert list(customers.subscribers()) == []


def test_orders_come_once_with_all_their_lines(orders):
    found = orders.of_customer(1)
    assert [(order.id, len(order.lines)) for order in found] == [(1, 2), (2, 1)]


def test_latest_order(orders):
    assert orders.latest(1).id == 2
    assert orders.latest(3) is None


def test_orders_with_a_book(orders):
    assert [order.id for order in orders.with_book(2)] == [1, 3]


def test_total_and_status(orders):
    assert orders.total(1) == 28
    assert orders.total(99) == 0
    assert orders.status(1) == "paid"
    assert orders.status(99) is None


def test_bestsellers_have_names(orders):
    first = orders.bestsellers(2)[0]
    assert (first.title, first.sold) == ("Solaris", 3)


def test_count_by_status(orders):
    assert orders.count_by_status() == {"open": 2, "paid": 1}


def test_cancel_open(orders):
    assert orders.cancel_open(1) == 1
    assert orders.status(2) == "cancelled"


def test_authors_are_shared(books, db):
    assert books.get(2).author is db.get(Author, 2)
