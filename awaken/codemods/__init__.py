"""The rules: one folder per family, one module or package per rule, found by discovery.

To write one, start with ``docs/writing-rules.md``; ``awaken new-rule FAMILY/NAME`` makes its files.
"""
