"""The terminal as a device: colours, widths, a pager, a bar.

Begin with ``plain_console`` (where nothing is coloured) and ``console`` (palette, and Rich), then
``text`` and ``page`` (rows of text that fold). ``code`` styles source lines, ``pager`` shows long
output, ``progress_bar`` draws the bar.
"""
