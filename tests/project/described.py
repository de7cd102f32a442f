"""Values as short texts, for tests that say what an expression is."""

from __future__ import annotations

from programs import last, module_of, program

from awaken.project.values.domain import (
    ClassOf,
    External,
    InstanceOf,
    NoneValue,
    Producer,
    TupleOf,
    Unknown,
    Value,
    Values,
)

MAPPED = """
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base, relationship, Mapped, DynamicMapped
from sqlalchemy.orm import WriteOnlyMapped
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name: Mapped[str]
    nick = Column(String(10))
    notes = relationship("Note", back_populates="user")
    drafts = relationship("Note", lazy="dynamic")
    kept: Mapped[list["Note"]] = relationship()
    flowing: DynamicMapped["Note"] = relationship()
    written: WriteOnlyMapped["Note"] = relationship()
    profile = relationship("Profile", uselist=False)
class Note(Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
    user = relationship("User", back_populates="notes")
    tags = relationship("Tag", secondary="note_tags", backref="notes")
class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
class Profile(Base):
    __tablename__ = "profiles"
    id = Column(Integer, primary_key=True)
"""


def described(values: Values) -> str:
    """Return a line that says what ``values`` are; ``?`` and the reason for what is unknown."""
    return " | ".join(map(_described, values))


def _described(value: Value) -> str:
    match value:
        case InstanceOf():
            inner = ", ".join(map(described, value.parameters))
            name = value.qualified.removeprefix("builtins.").removeprefix("models.")
            return f"{name}[{inner}]" if inner else name
        case TupleOf():
            return f"({', '.join(map(described, value.items))})"
        case Producer():
            return f"{value.how}<{described(value.inner)}>"
        case ClassOf():
            return f"class {value.qualified.removeprefix('models.')}"
        case External():
            return f"library {value.qualified}"
        case NoneValue():
            return "None"
        case Unknown():
            return f"?{value.why}"
        case _:
            return type(value).__name__


def values_of(text: str, expression: str = "x", files: dict[str, str] | None = None) -> Values:
    """Return what the last ``expression`` of the file ``text`` may be, beside ``models.py``."""
    project = program({"models.py": MAPPED, "m.py": text, **(files or {})})
    module = module_of(project, "m.py")
    return project._evaluator.values(module, last(module, expression))
