"""The commands of ``awaken batch``: campaigns over many repositories.

``batch_group`` lists them, ``campaign_options`` has the options that several share.
"""
