"""A file system that counts its operations and fails, or dies, at a chosen one."""

from __future__ import annotations

from awaken.engine.machine.filesystem import FileSystem


class Killed(BaseException):
    """The process is gone: no cleanup may touch the disk any more."""


class FaultyFileSystem(FileSystem):
    """Raises ``fault`` instead of operation number ``at`` (1-based); 0 never.

    ``lasting`` makes all later operations fail as well, which is what a kill does. A ``torn``
    write leaves half of its bytes. Nothing waits for a disk, so that thousands of runs are quick.
    """

    def __init__(self, at=0, fault=None, *, lasting=False, torn=False):
        self.at = at
        self.fault = fault
        self.lasting = lasting
        self.torn = torn
        self.operations = []

    def _step(self, name, path=None):
        self.operations.append(name)
        count = len(self.operations)
        if count == self.at or (self.lasting and 0 < self.at < count):
            if isinstance(self.fault, OSError):
                # As from the system: operations on descriptors know no name.
                raise OSError(self.fault.errno, self.fault.strerror, path)
            raise self.fault

    def create(self, path, mode):
        self._step("create", path)
        return super().create(path, mode)

    def write(self, descriptor, content):
        try:
            self._step("write")
        except BaseException:
            if self.torn and len(self.operations) == self.at:
                super().write(descriptor, content[: len(content) // 2])
            raise
        return super().write(descriptor, content)

    def set_owner(self, descriptor, user, group):
        self._step("set_owner")
        super().set_owner(descriptor, user, group)

    def copy_attributes(self, descriptor, like):
        self._step("copy_attributes")
        super().copy_attributes(descriptor, like)

    def set_mode(self, descriptor, mode):
        self._step("set_mode")
        super().set_mode(descriptor, mode)

    def sync(self, _descriptor):
        self._step("sync")

    def sync_directory(self, _path):
        self._step("sync_directory")

    def replace(self, source, target):
        self._step("replace", source)
        super().replace(source, target)

    def remove(self, path):
        self._step("remove", path)
        super().remove(path)

    def make_directory(self, path, mode):
        self._step("make_directory", path)
        super().make_directory(path, mode)

    def remove_directory(self, path):
        self._step("remove_directory", path)
        super().remove_directory(path)
