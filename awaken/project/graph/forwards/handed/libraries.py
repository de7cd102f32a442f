"""Library calls that take functions, or containers of functions."""

from __future__ import annotations

LOOKING = {
    "asyncio.iscoroutinefunction", "builtins.bool", "builtins.callable", "builtins.getattr",
    "builtins.hasattr", "builtins.id", "builtins.isinstance", "builtins.len", "builtins.print",
    "builtins.repr", "builtins.str", "functools.update_wrapper", "functools.wraps",
    "inspect.getdoc", "inspect.getsource", "inspect.iscoroutinefunction", "inspect.isfunction",
    "inspect.signature", "typing.get_type_hints",
}  # fmt: skip
"""Functions that are given a function and neither call nor keep it."""

SAME = {
    "builtins.dict", "builtins.frozenset", "builtins.iter", "builtins.list", "builtins.reversed",
    "builtins.set", "builtins.sorted", "builtins.tuple", "collections.OrderedDict",
    "collections.deque", "copy.copy", "types.MappingProxyType",
}  # fmt: skip
"""Functions that give a container with the items of another."""

TABLES_OF = {
    "builtins.dict", "collections.OrderedDict", "copy.copy", "types.MappingProxyType",
}  # fmt: skip
"""Those among them that give a dictionary where they are given one; others give its keys."""

TAKING = {"get", "pop", "popleft", "setdefault"}
ADDING = {"add": 0, "append": 0, "appendleft": 0, "insert": 1, "setdefault": 1}
"""Methods that put one of their arguments into a container, with its position."""
JOINING = {"extend", "update"}
PASSING = {"copy": 0, "values": 0, "items": 1}
"""Methods that give what goes through the items, with how many containers are around them more."""
DEFAULT = 2
"""The position of what `getattr` gives where there is no attribute."""
TABLES = {"builtins.dict", "collections.OrderedDict", "collections.defaultdict"}
IDLE = {"clear", "keys", "remove", "discard", "index", "count"}
IN_THREADS = {
    "asyncio.to_thread": 0, "fastapi.concurrency.run_in_threadpool": 0,
    "starlette.concurrency.run_in_threadpool": 0, "anyio.to_thread.run_sync": 0,
}  # fmt: skip
"""Functions that run one of their arguments in a thread, with its position."""
CALLING = {"contextlib.contextmanager", "functools.partial"}
"""Functions that make, of the first argument, something that calls it when it is called."""
CASTS = {"typing.cast", "typing_extensions.cast"}
