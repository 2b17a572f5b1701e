"""Packages that only some of the library needs: what is said where one is missing."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def needing(package: str, what: str, extra: str, received: str, instead: str) -> Iterator[None]:
    """Say what to do where an import fails for want of a package.

    Args:
        package: str, as people know it.
        what: str, what needs it.
        extra: str, the extra of this project that brings it.
        received: str, what was asked for.
        instead: str, what does without it.

    Raises:
        ImportError: in place of the one that was raised within.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{what} needs {package}, which is not installed. Received: {received}. Run `pip install "
            f'"train-by-reconnect[{extra}]"`, or {instead}.'
        ) from error
