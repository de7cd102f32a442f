from sqlalchemy import Column, ForeignKey, Integer, create_engine
from sqlalchemy.orm import Session, aliased, backref, contains_eager, declarative_base, relationship

Base = declarative_base()


class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    parent_id = Column(ForeignKey("nodes.id"))
    children = relationship("Node", backref=backref("parent", remote_side=[id]))


def show(session: Session):
    session.add(Node(id=1, children=[Node(id=2, children=[Node(id=3)]), Node(id=4)]))
    session.commit()
    child = aliased(Node)
    print([n.id for n in session.query(Node).join(child, Node.children).order_by(Node.id)])
    print([n.id for n in session.query(Node).join(child, Node.children).order_by(Node.id).limit(2)])
    print([n.id for n in session.query(Node).join(Node.parent.of_type(child)).filter(child.id == 1)])
    found = session.query(Node).outerjoin(child, Node.children).options(contains_eager(Node.children, alias=child) if False else contains_eager(Node.children.of_type(child))).populate_existing().order_by(Node.id).all()
    print([(n.id, len(n.children)) for n in found])
    print([(a.id, b.id) for a, b in session.query(Node, child).filter(child.parent_id == Node.id).order_by(child.id)])


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
show(Session(engine))
