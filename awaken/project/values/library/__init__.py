"""What libraries give: their functions, methods and attributes, by the stubs in ``knowledge``.

``declared_types`` reads a type of a stub as values in which type variables stand, ``solving`` finds
what these stand for and puts it there, ``forms`` are the special forms of annotations.
``lookup`` finds members over generic bases and what calls give, and is what the evaluator asks.
"""
