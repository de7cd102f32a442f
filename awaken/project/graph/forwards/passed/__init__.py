"""Functions that are passed on: which functions may be called where, over variables and fields.

Begin with ``components`` (what it answers). ``consumers`` says where the value of an expression
goes, ``function_origins`` where it comes from, ``slots`` what holds it between the two.
"""
