"""Command line: `list`, `run`, `queue`, `figure`, `scoreboard`, `report`, `weight_profiles` and `inspect`."""

import argparse
import os
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
    queue.add_argument("--workers", type=int, default=1, help="processes that share the accelerator; default: 1")
    queue.add_argument("--until", type=float, help=argparse.SUPPRESS)  # what a queue tells its workers
    queue.set_defaults(command=_queue)
    for command in (run, queue):
        command.add_argument("--seeds", type=int, nargs="+", help="default: those of the experiment")
        command.add_argument(
            "--data", help="folder of data sets as npz files in Keras' layout; default: Keras' cache, download"
        )
        command.add_argument("--precision", default="float32", choices=["float32", "mixed_float16", "mixed_bfloat16"])
        command.add_argument(
            "--jit", action="store_true", help="compile with XLA, or by torch.compile; JAX compiles without it too"
        )
    figure = commands.add_parser("figure", help="publish finished runs: NAME.csv, NAME.png and NAME.md in the results")
    figure.add_argument("--suffix", default="", help="after NAME in the files' names, e.g. for a second size")
    figure.add_argument("--force", action="store_true", help="also over what is published of another size")
    figure.set_defaults(command=_figure)
    figure.add_argument("name", metavar="NAME")
    for command in (run, queue, figure):
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
    start_quietly(parsed.backend)
    from scripts.experiment import find, trainings_of
    from scripts.publishing.publish import publish
    from scripts.running.data_folder import check_data_folder, unused_data_folder
    from scripts.running.runner import Options, size_folder
    from scripts.running.sweep import jobs_of, sweep

    experiment = find(parsed.name)
    check_data_folder(parsed.data)
    size = parsed.size or experiment.default_size
    chosen = [t for t in trainings_of(parsed.name, size) if not parsed.only or parsed.only in t.label]
    if not chosen:
        raise ValueError(f"No training has such a label. Received: --only {parsed.only!r}. Leave it out to run all.")
    if unused := unused_data_folder(chosen, parsed.data):
        print(unused)
    options = Options(parsed.results, parsed.data, parsed.precision, parsed.jit, parsed.tensorboard)
    seeds, failed = parsed.seeds or experiment.seeds[size], 0
    jobs = jobs_of(parsed.name, size, chosen, seeds)
    total = len(jobs)
    for number, outcome in enumerate(sweep(jobs, options), start=1):
        run = f"[{number}/{total}] {outcome.job.training.label}, seed {outcome.job.seed}"
        if outcome.how == "failed":
            failed += 1
            print(f"error: {run}: {outcome.error}", file=sys.stderr, flush=True)
        else:
            print(f"{run}: {_measured(outcome.summary)}, {outcome.how}", flush=True)
    if failed < total:
        folder = size_folder(parsed.name, size, parsed.results)
        print(f"\n{publish(parsed.name, size, parsed.results, folder)}\n\n{folder / parsed.name}.png")
    return 1 if failed else 0


def _queue(parsed):
    start_quietly(parsed.backend)
    from scripts.queue import queue

    return queue(parsed)


def _measured(summary):
    if "test_accuracy" in summary:
        said = f"test accuracy {100 * summary['test_accuracy']:.2f} %"
    else:
        said = f"test error {summary['test_error']:.4f}"
    return f"{said}, {summary['seconds']:.0f} s"


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
