"""The registrations of handlers: the step that each becomes, when it runs, what it calls."""
