"""Facts that the text of a file has by itself, stored on disk by content and shared by all runs.

Begin with ``summaries``: what is kept of a text, and under which key. ``table`` is the file on
disk: signed rows, bounded in size, that come back as they were written or not at all.

A summary depends on the text, on awaken's own code and on the Python that runs it; its key covers
all three, and no path. So two projects with the same file share a summary, a file that was renamed
or given an earlier time finds its own, and no text can change the summary of another one.
"""
