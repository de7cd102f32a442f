"""Single files: text, tree, scopes. The lowest floor of the facts; no file knows another.

Begin with ``modules`` (one parsed file and where its nodes stand), then ``scopes`` over
``bindings`` (names by Python's own rules). ``module_store`` keeps parsed files, ``words`` finds
files by their bytes without parsing, ``trees`` walks without recursion.
"""
