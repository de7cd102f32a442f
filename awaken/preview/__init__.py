"""The forms in which a report is shown: terminal, one line per finding, JSON, patch.

Every form is one module that turns a ``Report`` into text or bytes; none reads a file or runs
a rule. ``awaken.preview.show`` picks the form.
"""
