"""The callers of functions, searched from the text.

Begin with ``found`` (what is answered), then ``index``, which is asked, and ``search``, one search.
``target`` tells which mentions mean the function, ``importers`` which files can hold a call that
reaches it; ``module_values`` and ``composed_names`` are ways to call it without a plain name.
"""

from awaken.project.graph.callers.found import Callers, CallSite, Obstacle
from awaken.project.graph.callers.index import CallIndex

__all__ = ["CallIndex", "CallSite", "Callers", "Obstacle"]
