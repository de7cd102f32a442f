"""The LibCST helpers, for rewriters and for the engine; nothing else imports LibCST.

Read any module alone: ``call_arguments``, ``parameters``, ``statements``, ``comments`` and
``import_lines`` edit one construct each; ``parentheses`` and ``outer_parentheses`` know where
Python needs them; ``line_breaks`` lays out long lines as black does, ``chains`` the calls of
a chain; ``relationships`` edits how they load; ``shapes`` compares trees.
"""
