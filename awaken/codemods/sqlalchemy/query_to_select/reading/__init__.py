"""The reading of one query, as it is written.

Begin with ``chain`` (start, builders, end). The facts (``project/frameworks/loads``)
know the entities. ``by_use`` adds the builders, and ``help`` words the cure where that is not
enough.
"""
