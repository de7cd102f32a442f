"""The steps of one repository, in processes of their own.

``tasks`` has what goes in and comes out, plain data. ``repository_work`` does the steps: it clones
(``cloning``), makes the environment of the tests, and starts ``child``, which sees no secret
(``surroundings``). ``child`` plans, verifies and applies (``changing``), commits (``committing``)
and writes down what it came to (``describing``).
"""
