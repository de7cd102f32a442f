"""What one query says, as it is written.

Begin with ``chain`` (start, builders, end) and ``items`` (what it asks for), which ``entities`` and
``classes`` tell from an expression; ``starred``, ``by_use`` and ``by_value`` help where that is not
enough. ``eager`` and ``rows`` look at what comes back and how it is used.
"""
