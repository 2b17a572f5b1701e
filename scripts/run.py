"""The trainings of one experiment, then its picture and table beside its runs."""

import sys

from scripts.experiment import find, trainings_of
from scripts.publishing.publish import publish
from scripts.running.data_folder import check_data_folder, unused_data_folder
from scripts.running.runner import size_folder
from scripts.running.shares import shard
from scripts.running.sweep import jobs_of
from scripts.running.who_trains import check_who_trains, options_of, outcomes


def run(parsed):
    """Do what the options say.

    Args:
        parsed: the options of the command, as parsed by `scripts.__main__`.

    Returns:
        Int, the exit status: 1 if a run failed.

    Raises:
        ValueError: a name, a label or a number is none.
        FileNotFoundError: the folder of data sets is not there.
    """
    check_who_trains(parsed)
    experiment = find(parsed.name)
    check_data_folder(parsed.data)
    size = parsed.size or experiment.default_size
    chosen = [t for t in trainings_of(parsed.name, size) if not parsed.only or parsed.only in t.label]
    if not chosen:
        raise ValueError(f"No training has such a label. Received: --only {parsed.only!r}. Leave it out to run all.")
    if unused := unused_data_folder(chosen, parsed.data):
        print(unused)
    jobs = shard(jobs_of(parsed.name, size, chosen, parsed.seeds or experiment.seeds[size]), parsed.shard)
    failed = ended = 0
    for outcome in outcomes(jobs, options_of(parsed, tensorboard=parsed.tensorboard), parsed):
        ended += 1
        which = f"[{ended}/{len(jobs)}] {outcome.job.training.label}, seed {outcome.job.seed}"
        if outcome.how == "failed":
            failed += 1
            print(f"error: {which}: {outcome.error}", file=sys.stderr, flush=True)
        else:
            print(f"{which}: {_measured(outcome.summary)}, {outcome.how}", flush=True)
    if ended < len(jobs):
        print(f"error: {len(jobs) - ended} runs have not ended: run the same command again", file=sys.stderr)
    if failed < ended:
        folder = size_folder(parsed.name, size, parsed.results)
        print(f"\n{publish(parsed.name, size, parsed.results, folder)}\n\n{folder / parsed.name}.png")
    return int(failed > 0 or ended < len(jobs))


def _measured(summary):
    if "test_accuracy" in summary:
        said = f"test accuracy {100 * summary['test_accuracy']:.2f} %"
    else:
        said = f"test error {summary['test_error']:.4f}"
    return f"{said}, {summary['seconds']:.0f} s"
