"""Random programs of bulk updates and deletes, with objects loaded before, made from a seed."""

from __future__ import annotations

import random

from random_queries import COLUMNS, HEAD, Query

BUILDERS = [
    "filter",
    "filter",
    "filter_by",
    "filter_by",
    "in_query",
    "exists_query",
    "other_from",
    "relationship",
    "with_parent",
    "no_effect",
    "raising",
    "params",
]
SYNC = [
    "",
    "False",
    "'evaluate'",
    "'fetch'",
    "synchronize_session=False",
    "synchronize_session=how",
]
RAISING = [".join(User)", ".limit(1)", ".distinct()", ".having(1 == 1)", ".order_by(None)"]


class Write(Query):
    """One function with one bulk write."""

    def _items(self) -> str:
        if self.rng.random() < 0.9:
            return self.base
        self.entity = "other"
        self.lines.append(f"other = aliased({self.base})")
        return "other"

    def _no_effect(self, _entity: str, _name: str) -> str:
        return self.rng.choice([".options(lazyload('*'))", ".enable_eagerloads(False)"])

    def _raising(self, _entity: str, _name: str) -> str:
        return self.rng.choice(RAISING) if self.rng.random() < 0.3 else ""

    def _params(self, entity: str, _name: str) -> str:
        if ".params(" in self.text:
            return ""
        return f".filter({entity}.id != bindparam('number')).params(number=1)"

    def _values(self) -> tuple[str, str]:
        column = self.rng.choice(COLUMNS[self.base])
        value = self._value(column)
        computed = f"func.coalesce({self.base}.{column}, {value})"
        return self.rng.choice(
            [
                (f"{{'{column}': {value}}}", ""),
                (f"{{{self.base}.{column}: {value}}}", ""),
                (f"values={{'{column}': {computed}}}", ""),
                (f"dict({column}={value})", ""),
                (f"[('{column}', {value})]", "update_args={'preserve_parameter_order': True}"),
            ]
        )

    def body(self) -> list[str]:
        """Return the lines of the function: objects are loaded, then written to."""
        sync = self.rng.choice(SYNC)
        values, update_args = self._values()
        named = sync and f"synchronize_session={sync.rpartition('=')[2]}"
        arguments = ", ".join(filter(None, (values, named, update_args)))
        call = self.rng.choice([f"delete({sync})", f"update({arguments})"])
        number = self.rng.choice(["", "number = "])
        return [
            *self.lines,
            "number, how = None, False",
            f"kept = [s.get({self.base}, key) for key in (1, 2, 3)]",
            f"{number}{self.text}.{call}",
            f"there = s.query({self.base}.id).order_by({self.base}.id).all()",
            "return number, kept, [one in s for one in kept if one is not None], there",
        ]


def writes(seed: int, count: int) -> str:
    """Return a program with ``count`` functions ``case_<n>(s)``, each with one bulk write."""
    functions = []
    for number in range(count):
        write = Write(random.Random(f"write {seed}/{number}"))
        for _ in range(write.rng.randint(0, 4)):
            write.add(write.rng.choice(BUILDERS))
        lines = "\n    ".join(write.body())
        functions.append(f"\n\ndef case_{number}(s: Session):\n    {lines}\n")
    return HEAD.replace("func, or_", "bindparam, func, or_") + "".join(functions)
