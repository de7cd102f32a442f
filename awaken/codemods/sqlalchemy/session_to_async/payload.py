"""The payloads of this rule's rewriters."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

APPLY = "apply"
BRIDGE = "bridge"
CONSTRUCT = "construct"
DELEGATE = "delegate"
DISPLAY = "display"
ENCLOSE = "enclose"
HOIST = "hoist"
INITIALIZE = "initialize"
METHOD = "method"
MIGRATE = "migrate"
NEST = "nest"
POSTPONE = "postpone"
ENCODE = "encode"
FORWARD = "forward"
REPLACE = "replace"
SEARCH = "search"
SEARCH_BY_LOOP = "search-by-loop"
THREAD = "thread"
WRAP = "wrap"


class Hoisted(Struct, frozen=True):
    """An expression that gets a statement of its own, in front of the one that uses it.

    From the value of that statement ``steps`` lead down to it: for attributes, calls and operators
    to their first operand, for calls of builtins to their argument, for comprehensions to their
    first iterable. ``name`` takes its result; ``indent`` is the extra indent of its lines, where it
    is inside of brackets.
    """

    name: str
    steps: int
    indent: int = 0
    is_inside: bool = False


class Delegated(Struct, frozen=True):
    """A ``yield from`` that becomes a loop; ``item`` is its variable."""

    item: str
    is_asynchronous: bool


class Displayed(Struct, frozen=True):
    """A call of ``list`` or ``set`` that becomes a display of what it is given.

    ``item`` is the variable of its loop, if it is given no generator expression.
    """

    item: str
    is_set: bool


class Searched(Struct, frozen=True):
    """A call of ``any``, or of ``all``, that looks through a generator that waits."""

    is_all: bool


class Applied(Struct, frozen=True):
    """A call of a builtin that calls a function for each item, written as the loop that it is.

    ``form`` is what it becomes: ``list`` and ``set`` are displays in the place of the call around
    ``map`` or ``filter``, ``any`` and ``all`` that call too, ``items`` a list and ``generator`` a
    generator in the place of ``map`` itself; ``sorted``, ``max`` and ``min`` take pairs of key and
    item. ``item`` is the variable of the loop where the function does not name one.
    """

    form: Literal["all", "any", "generator", "items", "list", "max", "min", "set", "sorted"]
    item: str


class Nested(Struct, frozen=True):
    """A ``with`` statement that becomes several; ``waiting`` are the positions of those that wait.

    Neighbours of one kind stay together, all in their order.
    """

    waiting: tuple[int, ...]


class Replaced(Struct, frozen=True):
    """Statements in the place of one, as code."""

    code: str


class Wrapped(Struct, frozen=True):
    """A call whose argument becomes the argument of ``function``; ``keyword`` or the first one."""

    function: str
    keyword: str = ""


class Forwarded(Struct, frozen=True):
    """A call whose result is passed on to ``function``, which gives it back."""

    function: str


class Encoded(Struct, frozen=True):
    """A returned expression that ``function`` encodes without the attributes ``exclude``.

    ``path`` gives its index in each display around it, from the statement inwards.
    """

    function: str
    exclude: tuple[str, ...]
    path: tuple[int, ...]


class Bridged(Struct, frozen=True):
    """An entry point that runs a coroutine function of this ``name``, which gets its body.

    ``run`` is the expression that does, ``returns`` whether its value is returned, and ``begin`` a
    statement in front of it. The
    ``parameters`` and the ``returned`` annotation are code; ``decorators`` go with it as well. Of
    one that gets another engine as a parameter, ``engine`` is the variable with the first, if that
    is one of a module.
    """

    name: str
    run: str
    begin: str
    parameters: str
    returned: str
    returns: bool
    decorators: tuple[str, ...]
    blank_lines: int
    engine: str = ""


class Constructed(Struct, frozen=True):
    """An `__init__` of which so many statements are ``kept``; a class method awaits the rest.

    That is ``name``, with the class as ``owner``, the object as ``made``, and what is ``returned``.
    It calls ``loading``, which is given those of the parameters that are ``used`` there. If the
    `__init__` ``is_alone`` and keeps nothing, it goes.
    """

    name: str
    loading: str
    kept: int
    used: tuple[str, ...]
    is_alone: bool
    owner: str
    made: str
    returned: str


class Initialized(Struct, frozen=True):
    """An `__init__` that becomes the coroutine method ``loading``.

    Of the class on top of several the class method ``name`` makes objects, with what is
    ``returned``; ``anything`` is the annotation of what it is given.
    """

    name: str
    loading: str
    returned: str
    anything: str


class Method(Struct, frozen=True):
    """A property that becomes a method, without its ``decorator`` of that number.

    The result of a cached one is ``kept`` under that name of its object, which is ``own`` in it.
    """

    decorator: int
    kept: str
    own: str
    has_docstring: bool


class Enclosed(Struct, frozen=True):
    """Statements that move into a coroutine function of this ``name``, which ``run`` runs there.

    So many statements of their block stay ``before`` and ``behind`` them, apart from functions.
    ``kept`` are the names that stay global. Above the block there are so many
    ``blank_lines``, no more than two. Where nothing runs the function at the top of a file, it
    lacks so many, and ``blank_lines_below``.
    """

    name: str
    run: str
    before: int
    behind: int
    kept: tuple[str, ...]
    blank_lines: int
    blank_lines_below: int = 0


class Postponed(Struct, frozen=True):
    """A statement that becomes the body of a coroutine function of this ``name``.

    ``above`` and ``below`` are the numbers of blank lines that the function lacks. The body is
    ``code`` instead, if there is some.
    """

    name: str
    above: int
    below: int
    code: str = ""


class Migrating(Struct, frozen=True):
    """A block that enters a connection, which becomes a function that ``run_sync`` runs.

    ``name`` is that of the function, ``parameter`` what it takes, as code; ``coroutine`` is that of
    the function that enters ``entered`` as ``connection``, of ``engine``. Where that is no variable
    yet, it is ``made`` by this code. So many blank lines are put ``above``, and ``blank_lines``
    between functions.
    """

    name: str
    parameter: str
    coroutine: str
    engine: str
    made: str
    entered: str
    connection: str
    above: int
    blank_lines: int


class Threaded(Struct, frozen=True):
    """A block with a pool of threads that moves into a function of this ``name``.

    ``loop`` is the variable that holds the event loop, ``result`` what the function returns.
    """

    name: str
    loop: str
    result: str = ""
