"""The knowledge about libraries that render templates.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from functools import cache

import msgspec

from awaken.knowledge.typed_tables import read_table


class Templates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Functions that render Jinja templates, by how they are called, and what templates see.

    Of ``by_name`` the first argument names the template, of ``by_source`` it is one, and keywords
    are what it is given; of ``with_request`` the arguments are name, request and a dictionary, and
    ``decorators`` name the template that a function returns the dictionary for. ``methods`` are
    like ``by_name``, inherited from a class.
    ``foreign`` are packages whose templates are no Jinja, with the name of their language.
    ``plain_names`` are seen in every template and mean no mapped object; ``plain_templates`` of
    libraries read none, though their macros may be given what holds some. ``attribute_at`` is the
    position of the argument by which a filter names an attribute, after the filtered value.
    """

    source: str
    by_name: tuple[str, ...]
    by_source: tuple[str, ...]
    with_request: tuple[str, ...]
    decorators: tuple[str, ...]
    methods: tuple[str, ...]
    foreign: dict[str, str]
    plain_names: tuple[str, ...]
    plain_templates: tuple[str, ...]
    attribute_at: dict[str, int]


@cache
def library_templates() -> Templates:
    """Return the facts of libraries that render templates."""
    return read_table(__name__, "templates.toml", Templates)
