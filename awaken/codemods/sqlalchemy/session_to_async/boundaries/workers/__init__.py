"""Tasks of workers: ``tasks`` tells what stops them, ``task_calls`` writes calls of them."""
