"""Objects followed back to what loaded them, through the parameters of functions.

Begin with ``tracing``, which is asked, and ``arriving``: what arrives at parameters (``arrivals``),
asked for many at once. ``method_receivers`` are the objects on which a method of a mapped class is
read. ``along`` follows attributes, and functions as values.
"""
