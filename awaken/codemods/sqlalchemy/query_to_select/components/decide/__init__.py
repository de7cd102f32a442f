"""The decision about a component.

Begin with ``component_rewrite`` (the rewrite of a component), then ``component_decision``. The
others decide one kind of use each: bulk writes (``bulk_only``, ``criteria``), and the
``query_annotations`` of what holds queries.
"""
