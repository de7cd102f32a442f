# rules: lazy-raise, eager-load
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///a.db")


class Base(DeclarativeBase):
    pass


class Cart(Base):
    __tablename__ = "carts"
    id: Mapped[int] = mapped_column(primary_key=True)
    lines: Mapped[list["Line"]] = relationship(cascade="all, delete-orphan", back_populates="cart")


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))
    cart: Mapped[Cart] = relationship(back_populates="lines")
    notes: Mapped[list["Note"]] = relationship(cascade="all, delete")


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("lines.id"))


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([Cart(lines=[Line(n=1, notes=[Note(), Note()]), Line(n=2)]), Cart(lines=[Line(n=3)])])
        db.commit()
    with Session(engine) as db:
        cart = db.get(Cart, 1)
        db.delete(cart.lines[0])
        db.commit()
        print([line.n for line in cart.lines], db.scalar(select(func.count(Note.id))))
        cart.lines = [Line(n=9)]
        db.commit()
        print(db.scalars(select(Line.n).order_by(Line.n)).all())
        db.delete(db.get(Cart, 2))
        db.commit()
        for cart in db.scalars(select(Cart)):
            for line in cart.lines:
                print(line.n, line.cart is cart, len(line.notes))


main()
