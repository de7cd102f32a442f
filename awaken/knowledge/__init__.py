"""The knowledge about libraries: one typed TOML file per distribution.

Begin with ``libraries``, which has the type of those files. ``declarations`` reads stubs, those
of typeshed and ours in ``stubs/``. ``applications`` knows frameworks that start and stop,
``ecosystem`` database drivers, test plugins and settings classes, ``coroutines`` what gives and
runs coroutines, ``sessions`` what methods of sessions do, ``decorators`` those that hand a function
on, ``injection`` containers of dependencies, ``templates`` what renders templates.
``library_names`` has the sets of names that several questions share.
"""

from awaken.knowledge.libraries import Knowledge, Library, Role, knowledge

__all__ = ["Knowledge", "Library", "Role", "knowledge"]
