"""The results of a campaign for people, and their decisions.

``status_page`` counts states, ``review_table`` shows results, ``review_page`` is the same as HTML,
``approving`` writes approvals, and ``phrases`` has phrases that several use.
"""
