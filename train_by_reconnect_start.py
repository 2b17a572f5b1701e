"""Where the command `train-by-reconnect` starts, and what is known of it before Keras and its backend are imported."""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def main() -> int:
    """Do what the command line says.

    Returns:
        Int, the exit status: 0 if all went well, 1 if an input was refused.
    """
    import train_by_reconnect.command.main

    return train_by_reconnect.command.main.main()


def add_inspection(parser: argparse.ArgumentParser) -> None:
    """The arguments of `inspect`: here, as a command line is read before a backend starts."""
    parser.add_argument("file", metavar="FILE", help="a .keras or .h5 file, or a connectivity file")
    parser.add_argument("--picture", metavar="FILE", help="of a connectivity file: draw where the bits are")
    parser.add_argument("--reference", metavar="FILE", help="of a connectivity file: where its initial weights are")


def add_profiling(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what to do with weight profiles, whoever names the network."""
    parser.add_argument("--seed", type=int, default=0, help="of random weights and of the nulls; default: 0")
    parser.add_argument(
        "--draws",
        type=int,
        default=19,
        metavar="N",
        help="of each null, for p-values of at least 1 / (N + 1), or 0 for the scores alone; default: 19",
    )
    parser.add_argument("--html", metavar="FILE", help="write one page with the scores, small pictures and words")
    parser.add_argument("--csv", metavar="FILE", help="write all scores, or all differences, as a table")
    parser.add_argument(
        "--fail-if",
        metavar="CONDITION",
        action="append",
        default=[],
        help='e.g. "plain<0.5", by < <= > >= on a column of --csv: exit status 2 where a kernel meets it; repeatable',
    )
    parser.add_argument("--against", metavar="NAME|FILE", help="compare with this one, kernel by kernel, instead")
    parser.add_argument(
        "--layout",
        choices=["keras", "torch"],
        help="where a file does not say which axis numbers the neurons: last, first",
    )
    parser.add_argument("--no-scores", action="store_true", help="no table of scores")


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
