"""Sessions, mappings and queries: the SQLAlchemy side of a program.

Begin with ``sessions`` (the proof that an expression is a session) and ``models`` (the mapped
classes). Below ``models``: ``mapping`` reads one class body or table, and ``relationships`` joins
both sides. ``queries`` has ``Model.query``, Query classes of the program, and what it replaces.
``keys`` counts the rows of one class for a row of another, and answers the ``unique()`` question.
``engines`` says where engines are made and what their URLs begin with.
"""
