"""Coroutines: the expressions that create them, and their fates.

Begin with ``fates``, which follows a coroutine to its end; ``awaitables`` knows what gives one.
"""

from awaken.project.effects.coroutines.fates import Fate, Fates

__all__ = ["Fate", "Fates"]
