"""Requirements that changes add to a project's manifest.

Begin with ``requirements``: which manifest, and what is added to it.
"""
