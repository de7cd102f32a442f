"""What libraries give: their functions, methods and attributes, by the stubs in ``knowledge``.

``declared_types`` reads a type of a stub as values in which type variables stand, ``solving`` finds
what these stand for and puts it there, ``forms`` are the special forms of annotations.
``origins`` says where objects come from, ``promises`` what a value says more than its annotation;
``higher_order`` are functions that call functions, ``of_requests`` what is kept for one request.
``lookup`` finds members over generic bases and what calls give, and is what the evaluator asks.
"""
