"""Shapes: the attributes that a schema reads of an object.

Begin with ``domain``. ``pydantic_models`` says what models of Pydantic and SQLModel declare, and
``validators`` what they read before that.
"""
