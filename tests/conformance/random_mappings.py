"""Random mappings, and functions that load objects and read their relationships, from a seed.

The objects of one function have one load in each run, and no function reads a relationship that it
has read before: so a read that is executed fires, unless an option has loaded it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["one", "many"]
FIRST = {"Ash": 1, "Birch": 1, "Cedar": 1, "Dogwood": 11, "Elm": 21}
"""The classes, each with the key of its first row: a table may be shared by several of them."""
_DEEPEST = 3
_FUNCTIONS = 12

_MODELS = """\
from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlalchemy.orm import backref, declarative_base, relationship

Base = declarative_base()

"""
_MAIN = """\
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models import {classes}


def take(*values):
    return len(values)


"""


class Side(NamedTuple):
    """A relationship: the class that declares it, its name and what it leads to."""

    owner: str
    name: str
    target: str
    kind: Kind


@dataclass
class Entity:
    """A mapped class; a subclass names what it inherits from, and has no table if ``is_single``."""

    name: str
    parent: Entity | None = None
    is_single: bool = False
    lines: list[str] = field(default_factory=list)
    sides: list[Side] = field(default_factory=list)
    properties: list[tuple[str, Side]] = field(default_factory=list)

    @property
    def table(self) -> str:
        """The table of the class itself, or of the one whose table it shares."""
        return self.parent.table if self.parent and self.is_single else f"{self.name.lower()}s"

    def all_sides(self) -> list[Side]:
        """Return the relationships of the class and of those it inherits from."""
        return [*self.sides, *(self.parent.all_sides() if self.parent else [])]

    def all_properties(self) -> list[tuple[str, Side]]:
        """Return the properties, each with the relationship that it reads."""
        return [*self.properties, *(self.parent.all_properties() if self.parent else [])]

    def source(self) -> str:
        """Return the text of the class."""
        head = f"class {self.name}({self.parent.name if self.parent else 'Base'}):\n"
        return head + "".join(f"    {line}\n" for line in self.lines) + "\n\n"


class Program(NamedTuple):
    """The two files of a program."""

    models: str
    main: str


class _Mapping:
    """The classes of one program."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.tables: list[str] = []
        self.entities = [Entity(name) for name in list(FIRST)[:3]]
        for one in self.entities:
            one.lines += [
                f'__tablename__ = "{one.table}"',
                "id = Column(Integer, primary_key=True)",
                'kind = Column(String(20), default="")',
                "n = Column(String(20))",
            ]
        for name, is_single in (("Dogwood", False), ("Elm", True)):
            self._inherit(name, is_single=is_single)
        for number in range(rng.randint(3, 5)):
            rng.choice([self._pair, self._pair, self._many_to_many, self._own])(number)
        for number, one in enumerate(self._with_sides()):
            if rng.random() < 0.7:
                self._property(one, number)

    def _with_sides(self) -> list[Entity]:
        return [one for one in self.entities if one.sides]

    def _inherit(self, name: str, *, is_single: bool) -> None:
        parent = self._rng.choice(self.entities[:3])
        if not any("polymorphic_on" in line for line in parent.lines):
            on = f'"polymorphic_on": kind, "polymorphic_identity": "{parent.name}"'
            parent.lines.append(f"__mapper_args__ = {{{on}}}")
        one = Entity(name, parent, is_single)
        if not is_single:
            key = f'ForeignKey("{parent.table}.id"), primary_key=True'
            one.lines += [f'__tablename__ = "{one.table}"', f"id = Column({key})"]
        one.lines.append(f'__mapper_args__ = {{"polymorphic_identity": "{name}"}}')
        self.entities.append(one)

    def _declare(self, owner: Entity, side: Side, arguments: str) -> None:
        owner.lines.append(f'{side.name} = relationship("{side.target}", {arguments})')
        owner.sides.append(side)

    def _pair(self, number: int) -> None:
        """Relate two classes, from both sides or one, with a name that may be in others too."""
        many, one = self._rng.sample(self.entities, 2)
        while (many.parent or many) is (one.parent or one):  # that would relate a class to itself
            many, one = self._rng.sample(self.entities, 2)
        key = f"key_{number}"
        many.lines.append(f'{key} = Column(ForeignKey("{one.table}.id"))')
        to_one = Side(many.name, self._free("above", many, number), one.name, "one")
        to_many = Side(one.name, self._free("below", one, number), many.name, "many")
        at = f"foreign_keys={key}"
        match self._rng.choice(["populates", "backref", "text", "one", "many"]):
            case "populates":
                self._declare(many, to_one, f'{at}, back_populates="{to_many.name}"')
                there = f'foreign_keys="{many.name}.{key}", back_populates="{to_one.name}"'
                self._declare(one, to_many, there)
            case "backref":
                self._declare(many, to_one, f'{at}, backref=backref("{to_many.name}")')
                one.sides.append(to_many)
            case "text":
                self._declare(many, to_one, f'{at}, backref="{to_many.name}"')
                one.sides.append(to_many)
            case "one":
                self._declare(many, to_one, at)
            case _:
                self._declare(one, to_many, f'foreign_keys="{many.name}.{key}"')

    def _many_to_many(self, number: int) -> None:
        left, right = self._rng.sample(self.entities[:3], 2)
        columns = [
            f'    Column("{side}_id", ForeignKey("{one.table}.id"), primary_key=True),\n'
            for side, one in (("left", left), ("right", right))
        ]
        name = f"pairs_{number}"
        self.tables.append(
            f'{name} = Table(\n    "{name}",\n    Base.metadata,\n{"".join(columns)})\n\n\n'
        )
        there = Side(left.name, self._free("beside", left, number), right.name, "many")
        back = Side(right.name, self._free("around", right, number), left.name, "many")
        self._declare(left, there, f'secondary={name}, back_populates="{back.name}"')
        self._declare(right, back, f'secondary={name}, back_populates="{there.name}"')

    def _own(self, number: int) -> None:
        """Relate a class to itself."""
        one = self._rng.choice(self.entities[:3])
        key = f"key_{number}"
        one.lines.append(f'{key} = Column(ForeignKey("{one.table}.id"))')
        root = Side(one.name, self._free("root", one, number), one.name, "one")
        leaves = Side(one.name, self._free("leaves", one, number), one.name, "many")
        at = f"foreign_keys={key}"
        own = f'{at}, remote_side="{one.name}.id", back_populates="{leaves.name}"'
        self._declare(one, root, own)
        self._declare(one, leaves, f'{at}, back_populates="{root.name}"')

    def _free(self, name: str, one: Entity, number: int) -> str:
        """Return the name, so that classes share it, unless the class or a relative has it."""
        top = one.parent or one
        relatives = [each for each in self.entities if top in (each, each.parent)]
        taken = {side.name for each in relatives for side in each.sides}
        return f"{name}_{number}" if name in taken else name

    def _property(self, one: Entity, number: int) -> None:
        side = self._rng.choice(one.sides)
        name = f"shown_{number}"
        shown = f"self.{side.name}"
        text = f"[each.n for each in {shown}]" if side.kind == "many" else shown
        one.lines += ["@property", f"def {name}(self):", f"    return {text}"]
        one.properties.append((name, side))

    def source(self) -> str:
        """Return the text of the module of models."""
        return _MODELS + "".join([*self.tables, *(one.source() for one in self.entities)])


