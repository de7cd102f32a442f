"""Forms in Markdown: pages of rules, and remaining work for a tracker.

Begin with ``rule_page``, which reads a rule's docstring, and ``rules``, which prints it.
``remaining`` and ``remaining_work`` list what is left to people; ``escaped_text`` writes Markdown
that does what it says.
"""
