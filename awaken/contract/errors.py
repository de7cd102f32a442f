"""The errors that a user can meet: one clear sentence each, which says what to do next."""


class UserError(Exception):
    """Something the user can mend; ``str()`` is the whole sentence, and the command ends with 2."""


class UnusableFile(UserError):
    """A file of one project cannot be used, so that nothing can be done in that project.

    ``path`` is the file as it is shown, ``line`` is 1-based, 0 where unknown, and ``message`` the
    sentence without both.
    """

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line
        self.message = message
