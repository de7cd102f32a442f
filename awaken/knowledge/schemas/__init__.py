"""The knowledge about libraries that read the attributes of objects to validate or write them.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from functools import cache

import msgspec

from awaken.knowledge.typed_tables import read_table


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Models whose annotations are their fields.

    - ``bases``: the classes that models inherit from.
    - ``reading``: those of them that read attributes without being told so.
    - ``roots``: those that hold one value and have no fields.
    - ``settings``: what in the settings of a model makes it read attributes.
    - ``opening``: what there lets objects have, or be dumped with, names that are no fields.
    - ``by_name``: what there makes it look for a field by its name as well as by its alias.
    - ``fields``, ``relationships``: the functions that say more of a field, or that it is none.
    - ``choices``, ``paths``: what an alias is put together with.
    - ``methods``: methods of models that read their first argument.
    - ``functions``: functions that are given a type, then what is read as such.
    - ``adapters``: classes that are given a type, and have ``adapter_methods``.
    - ``validators``: decorators of methods that are given the object that is validated,
      ``field_validators`` of those that are given what a field is read from; those ``with_values``
      take a dictionary of the valid fields as ``values``, the others its ``information`` last.
    - ``encoders``: functions that take all that an object has in its ``__dict__``.
    """

    bases: tuple[str, ...]
    reading: tuple[str, ...]
    roots: tuple[str, ...]
    settings: tuple[str, ...]
    by_name: tuple[str, ...]
    opening: tuple[str, ...]
    fields: tuple[str, ...]
    relationships: tuple[str, ...]
    choices: tuple[str, ...]
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    functions: tuple[str, ...]
    adapters: tuple[str, ...]
    adapter_methods: tuple[str, ...]
    validators: tuple[str, ...]
    field_validators: tuple[str, ...]
    with_values: tuple[str, ...]
    information: str
    encoders: tuple[str, ...]


class Schemas(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Schemas whose fields are objects in the body of a class.

    - ``bases``: the classes that schemas inherit from; ``mapped`` those that take fields from the
      mapped class that they name, ``whole`` its relationships, too.
    - ``extensions``: classes of objects that have bases and fields as attributes.
    - ``nested``, ``plucked``: fields that are given a schema; ``holders`` are given other fields.
    - ``plain``: fields that read nothing of what the attribute gives.
    - ``without_attribute``: fields that read no attribute by their name.
    - ``dumps``: methods that read their first argument.
    - ``decorators``: methods and functions whose decorators read what a function returns with the
      schema among their arguments.
    """

    bases: tuple[str, ...]
    mapped: tuple[str, ...]
    whole: tuple[str, ...]
    extensions: tuple[str, ...]
    nested: tuple[str, ...]
    plucked: tuple[str, ...]
    holders: tuple[str, ...]
    plain: tuple[str, ...]
    without_attribute: tuple[str, ...]
    dumps: tuple[str, ...]
    decorators: tuple[str, ...]


class Marshalling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Dictionaries of fields.

    - ``nested``: fields that are given such a dictionary, ``choices`` one for each class;
      ``holders`` are given other fields, ``plain`` read nothing of what the attribute gives.
    - ``makers``: methods that make a model of a dictionary, which is their last argument.
    - ``functions``: they are given what is read, then the dictionary.
    - ``decorators``: what they decorate returns what is read.
    """

    nested: tuple[str, ...]
    choices: tuple[str, ...]
    holders: tuple[str, ...]
    plain: tuple[str, ...]
    makers: tuple[str, ...]
    functions: tuple[str, ...]
    decorators: tuple[str, ...]


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Forms whose fields are objects in the body of a class.

    - ``bases``: the classes that forms inherit from.
    - ``nested``: fields that are given the class of a form, which reads what the attribute gives.
    - ``holders``: fields that are given another field, for each item of what the attribute gives.
    - ``reading``: methods that read the attributes of the object that they are given.
    - ``writing``: methods that set the attributes of the object that they are given.
    """

    bases: tuple[str, ...]
    nested: tuple[str, ...]
    holders: tuple[str, ...]
    reading: tuple[str, ...]
    writing: tuple[str, ...]


class SchemaKnowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of it; ``pages`` are functions that give one page of what they are given."""

    source: str
    pages: tuple[str, ...]
    models: Models
    schemas: Schemas
    marshalling: Marshalling
    forms: Forms


@cache
def schema_knowledge() -> SchemaKnowledge:
    """Return the facts of models, schemas, marshalling and forms."""
    return read_table(__name__, "schemas.toml", SchemaKnowledge)
