"""Models and schemas: which attributes they read of the objects that they are given.

The types are those of ``shapes``. ``declared`` says what classes declare, and so what is read;
``validations``, ``schema_readers`` and ``field_values`` of which objects; ``schema_sights`` turns
all of it into places that read an attribute. ``form_sights`` has the places that fill forms.
"""
