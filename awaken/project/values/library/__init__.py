"""Results of libraries: their functions, methods and attributes, from ``library_types``.

``origins`` says where objects come from, ``promises`` what a value says more than its
annotation; ``higher_order`` are functions that call functions, ``of_requests`` what is kept for one
request. ``lookup`` finds members over generic bases and what calls give, and is what the evaluator
asks.
"""
