import asyncio

import pytest

from bookshop import tasks
from bookshop.models import Author, Book
from bookshop.schemas import LineIn
from bookshop.services import catalogue, reports
from bookshop.services.checkout import CheckoutService, OutOfStock


def test_category_tree(db):
    assert catalogue.category_tree(db) == [
        {
            "name": "Fiction",
            "books": 1,
            "children": [
                {"name": "Science fiction", "books": 3, "children": []},
                {"name": "Crime", "books": 1, "children": []},
            ],
        }
    ]


def test_authors_with_titles(db):
    assert catalogue.authors_with_titles(db)["Umberto Eco"] == ["The Name of the Rose", "Baudolino"]


def test_low_stock(db):
    assert "Solaris: 2" in catalogue.low_stock(db)


def test_has_books(db):
    assert catalogue.has_books(db, 1)
    assert not catalogue.has_books(db, 99)


def test_shop_numbers(db):
    assert reports.shop_numbers(db) == {
        "books": 5, "authors": 3, "customers": 3, "paid_orders": 1, "countries": 3,
    }


def test_turnover_per_author(db):
    assert reports.turnover_per_author(db, minimum=10) == [
        {"author": "Stanisław Lem", "turnover": 36.0}
    ]


def test_customers_of_author_come_once(db):
    assert reports.customers_of_author(db, 2) == ["Ann", "Bob"]


def test_cheapest_and_dearest(db):
    assert reports.cheapest_and_dearest(db) == {"lowest": 8, "highest": 15}


def test_order_numbers(db):
    assert reports.order_numbers(db, 1) == [1, 2]


def test_export(db):
    assert reports.export(db, [Author.id, Author.country]) == [[1, "US"], [2, "PL"], [3, "IT"]]


def test_place_takes_from_the_stock(db):
    order = CheckoutService(db).place(3, [LineIn(book_id=1, quantity=2)])
    assert order.customer.name == "Eve"
    assert db.get(Book, 1).stock == 3


def test_place_refuses_what_is_not_there(db):
    with pytest.raises(OutOfStock):
        CheckoutService(db).place(3, [LineIn(book_id=4, quantity=2)])
    with pytest.raises(LookupError):
        CheckoutService(db).place(3, [LineIn(book_id=5)])


def test_pay_once(db):
    checkout = CheckoutService(db)
    assert checkout.pay(3) == 8
    with pytest.raises(ValueError):
        checkout.pay(3)


def test_cancel_gives_the_stock_back(db):
    assert CheckoutService(db).cancel(2)
    assert db.get(Book, 1, populate_existing=True).stock == 6
    assert not CheckoutService(db).cancel(99)


def test_newsletter_goes_to_subscribers(db):
    sent = asyncio.run(tasks.send_newsletter("News"))
    assert sent == ["ann@example.org", "bob@example.org"]


def test_refresh_catalogue(db):
    result = asyncio.run(tasks.refresh_catalogue(["north", "broken"]))
    assert result["customers"] == 3
    assert len(result["prices"]) == 4
    assert list(result["prices"]["9780000000011"]) == ["north"]
