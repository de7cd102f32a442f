"""The answers of ``awaken explain`` about one place of a program.

Begin with ``explain_place``, which runs the project and finds the sites at the place; ``no_site``
answers where there is none.
"""
