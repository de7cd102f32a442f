"""The facts of ``awaken doctor``: the inputs of a run, and the problems to act on.

Begin with ``diagnosis``, the facts and where each was read; ``remarks`` draws the conclusions.
"""
