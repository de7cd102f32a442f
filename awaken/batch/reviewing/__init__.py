"""The results of a campaign for people, and their decisions.

``status_page`` counts states, ``review_table`` shows results, on the console and as HTML,
``approving`` writes approvals, and ``phrases`` has phrases that several use.
"""
