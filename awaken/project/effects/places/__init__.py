"""Places of a function: what may happen between two of them, and in which order.

``events_between`` follows the ways from one statement to another, ``evaluation_order`` the parts of
one statement, and ``held`` tells which locks are held at a place.
"""
