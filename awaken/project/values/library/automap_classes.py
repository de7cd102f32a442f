"""The classes that ``automap_base()`` makes of the tables of a database."""

from __future__ import annotations

from awaken.knowledge.library_names import library_names
from awaken.project.values.domain import ClassOf, DeclarativeBase, InstanceOf, Value, Values

AUTOMAP_CLASS = "sqlalchemy.ext.automap.AutomapBase"
"""Any of these classes: which one cannot be told, and may be one that the program declares."""
_METHODS = library_names().methods_of_properties
CLASSES = InstanceOf("sqlalchemy.util.Properties")
"""What ``Base.classes`` holds: attributes and items are such classes."""


def are_automap(values: Values) -> bool:
    """Whether ``values`` are nothing but collections of such classes."""
    return bool(values) and all(value == CLASSES for value in values)


def automap_attribute(owner: Value, name: str) -> Values:
    """Return what an attribute of such a base, or of its ``classes``, is; empty for all others."""
    if isinstance(owner, DeclarativeBase):
        return (CLASSES,) if owner.automap and name == "classes" else ()
    is_class = owner == CLASSES and name not in _METHODS and not name.startswith("_")
    return (ClassOf(AUTOMAP_CLASS),) if is_class else ()
