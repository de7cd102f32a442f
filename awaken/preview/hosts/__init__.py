"""Forms that code hosts and CI servers read.

``github`` writes annotations, ``github_review`` suggestions, ``gitlab`` Code Quality, ``rdjson``
what reviewdog reads, and ``junit`` a test report. ``suggestions`` tells which changes are one
stretch of lines.
"""
