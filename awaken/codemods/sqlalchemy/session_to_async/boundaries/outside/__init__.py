"""Functions that code which is not visible may call, or never does.

``published`` knows what other files of the repository use, ``overrides`` what a base class or
pytest calls by its name, ``dynamic`` what `getattr` finds by a computed name, and ``idle`` what
nothing visible calls.
"""
