"""Functions as they are written: their places, and the effects of their decorators.

``definitions`` finds them by name, ``decorators`` reads their decorators, and ``forwarding`` knows
whether a decorator of the program calls the original function.
"""
