"""The results of calls, and of other ways to use a value.

``results`` tells what is called: a class (``making``), a function of the program (``functions``) or
of a library (``libraries``). ``parameters`` has the values of a parameter. ``uses`` enters,
iterates and awaits.
"""
