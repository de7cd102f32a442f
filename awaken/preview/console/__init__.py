"""The terminal as a device: colours, widths, a pager, a bar.

Begin with ``console`` (palette and consoles), then ``page`` (rows of text that fold). ``code``
styles source lines, ``pager`` shows long output, ``progress`` draws the bar.
"""
