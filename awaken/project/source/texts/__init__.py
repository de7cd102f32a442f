"""The bytes of all files of a snapshot, searched without parsing any."""
