"""Reads of relationships: which objects they are read from, and what loaded those.

``sights`` finds the places that read an attribute, ``tracing`` follows objects back to their loads,
``relationship_reads`` puts both together for the relationships of a program.
"""
