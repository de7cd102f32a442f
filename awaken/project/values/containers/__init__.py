"""Containers that a program builds: what they hold, and what they give.

Begin with ``building`` (displays, comprehensions, calls of builtins and of methods of containers),
then ``subscripts`` (what else has items), ``unpacking`` (targets that take a value apart) and
``additions`` (what is put into a container later).
"""
