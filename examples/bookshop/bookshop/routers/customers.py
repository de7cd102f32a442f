from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session

from .. import schemas
from ..database import get_db
from ..models import Customer
from ..repositories.customers import CustomerRepository
from ..repositories.orders import OrderRepository

router = APIRouter(prefix="/customers", tags=["customers"])


@router.get("", response_model=list[schemas.CustomerOut])
def list_customers(db: Session = Depends(get_db)):
    return db.query(Customer).order_by(Customer.id).all()


@router.post("", response_model=schemas.CustomerOut, status_code=201)
def register(data: schemas.CustomerIn, db: Session = Depends(get_db)):
    customers = CustomerRepository(db)
    if customers.email_taken(data.email):
        raise HTTPException(409, "this address is taken")
    return customers.add(Customer(**data.model_dump()))


@router.get("/{customer_id}/orders", response_model=list[schemas.OrderOut])
def orders(customer_id: int, db: Session = Depends(get_db)):
    if not db.query(Customer).get(customer_id):
        raise HTTPException(404, "no such customer")
    return OrderRepository(db).of_customer(customer_id)
