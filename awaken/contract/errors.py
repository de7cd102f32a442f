"""What a user can meet: one clear sentence that says what to do next."""


class UserError(Exception):
    """Something the user can mend; ``str()`` is the whole sentence, and the command ends with 2."""
