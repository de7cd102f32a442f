"""The steps of one repository, in processes of their own.

``task_data`` has what goes in and comes out, plain data. ``repository_work`` does the steps: it
clones (``cloning``), makes the environment of the tests, and starts ``child``, which sees no secret
(``child_environment``). ``child`` plans, verifies, applies and commits, and writes down what it
came to (``changing``).
"""
