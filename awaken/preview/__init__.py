"""The forms in which results are shown: every form turns a value into text, and runs nothing.

Begin with ``show``, which picks the form of a report. The forms are in ``terminal`` (for people),
``diffs`` (changes as diffs and patches), ``documents`` (JSON, SARIF, annotations: for programs),
``markdown`` (for pages and trackers) and ``recipes`` (steps of recipes). ``console`` knows colours,
widths and pagers; ``streams`` is the only way to stdout and stderr. Parts that several formats
share are next to ``show``: ``counts``, ``summary``, ``closing``, ``sections``, ``paths``,
``report_places``.
"""