class _Functions:
    """The functions of one program: ``case_<n>``, which are called, and what they call."""

    def __init__(self, rng: random.Random, mapping: _Mapping) -> None:
        self._rng = rng
        self._entities = {one.name: one for one in mapping.entities}
        self._helpers: list[str] = []
        self._read: set[Side] = set()

    def source(self) -> str:
        """Return the text of the module."""
        bodies = [self._case(number) for number in range(_FUNCTIONS)]
        head = _MAIN.format(classes=", ".join(self._entities))
        return head + "\n\n".join([*self._helpers, *bodies])

    def _case(self, number: int) -> str:
        self._read = set()
        one = self._rng.choice(list(self._entities.values()))
        lines, is_many = self._load(one)
        if is_many:
            lines += ["for row in found:", *self._indented(self._reads("row", one, 1))]
        else:
            lines += self._reads("found", one, 1)
        body = "".join(f"    {line}\n" for line in lines)
        return f"def case_{number}(session: Session, flag: bool):\n{body}"

    def _indented(self, lines: list[str]) -> list[str]:
        return [f"    {line}" for line in lines]

    def _load(self, one: Entity) -> tuple[list[str], bool]:
        """Return lines that load or make objects as ``found``, and whether these are several."""
        is_many = self._rng.random() < 0.6
        texts = self._many(one) if is_many else self._single(one)
        first, second = self._rng.sample(texts, 2)
        match self._rng.choice(["plain", "plain", "branch", "helper", "new"]):
            case "plain":
                return [f"found = {first}"], is_many
            case "branch":
                branches = ["if flag:", f"    found = {first}", "else:", f"    found = {second}"]
                return branches, is_many
            case "helper":
                name = f"load_{len(self._helpers)}"
                text = f"def {name}(session: Session):\n    return {first}\n"
                self._helpers.append(text)
                return [f"found = {name}(session)"], is_many
            case _:
                made = [f'found = {one.name}(n="new")', "session.add(found)", "session.flush()"]
                return made, False

    def _options(self, one: Entity) -> str:
        """Return an option that loads a relationship, or none."""
        sides = one.all_sides()
        if not sides or self._rng.random() < 0.7:
            return ""
        side = self._rng.choice(sides)
        loader = "selectinload" if side.kind == "many" else "joinedload"
        return f".options({loader}({one.name}.{side.name}))"

    def _many(self, one: Entity) -> list[str]:
        name, options = one.name, self._options(one)
        return [
            f"session.query({name}){options}.all()",
            f"session.query({name}).filter({name}.n != 'x').order_by({name}.id).all()",
            f"session.scalars(select({name}){options}).all()",
            f"session.execute(select({name}).where({name}.n != 'x')).scalars().all()",
            f"list(session.query({name}))",
        ]

    def _single(self, one: Entity) -> list[str]:
        name, options = one.name, self._options(one)
        return [
            f"session.get({name}, {FIRST[name]})",
            f"session.query({name}){options}.order_by({name}.id).first()",
            f"session.query({name}).filter({name}.n == '{name}-1').one()",
            f"session.scalars(select({name}).order_by({name}.id)).first()",
            f"session.execute(select({name}).limit(1)).scalar_one()",
        ]

    def _reads(self, item: str, one: Entity, depth: int) -> list[str]:
        """Return lines that read relationships of the object that ``item`` names."""
        sides = [side for side in one.all_sides() if side not in self._read]
        lines = [f"take({item}.n)"]
        for side in self._rng.sample(sides, min(len(sides), self._rng.randint(1, 2))):
            if side not in self._read:
                lines += self._of(side, item, one, depth)
        return lines

    def _of(self, side: Side, item: str, one: Entity, depth: int) -> list[str]:
        """Return lines that read one relationship."""
        self._read.add(side)
        text = f"{item}.{side.name}"
        properties = [name for name, read in one.all_properties() if read == side]
        match self._rng.choice(["loop", "loop", "value", "getattr", "helper", "property"]):
            case "property" if properties:
                return [f"take({item}.{properties[0]})"]
            case "getattr":
                return [f'take(getattr({item}, "{side.name}"))']
            case "helper":
                return self._helper(side, item, one)
            case "loop" if depth < _DEEPEST:
                return self._loop(side, text, depth)
            case _ if side.kind == "many":
                return [f"take([each.n for each in {text}])"]
            case _:
                return [f"take({text})"]

    def _loop(self, side: Side, text: str, depth: int) -> list[str]:
        """Return lines that go on with what a relationship gives."""
        target, inner = self._entities[side.target], f"inner_{depth}"
        reads = self._reads(inner, target, depth + 1)
        if side.kind == "many":
            return [f"for {inner} in {text}:", *self._indented(reads)]
        return [f"{inner} = {text}", f"if {inner} is not None:", *self._indented(reads)]

    def _helper(self, side: Side, item: str, one: Entity) -> list[str]:
        name = f"show_{len(self._helpers)}"
        annotation = self._rng.choice([f": {one.name}", ""])
        value = f"item.{side.name}"
        text = f"def {name}(item{annotation}):\n    return take({value})\n"
        self._helpers.append(text)
        return [f"{name}({item})"]


def program(seed: int) -> Program:
    """Return the program of a seed."""
    rng = random.Random(seed)
    mapping = _Mapping(rng)
    main = _Functions(rng, mapping).source()
    return Program(mapping.source(), main)
