"""Objects followed back to what loaded them, through the parameters of functions.

Begin with ``tracing``, which is asked, and ``arriving``: what arrives at parameters (``found``),
asked for many at once. ``receivers`` are the objects that a method of a mapped class is read from,
``handed_on`` follows a function that is a value, ``injected`` what a framework passes, ``hidden``
says what may call a function out of sight. ``load_kinds`` tells what stands at the end.
"""
