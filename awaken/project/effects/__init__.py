"""Effects: what running a piece of code does beside its result, such as raising or blocking."""

from awaken.project.effects.blocking import BlockingCall, BlockingCalls, Blocks
from awaken.project.effects.coroutines import Fate
from awaken.project.effects.exceptions import Raised, Raises
from awaken.project.effects.guards import Guard, guards_around, guards_in_callers
from awaken.project.effects.places.between import Event
from awaken.project.effects.places.order import Order
from awaken.project.effects.raising import Raising
from awaken.project.effects.suspending import Suspensions, suspensions

__all__ = [
    "BlockingCall",
    "BlockingCalls",
    "Blocks",
    "Event",
    "Fate",
    "Guard",
    "Order",
    "Raised",
    "Raises",
    "Raising",
    "Suspensions",
    "guards_around",
    "guards_in_callers",
    "suspensions",
]
