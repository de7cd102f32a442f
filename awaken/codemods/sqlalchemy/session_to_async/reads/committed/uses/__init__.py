"""Uses of objects by functions: which differ if an object keeps its values.

``object_uses`` collects the uses, ``differing`` compares them.
"""
