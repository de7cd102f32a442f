"""All that runs in the process that runs foreign code; nothing else of awaken imports it.

``foreign_serving`` loads the code and answers for one file after the other, ``forking`` makes the
processes in which that happens and keeps the limits of time; ``isolation`` keeps code from the
network and from files; ``libcst_commands`` and ``bowler_scripts`` know what they run.
"""
