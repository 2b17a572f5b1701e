"""Command line: `list`, `run NAME`, `queue NAMES`, `status NAME`, `figure NAME` and what else `--help` says."""

import argparse
import json
import os
import signal
import sys

from scripts.backend import BACKENDS
from scripts.quiet import start_quietly


def main(arguments=None):
    """Do what the command line says.

    Args:
        arguments: list of str, or None for those of the process.

    Returns:
        Int, the exit status: 0 if all went well, 1 if an input was refused or a run failed, 130 if interrupted.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.command(parsed) or 0
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="python -m scripts", description="Regenerate the figures of the papers.")
    commands = parser.add_subparsers(required=True)
    commands.add_parser(
        "list", help="show all experiments, at which sizes they are declared, and how long what is published took"
    ).set_defaults(command=_list)
    run = commands.add_parser("run", help="run the trainings of an experiment, then draw it beside its runs")
    run.add_argument("name", metavar="NAME")
    run.add_argument("--only", metavar="TEXT", help="only the trainings whose label contains TEXT")
    run.add_argument("--tensorboard", action="store_true", help="write logs for TensorBoard into each run's folder")
    run.set_defaults(command=_run)
    queue = commands.add_parser(
        "queue", help="run what is not finished yet of several experiments, in their order, for so many minutes"
    )
    queue.add_argument("names", metavar="NAME", nargs="+")
    queue.add_argument("--minutes", type=float, help="begin nothing that would not end by then; default: no end")
    queue.set_defaults(command=_queue)
    for command in (run, queue):
        _add_who_trains(command)
        command.add_argument("--seeds", type=int, nargs="+", help="default: those of the experiment")
        command.add_argument(
            "--data", help="folder of data sets as npz files in Keras' layout; default: Keras' cache, download"
        )
        command.add_argument("--precision", default="float32", choices=["float32", "mixed_float16", "mixed_bfloat16"])
        command.add_argument(
            "--jit", action="store_true", help="compile with XLA, or by torch.compile; JAX compiles without it too"
        )
    status = commands.add_parser("status", help="show what is done, running, failed and missing; also while it runs")
    status.add_argument("name", metavar="NAME")
    status.add_argument("--seeds", type=int, nargs="+", help="default: those of the experiment")
    status.set_defaults(command=_status)
    commands.add_parser("work", help=argparse.SUPPRESS).set_defaults(command=_work)  # what `--workers` starts
    figure = commands.add_parser("figure", help="publish finished runs: NAME.csv, NAME.png and NAME.md in the results")
    figure.add_argument("--suffix", default="", help="after NAME in the files' names, e.g. for a second size")
    figure.add_argument("--force", action="store_true", help="also over what is published of another size")
    figure.set_defaults(command=_figure)
    figure.add_argument("name", metavar="NAME")
    for command in (run, queue, status, figure):
        _add_backend(command)
        command.add_argument("--size", choices=["quick", "laptop", "paper"], help="default: that of the experiment")
        command.add_argument("--results", default="results", help="folder of results; default: results")
    report = commands.add_parser("report", help="write all published results as one self-contained HTML page")
    report.set_defaults(command=_report)
    report.add_argument("--results", default="results", help="folder of results; default: results")
    report.add_argument("--out", help="default: report.html in the folder of results")
    scoreboard = commands.add_parser(
        "scoreboard", help="judge all claims of the papers by the records, and write the table into results/README.md"
    )
    scoreboard.set_defaults(command=_scoreboard)
    scoreboard.add_argument("--results", default="results", help="folder of results; default: results")
    _add_weight_profiles(commands)
    _add_inspect(commands)
    return parser


def _add_who_trains(parser):
    parser.add_argument("--workers", type=int, default=1, help="processes that share cores and memory; default: 1")
    parser.add_argument(
        "--ray", metavar="HOST:PORT|local", help="make the runs on a Ray cluster, or on one started here"
    )
    parser.add_argument("--cores", type=float, default=1, help="with --ray: how many each run takes; default: 1")
    parser.add_argument("--gpus", type=float, default=0, help="with --ray: what part of a GPU, or how many; default: 0")
    parser.add_argument("--shard", metavar="i/n", help="only the i-th part of n, e.g. of a job array: 1/4 to 4/4")
    parser.add_argument(
        "--distribute",
        choices=["mirrored", "data_parallel"],
        help="each training on several devices: by MirroredStrategy (TensorFlow) or keras.distribution (JAX)",
    )
    parser.add_argument(
        "--devices", type=int, help="with --distribute: how many; on a processor so many are simulated; default: all"
    )


def _add_backend(parser):
    parser.add_argument(
        "--backend", choices=BACKENDS, help="of Keras; default: what KERAS_BACKEND or Keras' own file of settings says"
    )


def _add_inspect(commands):
    parser = commands.add_parser(
        "inspect", help="what a saved model holds, or where the bits of a connectivity file are"
    )
    parser.set_defaults(command=_inspect)
    _add_backend(parser)
    parser.add_argument("file", metavar="FILE", help="a .keras or .h5 file, or a connectivity file")
    parser.add_argument("--picture", metavar="FILE", help="of a connectivity file: draw where the bits are")
    parser.add_argument("--reference", metavar="FILE", help="of a connectivity file: where its initial weights are")


def _add_weight_profiles(commands):
    parser = commands.add_parser("weight_profiles", help="draw and measure the weight profiles of any network")
    parser.set_defaults(command=_weight_profiles)
    _add_backend(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--model",
        metavar="NAME|FILE",
        help="a model of keras.applications, a network of the papers, a .keras or .h5 file, or a SavedModel folder",
    )
    what.add_argument(
        "--train", action="store_true", help="train a small network on digits with Adam and LaPerm, and draw that"
    )
    parser.add_argument(
        "--weights",
        metavar="imagenet|random|FILE",
        help="of a named model; default: imagenet. For a network of LaPerm's authors: the folder with their files",
    )
    parser.add_argument("--alpha", type=float, help="width of a MobileNet")
    parser.add_argument("--no-top", action="store_true", help="without the last, fully connected layers")
    parser.add_argument("--input-shape", type=int, nargs=3, metavar=("HEIGHT", "WIDTH", "CHANNELS"))
    parser.add_argument("--classes", type=int, help="number of outputs")
    parser.add_argument(
        "--layer",
        help="the layer, or the kernel's path, to draw alone; default: the largest kernel; with --train: dense1",
    )
    parser.add_argument("--out", default="drawn", help="folder of the pictures; default: drawn")
    parser.add_argument("--force", action="store_true", help="also over files of that name in another folder")
    parser.add_argument("--name", help="how the files' names begin; default: the model's name")
    parser.add_argument("--title", help="of the whole network's picture; default: the model's name")
    parser.add_argument("--format", default="png", choices=["png", "pdf", "svg"])
    parser.add_argument("--steps", action="store_true", help="draw too how such a picture comes about, in four steps")
    parser.add_argument("--no-scores", action="store_true", help="do not write the table of scores")
    parser.add_argument("--seed", type=int, default=0, help="of random weights, scores and trainings; default: 0")
    parser.add_argument("--epochs", type=int, default=40, help="with --train; default: 40")


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
    from scripts.publishing.publish import publish, refuse_another_size

    size = parsed.size or find(parsed.name).default_size
    if not parsed.force:
        refuse_another_size(parsed.name, size, parsed.results, parsed.suffix)
    print(publish(parsed.name, size, parsed.results, parsed.results, parsed.suffix))


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

    run(parsed)


def _inspect(parsed):
    start_quietly(parsed.backend)
    from train_by_reconnect.command.main import inspected

    print("\n".join(inspected(parsed)))


if __name__ == "__main__":
    sys.exit(main())
