"""The facts behind ``awaken doctor``: what a run starts from, and what to act on.

Begin with ``diagnosis``, the facts and where each was read; ``remarks`` draws the conclusions.
"""
