"""The statement that the builders of a query come to.

Begin with ``statement`` (what is known of it, and how each field is joined where two ways meet) and
``builders`` (what each builder adds). ``join_targets``, ``set_operations`` and ``query_comments``
answer single questions.
"""
