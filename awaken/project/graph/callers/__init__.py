"""The callers of functions, searched from the text.

Begin with ``call_sites`` (what is answered), then ``caller_index``, which is asked and searches.
``target`` tells which mentions mean the function, ``search_inputs`` which files can hold a call
that reaches it; ``composed_names`` are ways to call it without a plain name.
"""

from awaken.project.graph.callers.call_sites import Callers, CallSite, Obstacle
from awaken.project.graph.callers.caller_index import CallIndex

__all__ = ["CallIndex", "CallSite", "Callers", "Obstacle"]
