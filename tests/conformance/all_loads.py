"""A rule that writes the loads of every read of which all loads are known."""

from __future__ import annotations

from awaken.contract import Level, Phase
from awaken.kit.changes import Decided, plan_of, refused_together, rewritten_together
from awaken.kit.eager_loads import REASONS, plan_loads
from awaken.kit.rule import Rule
from awaken.kit.sites import Rewrite, Site


class AllLoads(Rule):
    """Writes one change for each statement.

    ``served`` are the traces that a load is written for, or that have one.
    """

    name = "all-loads"
    family = "kit"
    phase = Phase.LOADING
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"session",)
    reasons = REASONS

    def __init__(self):
        self.served = set()

    def plan(self, project, constraints):
        del constraints
        groups = {}
        for read in project.orm.reads.all():
            for trace in read.traces if read.is_traced else ():
                groups.setdefault(trace.load.place, []).append(trace)
        return plan_of(self._decided(project, *one) for one in sorted(groups.items()))

    def _decided(self, project, place, traces):
        module = project.module(place.path)
        node = next(one for one in module.walk() if is_at(module, one, place))
        site = Site(self.name, module, node)
        planned = plan_loads(self.name, project, traces)
        self.served |= set(traces) - planned.refused.keys()
        if planned.edits:
            texts = ", ".join(one.text for one in planned.added)
            return rewritten_together([site], Rewrite(texts, planned.edits, ["loads"]))
        if planned.refused:
            return refused_together([site], next(iter(planned.refused.values())))
        return Decided(())


def is_at(module, node, place):
    """Whether a node is what stands at a place."""
    return hasattr(node, "lineno") and module.span(node) == place.span
