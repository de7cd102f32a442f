"""Random programs of legacy queries, made from a seed: what the fixtures' models can be asked.

Every expression has a label, because the keys of rows without one are known to differ.
"""

from __future__ import annotations

import random

RELATIONSHIPS = {
    "User": [("posts", "Post"), ("manager", "User")],
    "Post": [("author", "User"), ("tags", "Tag")],
    "Tag": [("posts", "Post")],
    "Cart": [("items", "CartItem")],
    "CartItem": [("cart", "Cart")],
    "Profile": [("user", "User")],
    "Employee": [],
    "Engineer": [],
}
COLLECTIONS = {"posts", "tags", "items"}
COLUMNS = {
    "User": ["age", "name", "email"],
    "Post": ["score", "title", "body"],
    "Tag": ["name"],
    "Cart": ["label"],
    "CartItem": ["sku"],
    "Profile": ["bio"],
    "Employee": ["name"],
    "Engineer": ["name", "language"],
}
VALUES = {
    "id": [1, 2, 3],
    "age": [25, 30],
    "name": ["ann", "py", "e2"],
    "email": ["ann@x", None],
    "score": [3, 5],
    "title": ["p1", "p3"],
    "body": ["b1", None],
    "label": ["c1"],
    "sku": ["k1", "k3"],
    "bio": ["x"],
    "language": ["py"],
}
HEAD = """from models import Cart, CartItem, Employee, Engineer, Post, Profile, Tag, User
from sqlalchemy import func, or_
from sqlalchemy.orm import Session, aliased, joinedload, lazyload, selectinload, subqueryload
"""
CRITERIA = [
    "{0} == {1}",
    "{0}.in_([{1}])",
    "or_({0} == {1}, {2}.id > 1)",
    "~({0} == {1})",
    "func.lower({0}) == {1}",
]
BUILDERS = [
    "filter",
    "filter",
    "filter_by",
    "filter_by",
    "filter_by",
    "join",
    "join",
    "outerjoin",
    "order_by",
    "no_order",
    "limit",
    "offset",
    "slice",
    "distinct",
    "options",
    "options",
    "with_entities",
    "add_columns",
    "reset_joinpoint",
    "populate_existing",
    "false_order",
    "select_from",
    "in_query",
    "exists_query",
    "other_from",
    "relationship",
    "with_parent",
    "settings",
    "group_by",
    "yield_per",
    "assertions",
]
ENDS = [
    "all",
    "all",
    "first",
    "first",
    "one",
    "one_or_none",
    "scalar",
    "scalar",
    "count",
    "count",
    "list",
    "loop",
    "exists",
    "label",
    "subquery",
    "cte",
    "in_",
    "unpack",
    "dict",
    "get",
    "value",
    "index",
    "part",
    "statement",
]


