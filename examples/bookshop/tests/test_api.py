from bookshop import tasks


def test_list_books(client):
    page = client.get("/books").json()
    assert page["total"] == 4
    assert page["items"][0]["author"]["name"] == "Stanisław Lem"


def test_search(client):
    found = client.get("/books/search", params={"text": "rose"}).json()
    assert [book["id"] for book in found] == [4]


def test_read_book(client):
    assert client.get("/books/2").json()["title"] == "Solaris"
    assert client.get("/books/99").status_code == 404


def test_add_book(client):
    book = {"isbn": "9780000000066", "title": "Fiasco", "price": "9.50", "author_id": 2}
    assert client.post("/books", json=book).status_code == 201
    assert client.post("/books", json=book).status_code == 409
    assert client.post("/books", json={**book, "author_id": 99}).status_code == 404


def test_change_book(client):
    book = {"isbn": "9780000000028", "title": "Solaris", "price": "7.00", "author_id": 2}
    assert client.put("/books/2", json=book).json()["price"] == "7.00"
    assert client.put("/books/99", json=book).status_code == 404


def test_remove_book(client):
    assert client.delete("/books/5").status_code == 204
    assert client.delete("/books/5").status_code == 404


def test_reviews_best_first(client):
    assert client.get("/books/2/reviews").json() == [
        {"by": "Ann", "stars": 5},
        {"by": "Bob", "stars": 4},
    ]


def test_one_review_each(client):
    review = {"customer_id": 3, "stars": 3}
    assert client.post("/books/2/reviews", json=review).json() == {"average": 4.0}
    assert client.post("/books/2/reviews", json=review).status_code == 409


def test_prices_leave_out_the_broken_shop(client):
    assert set(client.get("/books/2/prices").json()) == {"north", "westend"}
    assert client.get("/books/99/prices").status_code == 404


def test_tree(client):
    assert client.get("/books/tree").json()[0]["name"] == "Fiction"


def test_register_once(client):
    customer = {"email": "new@example.org", "name": "New"}
    assert client.post("/customers", json=customer).status_code == 201
    assert client.post("/customers", json=customer).status_code == 409
    assert len(client.get("/customers").json()) == 4


def test_orders_of_a_customer(client):
    orders = client.get("/customers/1/orders").json()
    assert [len(order["lines"]) for order in orders] == [2, 1]
    assert client.get("/customers/99/orders").status_code == 404


def test_order_sends_two_mails(client):
    order = {"customer_id": 3, "lines": [{"book_id": 3, "quantity": 2}]}
    placed = client.post("/orders", json=order)
    assert placed.status_code == 201
    assert placed.json()["customer"]["name"] == "Eve"
    assert [address for address, _ in tasks.outbox] == ["eve@example.org", "orders@bookshop.example"]


def test_order_out_of_stock(client):
    order = {"customer_id": 3, "lines": [{"book_id": 4, "quantity": 2}]}
    assert client.post("/orders", json=order).status_code == 409


def test_pay_and_cancel(client):
    assert client.post("/orders/3/payment").json() == {"paid": 8.0}
    assert client.post("/orders/3/payment").status_code == 409
    assert client.delete("/orders/2").status_code == 204
    assert client.get("/orders/2").json()["status"] == "cancelled"
    assert client.get("/orders/99").status_code == 404


def test_reports(client):
    assert client.get("/reports").json()["books"] == 5
    assert client.get("/reports/bestsellers").json()[0] == {"title": "Solaris", "sold": 3}
