"""Where the command `train-by-reconnect` starts: before Keras, whose backend may be missing or have much to say."""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def main() -> int:
    """Import the library, without what its backend writes meanwhile, and do what the command line says.

    Returns:
        Int, the exit status: 0 if all went well, 1 if an input was refused.
    """
    try:
        with quiet_unless_it_fails():
            import train_by_reconnect.command.main

            train_by_reconnect.command.main.start_backend()
    except ImportError as error:  # it says what is missing
        sys.stderr.write(f"error: {error}\n")
        return 1
    return train_by_reconnect.command.main.main()


def add_inspection(parser: argparse.ArgumentParser) -> None:
    """The arguments of `inspect`: here, as a command line is read before a backend starts."""
    parser.add_argument("file", metavar="FILE", help="a .keras or .h5 file, or a connectivity file")
    parser.add_argument("--picture", metavar="FILE", help="of a connectivity file: draw where the bits are")
    parser.add_argument("--reference", metavar="FILE", help="of a connectivity file: where its initial weights are")


@contextlib.contextmanager
def quiet_unless_it_fails() -> Iterator[None]:
    """Keep back what anybody, native code too, writes to the standard error, and show it only before an exception."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        stream = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stream, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stream, 2)
            os.close(stream)
