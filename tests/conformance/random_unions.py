"""Random programs of set operations, and of ``get()`` with settings, made from a seed."""

from __future__ import annotations

import random

from random_queries import COLUMNS, ENDS, HEAD, RELATIONSHIPS, Query

OPERATIONS = ["union", "union", "union_all", "union_all", "intersect", "except_"]
OPERANDS = ["filter", "filter", "filter_by", "join", "in_query", "other_from", "distinct"]
BEFORE = ["filter", "filter_by", "join", "distinct", "no_order", "relationship"]
AFTER = [
    "filter",
    "filter",
    "filter_by",
    "filter_by",
    "order_by",
    "order_by",
    "join",
    "outerjoin",
    "options",
    "limit",
    "offset",
    "slice",
    "distinct",
    "no_order",
    "in_query",
    "relationship",
    "columns",
    "settings",
    "populate_existing",
    "reset_joinpoint",
    "group_by",
    "operation",
    "with_entities",
    "add_columns",
    "exists_query",
]
GET_SETTINGS = [
    "options",
    "options",
    "populate_existing",
    "settings",
    "settings",
    "yield_per",
    "order_by",
    "distinct",
    "reset_joinpoint",
    "filter",
    "limit",
]


class Union(Query):
    """One function with one set operation.

    A subquery of it is left alone, and gives its columns names that differ from run to run.
    """

    ends = tuple(end for end in ENDS if end not in {"subquery", "cte"})

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        for _ in range(rng.randint(0, 2)):
            self.add(rng.choice(BEFORE))
        self.text += self._operation("", "")
        self.reachable, self.joined = [self.base], {self.base}

    def _items(self) -> str:
        column = self.rng.choice(COLUMNS[self.base])
        self.asked = self.rng.choice(
            [
                *[self.base] * 6,
                f"{self.base}.id",
                f"{self.base}.id, {self.base}.{column}",
                f"func.lower({self.base}.{column}).label('n')",
            ]
        )
        return self.asked

    def _operation(self, _entity: str, _name: str) -> str:
        operand = Query(self.rng)
        operand.base = operand.entity = self.base
        operand.reachable, operand.joined, operand.lines = [self.base], {self.base}, []
        operand.text = f"s.query({self.asked})"
        for _ in range(self.rng.randint(0, 2)):
            operand.add(self.rng.choice(OPERANDS))
        return f".{self.rng.choice(OPERATIONS)}({operand.text})"

    def _columns(self, _entity: str, _name: str) -> str:
        column = f"{self.base}.{self.rng.choice(COLUMNS[self.base])}"
        count = f"func.count({self.base}.id).label('n')"
        return f".with_entities({self.rng.choice([column, count, f'{column}, {count}'])})"

    def _options(self, _entity: str, _name: str) -> str:
        first = super()._options(_entity, _name)
        if not first or self.rng.random() < 0.5:
            return first
        how, to = self.rng.choice(RELATIONSHIPS[self.base])
        more = [name for name, _ in RELATIONSHIPS[to]]
        deeper = f".joinedload({to}.{self.rng.choice(more)})" if more else ""
        return f".options(selectinload({self.base}.{how}){deeper})"


class Get(Query):
    """One function that gets an object, some of which are loaded and changed before."""

    def _items(self) -> str:
        return self.base

    def body(self) -> list[str]:
        """Return the lines of the function."""
        loaded = self.rng.choice([1, 2, 9])
        column = self.rng.choice(COLUMNS[self.base])
        return [
            f"kept = s.get({self.base}, {loaded})",
            "if kept is not None:",
            f"    kept.{column} = kept.{column}",
            f"found = {self.text}.get({self.rng.choice(['1', '2', '77', 'None', '(1,)'])})",
            "return found, found is kept",
        ]


def unions(seed: int, count: int) -> str:
    """Return a program with ``count`` functions ``case_<n>(s)``, each with one set operation."""
    return _program(seed, count, "union", Union, AFTER)


def gets(seed: int, count: int) -> str:
    """Return a program with ``count`` functions ``case_<n>(s)``, each with one ``get()``."""
    return _program(seed, count, "get", Get, GET_SETTINGS)


def _program(seed: int, count: int, kind: str, make: type[Query], builders: list[str]) -> str:
    functions = []
    for number in range(count):
        query = make(random.Random(f"{kind} {seed}/{number}"))
        for _ in range(query.rng.randint(0, 3)):
            query.add(query.rng.choice(builders))
        lines = "\n    ".join(query.body())
        functions.append(f"\n\ndef case_{number}(s: Session):\n    {lines}\n")
    return HEAD + "".join(functions)
