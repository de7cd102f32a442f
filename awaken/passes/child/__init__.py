"""All that runs in the process that runs foreign code; nothing else of awaken imports it.

``serving`` loads the code and answers for one file after the other, each in a process of its own;
``isolation`` keeps it from the network and from files; ``libcst_command`` and ``bowler_scripts``
know what they run.
"""
