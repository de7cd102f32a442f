"""Functions as they are written: where they stand, and what their decorators make of them.

``definitions`` finds them by name, ``decorators`` reads what stands above them, ``forwarding``
whether a decorator of the program hands its function on.
"""
