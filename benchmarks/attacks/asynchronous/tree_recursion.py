from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///a.db")


class Base(DeclarativeBase):
    pass


class Node(Base):
    __tablename__ = "nodes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))
    children: Mapped[list["Node"]] = relationship(back_populates="parent", order_by="Node.id")
    parent: Mapped["Node | None"] = relationship(back_populates="children", remote_side=[id])


def show(node: Node, depth: int = 0) -> list[str]:
    lines = ["-" * depth + node.name]
    for child in node.children:
        lines += show(child, depth + 1)
    return lines


def path(node: Node) -> str:
    return f"{path(node.parent)}/{node.name}" if node.parent else node.name


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        root = Node(name="r", children=[Node(name="a", children=[Node(name="b")]), Node(name="c")])
        db.add(root)
        db.commit()
    with Session(engine) as db:
        root = db.scalars(select(Node).where(Node.parent_id.is_(None))).one()
        print(show(root))
        leaf = db.scalars(select(Node).where(Node.name == "b")).one()
        print(path(leaf))
        leaf.parent.children.append(Node(name="new"))
        db.commit()
        print(show(root), path(root.children[0].children[-1]))


if __name__ == "__main__":
    main()
