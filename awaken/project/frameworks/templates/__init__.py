"""Templates of Jinja: which programs render which, with what, and which attributes they read.

``parsing`` makes a tree of a text, ``values`` and ``reading`` tell which attributes a template
reads of the names that it is given, ``rendering`` finds the calls that render and ``given`` what
names mean without them, ``files`` finds templates by name. ``sights`` puts it together.
"""
