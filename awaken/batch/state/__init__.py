"""The state of a campaign: an append-only log, one line per step of a repository.

``records`` has the types, ``state_log`` reads and appends, ``repository_progress`` says where each
repository is now, ``selecting`` which of them a run is about, and ``campaign_folder`` has the lock.
"""