class Query:
    """One function with one query; ``text`` grows builder by builder."""

    ends = tuple(ENDS)

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.base = rng.choice(["User", "User", "Post", *RELATIONSHIPS])
        self.entity = self.base
        self.lines: list[str] = []
        self.text = f"s.query({self._items()})"
        self.reachable = [self.entity]
        self.joined = {self.base}

    def _items(self) -> str:
        rng, base = self.rng, self.base
        column = rng.choice(COLUMNS[base])
        form = rng.choice(["entity"] * 5 + ["alias", "columns", "column", "both", "count", "two"])
        if form == "alias":
            self.entity = "other"
            self.lines.append(f"other = aliased({base})")
        return {
            "entity": base,
            "alias": "other",
            "columns": f"{base}.id.label('i'), {base}.{column}",
            "column": f"{base}.{column}",
            "both": f"{base}, {base}.{column}",
            "count": rng.choice([f"func.count({base}.id).label('n')", "func.count().label('n')"]),
            "two": f"{base}, {rng.choice([name for name in RELATIONSHIPS if name != base])}",
        }[form]

    def _class(self, entity: str) -> str:
        return self.base if entity == "other" else entity

    def _value(self, column: str) -> str:
        return repr(self.rng.choice(VALUES[column]))

    def add(self, builder: str) -> None:
        """Call one more builder on the query."""
        entity = self.rng.choice(self.reachable)
        self.text += getattr(self, f"_{builder}")(entity, self._class(entity))

    def _filter(self, entity: str, name: str) -> str:
        column = self.rng.choice(COLUMNS[name])
        form = self.rng.choice(CRITERIA)
        return f".filter({form.format(f'{entity}.{column}', self._value(column), entity)})"

    def _filter_by(self, _entity: str, name: str) -> str:
        of = self.rng.choice([name, self._class(self.reachable[-1]), self.base])
        column = self.rng.choice(["id", *COLUMNS[of]])
        return f".filter_by({column}={self._value(column)})"

    def _join(self, entity: str, name: str) -> str:
        found = [(how, to) for how, to in RELATIONSHIPS[name] if to not in self.joined]
        if not found:
            return ""
        how, to = self.rng.choice(found)
        self.joined.add(to)
        self.reachable.append(to)
        form = self.rng.choice([f"{entity}.{how}", f"{to}, {entity}.{how}", to])
        return f".join({form})"

    def _outerjoin(self, entity: str, name: str) -> str:
        return self._join(entity, name).replace(".join(", ".outerjoin(")

    def _order_by(self, _entity: str, _name: str) -> str:
        column = self.rng.choice(COLUMNS[self.base])
        return f".order_by({self.entity}.{column}, {self.entity}.id)"

    def _no_order(self, _entity: str, _name: str) -> str:
        return ".order_by(None)"

    def _false_order(self, _entity: str, _name: str) -> str:
        return ".order_by(False)"

    def _limit(self, _entity: str, _name: str) -> str:
        return f".limit({self.rng.choice([0, 1, 2, 3])})"

    def _offset(self, _entity: str, _name: str) -> str:
        return f".offset({self.rng.choice([0, 1])})"

    def _slice(self, _entity: str, _name: str) -> str:
        return ".slice(0, 2)"

    def _distinct(self, _entity: str, _name: str) -> str:
        return ".distinct()"

    def _options(self, _entity: str, _name: str) -> str:
        if not RELATIONSHIPS[self.base]:
            return ""
        how, _ = self.rng.choice(RELATIONSHIPS[self.base])
        load = self.rng.choice(["joinedload", "selectinload", "lazyload", "subqueryload"])
        return f".options({load}({self.entity}.{how}))"

    def _with_entities(self, _entity: str, _name: str) -> str:
        column = f"{self.entity}.{self.rng.choice(COLUMNS[self.base])}"
        count = f"func.count({self.entity}.id).label('n')"
        return f".with_entities({self.rng.choice([self.entity, column, count])})"

    def _add_columns(self, entity: str, _name: str) -> str:
        label = f"{entity}.id.label('x{len(self.text)}')"
        return f".add_columns({self.rng.choice([label, entity])})"

    def _reset_joinpoint(self, _entity: str, _name: str) -> str:
        return ".reset_joinpoint()"

    def _populate_existing(self, _entity: str, _name: str) -> str:
        return ".populate_existing()"

    def _select_from(self, entity: str, _name: str) -> str:
        return f".select_from({entity})"

    def _in_query(self, entity: str, _name: str) -> str:
        column = self.rng.choice(["Post.user_id", "User.id", "Tag.id"])
        inner = f"s.query({column}).filter({column.partition('.')[0]}.id < 4)"
        return f".filter({entity}.id.in_({inner}))"

    def _exists_query(self, entity: str, _name: str) -> str:
        name = self.rng.choice(["Post", "Tag", "Cart"])
        key = self.rng.choice(["1", "99", f"{entity}.id"])
        inner = f"s.query({name}).filter({name}.id == {key}).exists()"
        return f".filter({self.rng.choice(['', '~'])}{inner})"

    def _other_from(self, entity: str, _name: str) -> str:
        return f".filter({entity}.id == {self.rng.choice(['Post', 'User', 'Tag'])}.id)"

    def _relationship(self, entity: str, name: str) -> str:
        if not RELATIONSHIPS[name]:
            return ""
        how, to = self.rng.choice(RELATIONSHIPS[name])
        return f".filter({entity}.{how}.{'any' if how in COLLECTIONS else 'has'}({to}.id > 1))"

    def _with_parent(self, _entity: str, _name: str) -> str:
        return ".with_parent(s.get(User, 1), User.posts)" if self.base == "Post" else ""

    def _settings(self, _entity: str, _name: str) -> str:
        return self.rng.choice(
            [
                ".execution_options(a=1)",
                ".autoflush(False)",
                ".enable_eagerloads(False)",
                ".with_for_update()",
                ".only_return_tuples(True)",
            ]
        )

    def _group_by(self, entity: str, _name: str) -> str:
        return f".group_by({entity}.id)"

    def _yield_per(self, _entity: str, _name: str) -> str:
        return ".yield_per(2)" if self.rng.random() < 0.5 else ""

    def _assertions(self, _entity: str, _name: str) -> str:
        return ".enable_assertions(False)" if self.rng.random() < 0.3 else ""

    def body(self) -> list[str]:
        """Return the lines of the function: what comes before, and what ends the query."""
        query, end = self.text, self.rng.choice(self.ends)
        column = f"{self.entity}.{self.rng.choice(COLUMNS[self.base])}"
        ends = {
            "list": [f"return list({query})"],
            "loop": ["found = []", f"for x in {query}:", "    found.append(x)", "return found"],
            "exists": [f"return s.query({query}.exists().label('e')).scalar()"],
            "label": [f"return s.query(Tag.id, {query}.label('z')).all()"],
            "subquery": [f"q = {query}.subquery()", "return s.query(q).all()"],
            "cte": [f"q = {query}.cte('q')", "return s.query(q).all()"],
            "in_": [f"return s.query(Tag).filter(Tag.id.in_({query})).all()"],
            "unpack": [f"(a,) = {query}", "return a"],
            "dict": [f"return dict({query})"],
            "get": [f"return {query}.get(1)"],
            "index": [f"return {query}[{self.rng.choice([0, 1, 9])}]"],
            "part": [f"return {query}[{self.rng.choice(['1:3', ':2', '1:', ':', '0:4:2'])}]"],
            "value": [f"return {query}.value({column})"],
            "statement": [f"return s.execute({query}.statement).all()"],
        }
        return [*self.lines, *ends.get(end, [f"return {query}.{end}()"])]


def program(seed: int, count: int) -> str:
    """Return a program with ``count`` functions ``case_<n>(s)``, each with one random query."""
    functions = []
    for number in range(count):
        query = Query(random.Random(f"{seed}/{number}"))
        for _ in range(query.rng.randint(0, 6)):
            query.add(query.rng.choice(BUILDERS))
        lines = "\n    ".join(query.body())
        functions.append(f"\n\ndef case_{number}(s: Session):\n    {lines}\n")
    return HEAD + "".join(functions)
