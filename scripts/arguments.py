"""What the command line takes: read before a backend starts, which takes seconds."""

import argparse

from scripts.backend import BACKENDS
from scripts.experiment import SIZES
from train_by_reconnect_start import add_inspection, add_profiling


def command_line():
    """The parser of all commands; `command` is the name of the one that was given, e.g. `"run"`."""
    whole = argparse.ArgumentParser(prog="python -m scripts", description="Regenerate the figures of the papers.")
    commands = whole.add_subparsers(required=True)
    commands.add_parser(
        "list", help="show all experiments, at which sizes they are declared, and how long what is published took"
    ).set_defaults(command="list")
    run = commands.add_parser("run", help="run the trainings of an experiment, then draw it beside its runs")
    run.add_argument("name", metavar="NAME")
    run.add_argument("--only", metavar="TEXT", help="only the trainings whose label contains TEXT")
    run.add_argument("--tensorboard", action="store_true", help="write logs for TensorBoard into each run's folder")
    run.set_defaults(command="run")
    queue = commands.add_parser(
        "queue", help="run what is not finished yet of several experiments, in their order, for so many minutes"
    )
    queue.add_argument("names", metavar="NAME", nargs="+")
    queue.add_argument("--minutes", type=float, help="begin nothing that would not end by then; default: no end")
    queue.set_defaults(command="queue")
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
    status.set_defaults(command="status")
    commands.add_parser("work", help=argparse.SUPPRESS).set_defaults(command="work")  # what `--workers` starts
    figure = commands.add_parser("figure", help="publish finished runs: NAME.csv, NAME.png and NAME.md in the results")
    figure.add_argument("--suffix", default="", help="after NAME in the files' names, e.g. for a second size")
    figure.add_argument("--force", action="store_true", help="also over what is published of another size")
    figure.set_defaults(command="figure")
    figure.add_argument("name", metavar="NAME")
    _add_compare(commands)
    for command in (run, queue, status, figure):
        _add_backend(command)
        command.add_argument(
            "--size",
            choices=SIZES,
            help="quick takes seconds, laptop and overnight are for two cores, paper is the paper's; not every "
            "experiment has all; default: that of the experiment",
        )
        command.add_argument("--results", default="results", help="folder of results; default: results")
    report = commands.add_parser("report", help="write all published results as one self-contained HTML page")
    report.set_defaults(command="report")
    report.add_argument("--results", default="results", help="folder of results; default: results")
    report.add_argument("--out", help="default: report.html in the folder of results")
    scoreboard = commands.add_parser(
        "scoreboard", help="judge all claims of the papers by the records, and write the table into results/README.md"
    )
    scoreboard.set_defaults(command="scoreboard")
    scoreboard.add_argument("--results", default="results", help="folder of results; default: results")
    _add_weight_profiles(commands)
    _add_inspect(commands)
    return whole


def _add_compare(commands):
    compare = commands.add_parser(
        "compare", help="how far the published numbers of an experiment are from those of another day or machine"
    )
    compare.set_defaults(command="compare")
    compare.add_argument("name", metavar="NAME")
    compare.add_argument("earlier", metavar="FOLDER|CSV", help="the other results")
    compare.add_argument("--results", default="results", help="folder of results; default: results")
    compare.add_argument("--suffix", default="", help="after NAME in the files' names")
    compare.add_argument("--metric", help="the column to compare; default: an accuracy, an error or a fraction")


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
    inspect = commands.add_parser(
        "inspect", help="what a saved model holds, or where the bits of a connectivity file are"
    )
    inspect.set_defaults(command="inspect")
    _add_backend(inspect)
    add_inspection(inspect)


def _add_weight_profiles(commands):
    parser = commands.add_parser("weight_profiles", help="draw and measure the weight profiles of any network")
    parser.set_defaults(command="weight_profiles")
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
    add_profiling(parser)
    parser.add_argument("--epochs", type=int, default=40, help="with --train; default: 40")
