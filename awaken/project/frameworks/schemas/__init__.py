"""Models and schemas: which attributes they read of the objects that they are given.

Begin with ``domain``. ``pydantic_models`` says what a model reads, ``validations`` and ``given``
which objects models read; ``sights`` turns all of it into places that read an attribute, and
``providers`` puts it together.
"""
