from decimal import Decimal
from typing import List, Optional

from pydantic import BaseModel, ConfigDict


class AuthorOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    country: Optional[str] = None


class BookIn(BaseModel):
    isbn: str
    title: str
    price: Decimal
    author_id: int
    stock: int = 0
    published: Optional[int] = None


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    isbn: str
    title: str
    price: Decimal
    stock: int
    author: AuthorOut


class BookPage(BaseModel):
    total: int
    page: int
    items: List[BookOut]


class CustomerIn(BaseModel):
    email: str
    name: str
    newsletter: bool = False


class CustomerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    name: str


class LineIn(BaseModel):
    book_id: int
    quantity: int = 1


class LineOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    book_id: int
    quantity: int
    price: Decimal


class OrderIn(BaseModel):
    customer_id: int
    lines: List[LineIn]


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    status: str
    customer: CustomerOut
    lines: List[LineOut]


class ReviewIn(BaseModel):
    customer_id: int
    stars: int
    text: Optional[str] = None
