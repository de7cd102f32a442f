"""A parameter of a type variable, or of a base, is what callers pass."""

from __future__ import annotations

import pytest
from programs import last, module_of, program

NEW = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n"
OLD = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
CLASSES = """\
from typing import Generic, TypeVar
from sqlalchemy.orm import Mapped, mapped_column
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
VARIABLE = 'M = TypeVar("M"{})\n'
SAVE = "def save(item: {0}) -> {0}:\n    return item\ndef f():\n    save(User())\n    save(Tag())\n"
MAKE = """\
class Making(Generic[M]):
    model: type[M]
    def __init__(self, model: type[M]):
        self.model = model
    def make(self) -> M:
        item = self.model()
        return item
class Users(Making[User]):
    pass
def f():
    Users(User).make()
    Making(Tag).make()
"""


def classes(text: str, base: str, name: str = "item") -> set[str]:
    """Return the classes that the last ``name`` may be of."""
    project = program({"m.py": base + CLASSES + text}, published=False)
    module = module_of(project, "m.py")
    values = project.values.of(module, last(module, name))
    return {each.rpartition(".")[2] for each in values.instance_of}


@pytest.mark.parametrize("base", [NEW, OLD])
@pytest.mark.parametrize("bound", [", bound=Base", ""])
def test_a_type_variable_is_what_callers_pass(base, bound):
    variable = VARIABLE.format(bound)

    assert classes(variable + SAVE.format("M"), base) == {"User", "Tag"}
    assert classes(variable + SAVE.format("M"), base, "save(Tag())") == {"Tag"}
    assert classes(variable + MAKE, base) == {"User", "Tag"}
    assert classes(variable + MAKE, base, "Users(User).make()") == {"User"}


@pytest.mark.parametrize("base", [NEW, OLD])
def test_a_base_is_what_callers_pass(base):
    assert classes(SAVE.format("Base"), base) == {"User", "Tag"}
    assert classes(SAVE.format("Base"), base, "save(User())") == {"User"}


@pytest.mark.parametrize("base", [NEW, OLD])
def test_objects_of_too_many_classes_are_of_their_base(base):
    more = [f"Tag{number}" for number in range(9)]
    made = "".join(f"class {name}(Tag):\n    pass\n" for name in more)
    calls = "".join(f"    save({name}())\n" for name in more)

    assert classes(made + SAVE.format("Base") + calls, base) == {"Base"}


def test_a_mapped_class_is_what_is_declared():
    assert classes(SAVE.format("User"), NEW) == {"User"}
