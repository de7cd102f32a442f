"""Eager loads for the relationships that a program reads: what is there, missing, or not possible.

Begin with ``planning.plan_loads``. ``statements`` reads the statement that loads the objects,
``options`` its loader options, ``levels`` decides what is added to them. ``names`` writes classes
and functions as the file has them, ``refreshes`` serves objects that were made and not loaded.
``domain`` is what comes back, ``reasons`` why a read cannot be served: a rule that plans loads
declares ``REASONS``.
"""

from awaken.kit.eager_loads.domain import AddedLoad, PlannedLoads
from awaken.kit.eager_loads.planning import plan_loads
from awaken.kit.eager_loads.reasons import REASONS

__all__ = ["REASONS", "AddedLoad", "PlannedLoads", "plan_loads"]
