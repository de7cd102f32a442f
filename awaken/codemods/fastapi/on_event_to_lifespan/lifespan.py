"""The lifespan of one application, as it will be written."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from awaken.codemods.fastapi.on_event_to_lifespan.placing.entered import Entered
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.codemods.fastapi.on_event_to_lifespan.placing.inlining import Body
from awaken.codemods.fastapi.on_event_to_lifespan.placing.reaching import Reference
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.step_comments import Comments
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step


class Lifespan(Struct):
    """The lifespan of one application, as it will be written."""

    home: Home
    steps: Sequence[Step]
    name: str = ""
    parameter: str = ""
    nested: bool = False
    bodies: dict[int, Body] = field(default_factory=dict)
    references: dict[int, Reference] = field(default_factory=dict)
    caveats: list[str] = field(default_factory=list)
    iterators: str = ""
    entered: list[Entered] = field(default_factory=list)
    comments: Comments = field(default_factory=Comments)
