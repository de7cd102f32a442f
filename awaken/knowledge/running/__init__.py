"""The knowledge about libraries that run code of a program which nobody handed them.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.typed_tables import read_table

Ending = Literal["expects", "swallows"]
"""Whether a block has to raise, as with ``pytest.raises``, or may, as with ``suppress``."""


class _Running(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Top-level packages, functions and words.

    - ``quiet``: packages, beside the standard library, that run only what they are passed.
    - ``running``: packages of the standard library, and ``running_functions``, that run more than
      that.
    - ``quiet_fixtures``: fixtures of pytest and its plug-ins whose methods run no more than that.
    - ``fixture_classes``: the classes of what fixtures of plug-ins give, by their names.
    - ``listening_decorators``: names of decorators by which sessions and models call a function;
      ``listening_calls`` what a file holds that has such functions.
    - ``expecting``, ``swallowing``: names of context managers that end exceptions of their block.
    - ``stacks``: managers that end the exceptions that those end which are entered on them.
    - ``keeping``: functions that keep what a coroutine raises in the task that they make.
    - ``raising_again``: classes and modules none of whose context managers does that.
    - ``called_of_subclasses``: classes that call, of one of the program that inherits from them,
      the methods of these names and private ones, and no others; ``*`` is the rest of a name.
    """

    source: str
    quiet: frozenset[str]
    running: frozenset[str]
    running_functions: frozenset[str]
    quiet_fixtures: frozenset[str]
    fixture_classes: dict[str, str]
    listening_decorators: frozenset[str]
    listening_calls: tuple[str, ...]
    expecting: frozenset[str]
    swallowing: frozenset[str]
    stacks: frozenset[str]
    keeping: frozenset[str]
    raising_again: tuple[str, ...]
    called_of_subclasses: dict[str, frozenset[str]]


class Running:
    """``listening_decorators`` and ``listening_words`` are those of sessions and models.

    ``keeping`` are functions that keep what a coroutine raises.
    ``quiet_fixtures`` are names of fixtures that run only what they are passed,
    ``fixture_classes`` the classes of what others give. ``ends_exceptions``
    has the names of context managers that end exceptions of their block, and how. ``stacks`` do
    what those do that are entered on them.
    """

    def __init__(self, table: _Running) -> None:
        self._table = table
        self.listening_decorators = table.listening_decorators
        self.quiet_fixtures = table.quiet_fixtures
        self.fixture_classes = table.fixture_classes
        self.keeping = table.keeping
        self.stacks = table.stacks
        self.ends_exceptions: dict[str, Ending] = {
            **dict.fromkeys(table.expecting, "expects"),
            **dict.fromkeys(table.swallowing, "swallows"),
        }
        self.listening_words = tuple(name.encode() for name in table.listening_calls)

    def runs_only_what_it_is_handed(self, function: str) -> bool:
        """Whether a function of a library, by its qualified name, runs nothing else of a program.

        One of a library that is not known may run whatever a program has: its endpoints, its
        tasks, its plug-ins.
        """
        root, table = function.partition(".")[0], self._table
        if root in table.running or function in table.running_functions:
            return False
        return root in table.quiet or root in sys.stdlib_module_names

    def raises_again(self, name: str) -> bool:
        """Whether a class, function or method gives no manager that ends an exception."""
        return f"{name}.".startswith(tuple(f"{row}." for row in self._table.raising_again))

    def may_call_of_subclass(self, base: str, method: str) -> bool:
        """Whether a class of a library may call a method that one of the program adds to it."""
        called = self._table.called_of_subclasses.get(base)
        if called is None or method.startswith("_"):
            return True
        return any(fnmatchcase(method, name) for name in called)


@cache
def running() -> Running:
    """Return the table. Raises msgspec.ValidationError where the file does not have its form."""
    return Running(read_table("awaken.knowledge.running", "running.toml", _Running))
