"""What a query asks for, and of which classes."""

from __future__ import annotations

import ast

import pytest
from programs import MODELS, last, module_of, program

from awaken.project.frameworks.loads.entities import classify_all
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.frameworks.loads.query_items import Item

HEAD = """
from sqlalchemy import func
from models import Base, Column, Integer, User
class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
"""


def item_of(expression: str) -> Item:
    project = program({"models.py": MODELS, "m.py": f"{HEAD}\nuse({expression})"})
    module = module_of(project, "m.py")
    call = last(module, f"use({expression})")
    assert isinstance(call, ast.Call)
    (item,) = classify_all(ModuleReader(project, module), call.args)
    return item


@pytest.mark.parametrize(
    ("expression", "mixed"),
    [
        ("func.f(User.id, Post.id)", True),
        ("func.f(User.id, func.f(func.f(User.id)))", False),
        ("func.f(User.id, func.f(func.f(func.f(func.f(func.f(Post.id))))))", True),
        ("func.f(User.id, func.f(func.f(func.f(func.f(func.f(1))))))", False),
        ("func.f(User.id, func.f(func.f(func.f(func.f(1)))))", False),
        ("User.id + User.id + User.id", False),
        ("User.id + Post.id + User.id + User.id + User.id + User.id", True),
        ("1 + 1 + User.id", False),
    ],
)
def test_an_expression_may_have_columns_of_several_classes(expression, mixed):
    item = item_of(expression)

    assert (item.owner, item.mixed) == ("User", mixed)
