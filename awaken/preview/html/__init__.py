"""The report as one HTML page, for people who decide about a migration that they did not run.

Begin with ``report_page``; ``page_parts`` draws the changes of a file, ``markup`` colours code.
"""
