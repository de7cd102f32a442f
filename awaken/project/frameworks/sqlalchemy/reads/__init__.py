"""Reads of relationships: which objects they are read from, and what loaded those.

``python_sights`` finds the places in Python code that read an attribute, ``kinds`` the less plain
ones. ``tracing`` gives the objects along what is read, and follows them back to their loads,
``between_load_and_read`` tells what happens in between. ``relationship_reads`` puts them together
for plain reads, ``frameworks/program_reads.py`` for all.
"""
