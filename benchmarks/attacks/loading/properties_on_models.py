from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Cart(Base):
    __tablename__ = "carts"
    id: Mapped[int] = mapped_column(primary_key=True)
    lines: Mapped[list["Line"]] = relationship(back_populates="cart")
    prices = association_proxy("lines", "price")

    @property
    def total(self):
        return sum(line.price for line in self.lines)

    @hybrid_property
    def size(self):
        return len(self.lines)

    def __len__(self):
        return len(self.lines)

    def __str__(self):
        return f"cart of {len(self.lines)}"


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))
    cart: Mapped[Cart] = relationship(back_populates="lines")


def show(session: Session):
    for cart in session.scalars(select(Cart).order_by(Cart.id)):
        print(cart.total, cart.size, len(cart), str(cart), list(cart.prices))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
session.add_all([Cart(id=1, lines=[Line(price=3), Line(price=4)]), Cart(id=2)])
session.commit()
show(session)
