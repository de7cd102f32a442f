"""What arrives at a parameter: the objects that callers pass, or that a method is read from.

Begin with ``found`` (what is answered), then ``arriving``, which is asked for many parameters at
once. ``receivers`` are the objects that a method of a mapped class is read from, ``handed_on``
follows a function that is a value, ``hidden`` says what may call it out of sight.
"""

from awaken.project.frameworks.sqlalchemy.reads.arriving.arriving import Arriving
from awaken.project.frameworks.sqlalchemy.reads.arriving.found import Arrivals

__all__ = ["Arrivals", "Arriving"]
