"""Meanings of the names in a query's callbacks: those at the time when the query was to run.

Bowler runs a query at once; here it runs when its script has come to its end. A callback that reads
the variable of a loop would find the last value then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CellType, FunctionType, MethodType


@dataclass(frozen=True)
class Snapshot:
    """Values at one time: of the globals of a script, and of the cells that functions close over.

    Cells are held by their identity, for equality of cells is that of what they hold.
    """

    variables: dict[str, object]
    values: Mapping[str, object]
    cells: Mapping[int, tuple[CellType, object]]

    @classmethod
    def of(cls, variables: dict[str, object], functions: Iterable[object]) -> Snapshot:
        """Return what globals, and names around functions, mean now."""
        cells = {id(cell): (cell, value) for cell, value in _cells(functions, set())}
        return cls(variables, dict(variables), cells)


@dataclass(frozen=True)
class Bindings:
    """Values that are set before a query is made."""

    variables: dict[str, object]
    values: Mapping[str, object]
    cells: Sequence[tuple[CellType, object]]

    @classmethod
    def bindings_between(cls, snapshots: Sequence[Snapshot]) -> list[Bindings]:
        """Return what is to be set for each of the queries that follow each other.

        These are the values that the script itself has set since the query before: values from
        callbacks stay. The first one undoes all that was set later.
        """
        found: list[Bindings] = []
        values: dict[str, object] = {}
        cells: dict[int, object] = {}
        for one in snapshots:
            changed = {
                name: value
                for name, value in one.values.items()
                if name not in values or values[name] is not value
            }
            moved = [
                (cell, value)
                for key, (cell, value) in one.cells.items()
                if key not in cells or cells[key] is not value
            ]
            values |= changed
            cells |= {id(cell): value for cell, value in moved}
            found.append(cls(one.variables, changed, moved))
        return found

    def restore(self) -> None:
        """Set the values."""
        self.variables.update(self.values)
        for cell, value in self.cells:
            cell.cell_contents = value


def _cells(functions: Iterable[object], seen: set[int]) -> Iterator[tuple[CellType, object]]:
    """Yield the cells of functions, and of functions in those, each with what it holds."""
    for one in functions:
        function = one.__func__ if isinstance(one, MethodType) else one
        if not isinstance(function, FunctionType):
            continue
        for cell in function.__closure__ or ():
            if id(cell) in seen:
                continue
            seen.add(id(cell))
            try:
                value = cell.cell_contents
            except ValueError:  # nothing is bound yet
                continue
            yield cell, value
            yield from _cells([value], seen)
