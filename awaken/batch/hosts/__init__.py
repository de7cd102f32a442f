"""Code hosts as one port: GitHub through gh, GitLab through glab, or none.

``host_port`` is what they have in common, ``api_program`` runs their programs and reads answers,
``github_host`` and ``gitlab_host`` are the two, and ``choosing`` makes the one of a campaign.
"""
