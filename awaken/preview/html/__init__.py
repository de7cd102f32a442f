"""The report as one HTML page, for people who decide about a migration that they did not run.

Begin with ``report_page``, which also draws the changes of a file, and colours code.
"""
