from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from . import tasks
from .config import settings
from .database import Base, SessionLocal, engine, get_db
from .models import Category
from .repositories.orders import OrderRepository
from .routers import books, customers, orders
from .services import reports

app = FastAPI(title="Bookshop")
app.include_router(books.router)
app.include_router(customers.router)
app.include_router(orders.router)


@app.on_event("startup")
def create_tables():
    Base.metadata.create_all(bind=engine)


@app.on_event("startup")
async def ensure_categories():
    db = SessionLocal()
    if db.query(Category).filter_by(name="Fiction").first() is None:
        db.add(Category(name="Fiction"))
        db.commit()
    db.close()


@app.on_event("shutdown")
def forget_mails():
    tasks.outbox.clear()


@app.get("/reports")
def numbers(db: Session = Depends(get_db)):
    return reports.shop_numbers(db)


@app.get("/reports/bestsellers")
def bestsellers(db: Session = Depends(get_db)):
    rows = OrderRepository(db).bestsellers(settings.bestseller_limit)
    return [{"title": row.title, "sold": row.sold} for row in rows]
