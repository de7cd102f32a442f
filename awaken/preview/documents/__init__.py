"""Forms for programs; the docstring of each module is its format.

Begin with ``document``, the report as JSON; ``json_lines``, ``concise`` and ``sarif``
show the same report. ``rule_document``, ``diagnosis_document`` and ``explanation_document`` are the
JSON of the other commands, ``settings_text`` is TOML.
"""
