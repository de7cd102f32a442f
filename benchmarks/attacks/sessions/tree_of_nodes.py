from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from database import SessionLocal, engine


class Base(DeclarativeBase):
    pass


class Node(Base):
    __tablename__ = "nodes"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))
    children: Mapped[list["Node"]] = relationship(back_populates="parent", order_by="Node.id")
    parent: Mapped["Node | None"] = relationship(back_populates="children", remote_side=[id])


def as_dict(node):
    return {node.id: [as_dict(child) for child in node.children]}


def path(node):
    names = []
    while node is not None:
        names.append(node.id)
        node = node.parent
    return names


def main():
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add(Node(id=1, children=[Node(id=2, children=[Node(id=4)]), Node(id=3)]))
        db.commit()
    with SessionLocal() as db:
        print(as_dict(db.get(Node, 1)), path(db.get(Node, 4)))


if __name__ == "__main__":
    main()
