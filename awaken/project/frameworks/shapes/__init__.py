"""Shapes: the attributes that a schema reads of an object.

``pydantic_models`` says what models of Pydantic and SQLModel declare. It also says what their
validators read before that.
"""
