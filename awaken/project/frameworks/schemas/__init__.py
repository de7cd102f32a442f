"""Models and schemas: which attributes they read of the objects that they are given.

Begin with ``domain``. ``declared`` says what classes declare, and so what is read; ``validations``,
``dumps`` and ``given`` of which objects; ``sights`` turns all of it into places that read an
attribute, and ``providers`` puts it together.
"""
