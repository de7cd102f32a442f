"""The imports of one file, brought into line with its new text.

Begin with ``reconciling``; ``import_order`` finds the line where a new import goes.
"""
