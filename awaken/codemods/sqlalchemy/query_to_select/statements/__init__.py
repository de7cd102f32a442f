"""The statement that the builders of a query come to.

Begin with ``statement`` (what is known of it) and ``builders`` (what each builder adds).
``statement_joins`` declares how every field is joined where two ways meet, ``alike`` how items are.
``join_targets``, ``set_operations`` and ``query_comments`` answer single questions.
"""
