"""What people see of a campaign, and their decisions.

``status_page`` counts states, ``review_table`` shows results, ``review_page`` is the same as HTML,
``approving`` writes approvals, and ``words`` has phrases that several use.
"""
