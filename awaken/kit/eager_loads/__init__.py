"""Eager loads for the relationships that a program reads: what is there, missing, or not possible.

Begin with ``load_planning.plan_loads``. ``loading_statements`` reads the statement that loads the
objects, ``loader_options`` its loader options, and writes classes and functions as the file has
them, ``levels`` decides what is added to them.
``gets_by_key`` writes a ``select()`` for ``session.get()``, ``refreshes`` loads of new objects.
``planned_loads`` is what comes
back, ``reasons`` why a read cannot be served: a rule that plans loads declares ``REASONS``.
"""

from awaken.kit.eager_loads.load_planning import plan_loads
from awaken.kit.eager_loads.planned_loads import AddedLoad, PlannedLoads
from awaken.kit.eager_loads.reasons import REASONS

__all__ = ["REASONS", "AddedLoad", "PlannedLoads", "plan_loads"]
