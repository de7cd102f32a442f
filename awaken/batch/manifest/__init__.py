"""The manifest of a campaign: its settings, and the list of its repositories.

``campaign_settings`` has the types, ``manifest_file`` reads ``awaken-batch.toml``,
``repository_lists`` the other forms of lists, ``office_hours`` reads those, and ``starting`` writes
a new campaign.
"""
