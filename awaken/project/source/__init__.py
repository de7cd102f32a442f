"""Single files: text, tree, scopes. The lowest floor of the facts; no file knows another.

Begin with ``modules`` (one parsed file and the places of its nodes), then ``scopes`` over
``bindings`` (names by Python's own rules). ``programs`` keeps parsed files, ``trees`` walks
without recursion. ``texts`` finds files without parsing, by bytes and by words (``words``), and
notes what for (``looked_at``).
"""
