"""Bases that a call makes: what awaken says of their fields, and what Python does."""

from __future__ import annotations

import ast

import pytest

from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

HEAD = """\
from collections import namedtuple
from collections.abc import Sequence
from dataclasses import make_dataclass
from typing import NamedTuple, TypedDict


def make(*fields):
    return NamedTuple("Made", [*fields])


"""
BASES = {
    'NamedTuple("Base", [("name", str), ("tags", Sequence[str])])': {"name", "tags"},
    'namedtuple("Base", field_names="name")': {"name"},
    # Python takes each keyword for a field.
    'NamedTuple("Base", fields=[("name", str)])': None,
    'namedtuple("Base", "name, tags size")': {"name", "tags", "size"},
    'namedtuple("Base", ["name", "tags"], defaults=[1])': {"name", "tags"},
    'make_dataclass("Base", ["name", ("size", int), ("tags", str, "x")])': {"name", "size", "tags"},
    'TypedDict("Base", {"name": str})': set(),
    'namedtuple("Base", "name class", rename=True)': None,
    'make_dataclass("Base", ["name"], bases=(Own,))': None,
    'make(("name", str))': None,
}


OPEN = {(None,), ("m.Base",)}


def project_of(text: str) -> Project:
    return Project(Snapshot({"m.py": decode("m.py", text.encode())}), Targets())


@pytest.mark.parametrize("form", ["direct", "variable"])
@pytest.mark.parametrize("base", BASES)
def test_the_fields_of_a_base_that_a_call_makes_are_those_that_python_gives_it(base, form):
    own = f"Base = {base}\n\n\nclass Made(Base): ...\n"
    text = f"{HEAD}class Own: ...\n\n\n" + (
        own if form == "variable" else f"class Made({base}): ...\n"
    )
    space: dict[str, type] = {}
    exec(text, space)
    project, made = project_of(text), space["Made"]
    fields = BASES[base]

    facts = project.class_facts("m.Made")

    assert facts is not None
    attributes = {name for each in project.class_line("m.Made") for name in each.attributes}
    assert attributes == (fields or set())
    assert (not project.class_facts(facts.bases[0] or "") and facts.bases in OPEN) == (
        fields is None
    )
    real = getattr(made, "_fields", getattr(made, "__dataclass_fields__", ()))
    assert fields is None or fields == set(real)


def test_a_field_has_the_value_of_its_annotation_and_other_names_have_none():
    project = project_of(
        f"{HEAD}class Made(NamedTuple('Base', [('tags', Sequence[str])])):\n"
        "    def show(self):\n        return self.tags, self.other\n\n\n"
        "class Bare(namedtuple('Base', 'tags')):\n"
        "    def show(self):\n        return self.tags\n"
    )
    module = project.module("m.py")
    assert module is not None

    known = [project.values.of(module, node).instance_of for node in module.nodes(ast.Attribute)]

    assert known == [("collections.abc.Sequence",), (), ()]
