from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session

from .. import schemas, tasks
from ..database import get_db
from ..models import Order
from ..services.checkout import CheckoutService, OutOfStock

router = APIRouter(prefix="/orders", tags=["orders"])


@router.post("", response_model=schemas.OrderOut, status_code=201)
async def place_order(data: schemas.OrderIn, db: Session = Depends(get_db)):
    try:
        order = CheckoutService(db).place(data.customer_id, data.lines)
    except LookupError as error:
        raise HTTPException(404, str(error))
    except OutOfStock as error:
        raise HTTPException(409, f"out of stock: {error}")
    await tasks.confirm_order(order.id, order.customer.email)
    return order


@router.get("/{order_id}", response_model=schemas.OrderOut)
def read_order(order_id: int, db: Session = Depends(get_db)):
    order = db.query(Order).filter(Order.id == order_id).one_or_none()
    if order is None:
        raise HTTPException(404, "no such order")
    return order


@router.post("/{order_id}/payment")
def pay(order_id: int, db: Session = Depends(get_db)):
    try:
        return {"paid": CheckoutService(db).pay(order_id)}
    except ValueError as error:
        raise HTTPException(409, str(error))


@router.delete("/{order_id}", status_code=204)
def cancel(order_id: int, db: Session = Depends(get_db)):
    if not CheckoutService(db).cancel(order_id):
        raise HTTPException(404, "no such order")
