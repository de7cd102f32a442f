"""What runs beside the requests: mails, prices of other shops."""

import asyncio

from .database import SessionLocal
from .models import Book, Customer
from .repositories.customers import CustomerRepository

outbox = []


async def send_mail(address, subject):
    await asyncio.sleep(0)
    outbox.append((address, subject))
    return address


async def send_newsletter(subject):
    db = SessionLocal()
    try:
        addresses = list(CustomerRepository(db).subscribers())
    finally:
        db.close()
    return await asyncio.gather(*[send_mail(address, subject) for address in addresses])


async def confirm_order(order_id, email):
    customer_mail, shop_mail = await asyncio.gather(
        send_mail(email, f"Your order {order_id}"),
        send_mail("orders@bookshop.example", f"Order {order_id}"),
    )
    return customer_mail, shop_mail


async def fetch_price(shop, isbn):
    await asyncio.sleep(0)
    if shop == "broken":
        raise ConnectionError(shop)
    return len(shop) + int(isbn[-2:]) / 10


async def compare_prices(isbn, shops):
    prices = await asyncio.gather(
        *(fetch_price(shop, isbn) for shop in shops), return_exceptions=True
    )
    return {shop: p for shop, p in zip(shops, prices) if not isinstance(p, Exception)}


async def refresh_catalogue(shops):
    with SessionLocal() as db:
        isbns = [row.isbn for row in db.query(Book.isbn).filter(Book.active).order_by(Book.isbn)]
        customers = db.query(Customer).count()
    prices = await asyncio.gather(*(compare_prices(isbn, shops) for isbn in isbns))
    return {"customers": customers, "prices": dict(zip(isbns, prices))}
