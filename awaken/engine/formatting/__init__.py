"""The layout of what was written: long lines, and the project's own formatter.

Begin with ``formatter``, which detects and runs one. ``edited_statements`` takes what it makes
of the edited statements and nothing else; ``long_lines`` breaks lines where no formatter may.
"""
