"""The results of calls, and of other ways to use a value.

``results`` tells what is called: a class (``new_instances``), a function of the program or of a
library (``library_calls``). ``parameter_values`` has the values of a parameter.
"""
