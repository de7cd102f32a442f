"""Effects: what running code does besides returning a result, such as blocking."""

from awaken.project.effects.blocking import BlockingCall, BlockingCalls, Blocks
from awaken.project.effects.coroutines import Fate
from awaken.project.effects.guards import Guard, guards_around
from awaken.project.effects.own_nodes import Suspensions, suspensions
from awaken.project.effects.places.evaluation_order import Order
from awaken.project.effects.places.events_between import Event

__all__ = [
    "BlockingCall",
    "BlockingCalls",
    "Blocks",
    "Event",
    "Fate",
    "Guard",
    "Order",
    "Suspensions",
    "guards_around",
    "suspensions",
]
