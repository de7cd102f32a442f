"""Library calls that take functions, or containers of functions."""

from __future__ import annotations

from awaken.knowledge.library_names import library_names, name_list

SAME = name_list("with_same_items")

TABLES_OF = name_list("same_dictionaries")

KEYS_OF = {"builtins.enumerate", "builtins.max", "builtins.min", "builtins.zip", *SAME} - TABLES_OF
"""Functions that take the keys of a dictionary, and leave its values alone."""
TAKING = {"get", "pop", "popleft", "setdefault"}
ADDING = {**library_names().adding_methods, "setdefault": 1}
"""Methods that put one of their arguments into a container, with its position."""
JOINING = library_names().joining_methods
PASSING = {"copy": 0, "values": 0, "items": 1}
"""Methods that give what goes through the items, with how many containers are around them more."""
DEFAULT = 2
"""The position of what `getattr` gives where there is no attribute."""
TABLES = {"builtins.dict", "collections.OrderedDict", "collections.defaultdict"}
IDLE = {"clear", "keys", "remove", "discard", "index", "count"}
CALLING = {"contextlib.contextmanager", "functools.partial"}
"""Functions that make, of the first argument, something that calls it when it is called."""
