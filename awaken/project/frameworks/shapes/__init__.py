"""Shapes: the attributes that a schema reads of an object.

Begin with ``attribute_shapes``. ``pydantic_models`` says what models of Pydantic and SQLModel
declare, and what their validators read before that.
"""
