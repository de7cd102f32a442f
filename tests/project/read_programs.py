"""Programs with relationships, and the loads to which their reads are traced."""

from __future__ import annotations

from textwrap import dedent

from programs import program

MODELS = """
    from sqlalchemy import Column, ForeignKey, Integer
    from sqlalchemy.orm import declarative_base, relationship
    Base = declarative_base()
    class Node(Base):
        __tablename__ = "nodes"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("nodes.id"))
        owner_id = Column(ForeignKey("users.id"))
        children = relationship("Node", uselist=True)
        owner = relationship("User", back_populates="nodes")
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        nodes = relationship("Node", back_populates="owner")
        LINES
"""
LOADED = """
    from sqlalchemy import event, select
    from sqlalchemy.orm import Session
    from models import Node, User
    def users(session: Session) -> list[User]:
        return list(session.scalars(select(User)))
    def first(session: Session) -> User:
        return session.scalars(select(User)).one()
"""
PROPERTY = """
    @property
    def roots(self):
        return [one for one in self.nodes]
"""
LOAD = ["select(User) nodes"]


def reads(code, *, members="", published=False):
    """Return the loads, and what is unknown, of each read by its text."""
    in_class = dedent(members).strip().replace("\n", "\n        ")
    models = MODELS.replace("LINES", in_class or "pass")
    text = dedent(LOADED) + dedent(code)
    project = program({"models.py": models, "main.py": text}, published=published)

    def text_at(place):
        span = place.span
        return project.snapshot[place.path].text[span.start : span.end].decode()

    found = {}
    for one in project.orm.reads.all():
        loads, unknown = found.setdefault(text_at(one.place), ([], []))
        for trace in one.traces:
            way = ".".join(step.rpartition(".")[2] for step in trace.path)
            load = text_at(trace.load.place)
            loads.append(f"{load} {way}")
        unknown += [each.why for each in one.unknown]
        assert one.owner or unknown, text_at(one.place)
    return found


def read(text, code, **options):
    return reads(code, **options)[text]
