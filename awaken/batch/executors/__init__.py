"""Executors do the work on repositories: threads of this process, or workers of Dask.

``executor_port`` is what both are; ``local_executor`` and ``dask_executor`` are the two.
"""
