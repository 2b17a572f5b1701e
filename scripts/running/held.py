"""A run is one process's at a time: who trains it holds a lock, which the system takes from a process that has died."""

import contextlib
import fcntl
import os
import platform

from scripts.running.files import touch


@contextlib.contextmanager
def held(folder):
    """Hold the run in a folder, if nobody else does.

    The lock is a file beside the folder, with the process and the machine in it for whoever looks. It is not the file
    that counts but the system's lock on it: one that was left by a process that was killed is taken over.

    Args:
        folder: `pathlib.Path` of the run.

    Yields:
        Bool, whether it is held now; False where another living process has it.

    Example:

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp(), "seed_0")
    >>> with held(folder) as first, held(folder) as second:
    ...     first, second
    (True, False)
    """
    path = folder.with_name(f"{folder.name}.lock")
    touch(path)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        if not _is_still(path, file):  # whoever held it has just removed it: that is a lock on nothing
            yield False
            return
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def holder(folder):
    """Who holds the run in a folder, as text, or None where nobody does.

    Example:

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp(), "seed_0")
    >>> with held(folder):
    ...     holder(folder).startswith("process ")
    True
    >>> holder(folder)
    """
    try:
        file = folder.with_name(f"{folder.name}.lock").open()
    except FileNotFoundError:
        return None
    with file:
        try:
            # Shared and for no time: who tries to hold the run meanwhile tries again.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.readline().strip() or "a process that has just begun"
    return None


def _is_still(path, file):
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
