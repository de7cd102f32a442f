"""Containers that a program builds: what they hold, and what they give.

Begin with ``built_containers`` (displays, comprehensions, calls of builtins and of methods of
containers), then ``subscripts`` (what else has items, and targets that take a value apart) and
``additions`` (what is put into a container later).
"""
