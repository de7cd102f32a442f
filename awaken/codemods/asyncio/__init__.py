"""Rules about coroutines, tasks and event loops."""
