"""Command line: `list`, `run NAME`, `queue NAMES`, `status NAME`, `figure NAME` and what else `--help` says."""

import json
import os
import signal
import sys

from scripts.arguments import command_line
from scripts.quiet import start_quietly


def main(arguments=None):
    """Do what the command line says.

    Args:
        arguments: list of str, or None for those of the process.

    Returns:
        Int, the exit status: 0 if all went well, 1 if an input was refused or a run failed, 130 if interrupted.
    """
    parsed = command_line().parse_args(arguments)
    try:
        return _COMMANDS[parsed.command](parsed) or 0
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130


def _list(parsed):
    from scripts.listing import listing

    print(listing("results"))


def _run(parsed):
    _start_trainings(parsed)
    from scripts.run import run

    return run(parsed)


def _queue(parsed):
    _start_trainings(parsed)
    from scripts.queue import queue

    return queue(parsed)


def _start_trainings(parsed):
    start_quietly(parsed.backend, parsed.devices, is_trained_here=parsed.workers == 1 and parsed.ray is None)


def _work(parsed):
    spec = sys.stdin.read()
    # What else is printed here must not come among what is told.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this is interrupted too, and ends it
    said = json.loads(spec)
    start_quietly(devices=said["options"]["devices"], is_trained_here=said["ray"] is None)
    from scripts.running.workers import work

    work(spec, lambda message: print(json.dumps(message), file=told, flush=True))


def _status(parsed):
    start_quietly(parsed.backend, is_trained_here=False)
    from scripts.status import status

    print(status(parsed.name, parsed.size, parsed.seeds, parsed.results))


def _figure(parsed):
    start_quietly(parsed.backend)
    from scripts.experiment import find
    from scripts.publishing.publish import publish, refuse_to_replace

    size = parsed.size or find(parsed.name).default_size
    if not parsed.force:
        refuse_to_replace(parsed.name, size, parsed.results, parsed.results, parsed.suffix)
    print(publish(parsed.name, size, parsed.results, parsed.results, parsed.suffix))


def _compare(parsed):
    start_quietly()
    from scripts.publishing.repetition import compare

    print(compare(parsed.name, parsed.results, parsed.earlier, parsed.metric, parsed.suffix))


def _report(parsed):
    from scripts.experiment import names
    from scripts.report.page import write_report

    out = parsed.out or os.path.join(parsed.results, "report.html")
    published = write_report(parsed.results, out)
    print(f"{len(published)} experiments in {out}, {os.path.getsize(out) / 1e6:.1f} MB")
    missing = [name for name in names() if name not in published]
    if missing:
        print(f"Not published yet: {', '.join(missing)}.")


def _scoreboard(parsed):
    start_quietly()
    from scripts.publishing.scoreboard import write_scoreboard

    print(write_scoreboard(parsed.results))


def _weight_profiles(parsed):
    start_quietly(parsed.backend)
    from scripts.profiles.command import run

    return run(parsed)


def _inspect(parsed):
    start_quietly(parsed.backend)
    from train_by_reconnect.command.main import inspected

    print("\n".join(inspected(parsed)))


_COMMANDS = {
    "list": _list,
    "run": _run,
    "queue": _queue,
    "status": _status,
    "work": _work,
    "figure": _figure,
    "compare": _compare,
    "report": _report,
    "scoreboard": _scoreboard,
    "inspect": _inspect,
    "weight_profiles": _weight_profiles,
}


if __name__ == "__main__":
    sys.exit(main())
