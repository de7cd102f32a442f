"""The code before a read of objects that may be expired.

One object is checked at its read. If a file has many reads, a function of that file checks them, so
that each place takes one line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.added_functions import (
    expired_helper,
    imported_name,
)
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import (
    Step,
    below_headers,
    loaded_as_read,
    loop_over,
)
from awaken.contract import Edit
from awaken.kit.sites import Site

_MANY = 3
"""Places of one file from which on a function pays."""


class Load(Struct, frozen=True):
    """An expression that is read in front of ``statement``, and the session that loads it.

    ``kind`` is ``one`` for an object, ``optional`` where it may be None, ``many`` for a list;
    ``owners`` are its classes.
    ``further`` are the reads of its relationships' objects. An object that ``may_be_lost`` by its
    session is not refreshed. A late one (``is_late``) is read after a call of the same statement
    that expires it: nothing can be loaded between them. Something else may have loaded an object
    that ``is_shared``, without its relationships.
    """

    statement: ast.stmt
    text: str
    session: str
    kind: str
    owners: frozenset[str]
    relationships: frozenset[str] = frozenset()
    further: tuple[Step, ...] = ()
    may_be_lost: bool = False
    is_late: bool = False
    is_shared: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is enough to refresh the object."""
        return not (
            self.relationships or self.may_be_lost or (self.kind == "many" and self.further)
        )


def gets_function(loads: Sequence[Load]) -> bool:
    """Whether what one file loads is worth a function of its own."""
    return sum(load.is_plain for load in loads) >= _MANY


def load_edits(
    site: Site[ast.stmt],
    loads: Sequence[Load],
    *,
    has_mocks: bool,
    has_function: bool,
) -> list[Edit]:
    """Return the edits that load what the statement of ``site`` reads.

    A mock has any attribute, and each is true.
    """
    expired = "expired is True" if has_mocks else "expired"
    item = site.module.fresh_local(site.node, "item", "entry")
    edits: list[Edit] = []
    pieces: list[str] = []
    for is_called, each in groupby(loads, lambda load: has_function and load.is_plain):
        inspect, needed = imported_name(site, "sqlalchemy", "inspect", site.node)
        edits.append(needed)
        if is_called:
            function, brought = expired_helper(site, inspect, expired)
            edits += brought
            pieces += _calls(list(each), function)
        else:
            pieces += [_asked_statement(load, inspect, item, expired) for load in each]
    place = site.module.place(site.node)
    return [site.insert_statements(place, "before", "".join(pieces)), *edits]


def _calls(loads: Sequence[Load], function: str) -> Iterator[str]:
    """Yield the calls of a function that loads: one for what can be evaluated beforehand."""
    # An attribute of an object that is expired is read when that is loaded.
    for (session, is_plain), each in groupby(loads, lambda one: (one.session, "." not in one.text)):
        given = [f"*{load.text}" if load.kind == "many" else load.text for load in each]
        for names in [given] if is_plain else [[argument] for argument in given]:
            yield f"await {function}({', '.join([session, *names])})\n"


def _asked_statement(load: Load, inspect: str, item: str, expired: str) -> str:
    """Return the statement that loads if something is expired."""
    name, clauses = loop_over(load.text, item) if load.kind == "many" else (load.text, [])
    given = f"{name} is not None and " if load.kind == "optional" else ""
    kept = f" and {inspect}({name}).persistent" if load.may_be_lost else ""
    lines = [
        f"if {given}{inspect}({name}).{expired}{kept}:",
        f"    await {load.session}.refresh({name})",
    ]
    if load.relationships:
        names = ", ".join(f'"{relationship}"' for relationship in sorted(load.relationships))
        refresh = f"    await {load.session}.refresh({name}, attribute_names=[{names}])"
        if load.is_shared:
            unloaded = f"{inspect}({name}).persistent and {{{names}}} & {inspect}({name}).unloaded"
            lines.append(f"if {given}{unloaded}:")
        lines.append(refresh)
    code = below_headers("".join(f"{line}\n" for line in lines), *clauses)
    if load.further:
        reading = loaded_as_read(load.session, load.further)
        code += below_headers(reading, f"if {name} is not None") if given else reading
    return code
