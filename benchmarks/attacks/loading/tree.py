from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Node(Base):
    __tablename__ = "nodes"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))
    children: Mapped[list["Node"]] = relationship(back_populates="parent")
    parent: Mapped["Node | None"] = relationship(back_populates="children", remote_side=[id])


def depth(node):
    return 1 + max((depth(child) for child in node.children), default=0)


def path(node):
    return [node.id] if node.parent is None else [*path(node.parent), node.id]


def show(session: Session):
    for root in session.scalars(select(Node).where(Node.parent_id.is_(None))):
        print(depth(root))
    print([path(node) for node in session.scalars(select(Node).order_by(Node.id))])
    session.delete(session.get(Node, 5))
    session.flush()
    print(session.scalars(select(Node).order_by(Node.id.desc())).first().id)


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
session.add(Node(id=1, children=[Node(id=2, children=[Node(id=3, children=[Node(id=4, children=[Node(id=5)])])])]))
session.commit()
show(session)
