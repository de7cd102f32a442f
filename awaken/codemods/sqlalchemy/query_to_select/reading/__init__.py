"""The reading of one query, as it is written.

Begin with ``chain`` (start, builders, end). What it asks for is told by the facts
(``project/frameworks/sqlalchemy/loads``), which ``by_use`` helps by the builders, and ``help`` says
what to do where that is not enough.
"""
