"""The forms of recipes: their steps, their commits, and the page of ``awaken migrate``.

Begin with ``migration``; ``recipe_steps`` shows one step of a recipe, ``recipe_page`` lists all.
"""
