"""Single files: text, tree, scopes. The lowest floor of the facts; no file knows another.

Begin with ``modules`` (one parsed file and where its nodes stand), then ``scopes`` over
``bindings`` (names by Python's own rules). ``module_store`` keeps parsed files, ``trees`` walks
without recursion. ``program_texts`` finds files without parsing, by bytes (``text_search``) and by
words (``words``), and notes what for (``looked_at``).
"""
