"""See and measure the weight profiles of a network: `python -m scripts weight_profiles --model NAME|FILE`."""

import functools
import math
import pathlib
import re

import keras
import matplotlib.animation
import matplotlib.figure
from tqdm import tqdm

from scripts.profiles.draw_matrix import draw_pair, draw_steps
from scripts.profiles.networks import load_network
from scripts.profiles.scores import profile_scores, write_scores
from scripts.running.files import replacing
from train_by_reconnect import weight_profiles
from train_by_reconnect.command.profiles import profiles_of
from train_by_reconnect.instrument.draw_sheets import draw_sheets

DPI = 110  # 7 points, the smallest text of a sheet, are then 11 pixels
PAIR_DPI = 96
DRAWN = "drawn"  # where pictures go by default: a folder that git ignores


def run(parsed):
    """Do what the options say, and print the files that were written.

    Args:
        parsed: the options of the command, as parsed by `scripts.__main__`.

    Returns:
        Int, the exit status: 0, or 2 where a kernel meets a `--fail-if`.

    Raises:
        ValueError: as in `load_network` and `train_by_reconnect.weight_profiles`, or a layer that does not exist.
        OSError: as in `load_network`, or a folder that cannot be written to.
    """
    stem = parsed.name or ("training" if parsed.train else _file_name(parsed.model)) + "_against" * bool(parsed.against)
    _refuse_existing(pathlib.Path(parsed.out), stem, parsed)
    if parsed.train:
        return _said(_train(parsed, stem))
    find = functools.partial(_found, parsed)
    if parsed.against or _has_no_keras_model(parsed.model):
        # Of weights without a model there is the sheet, and no picture of one matrix.
        picture = pathlib.Path(parsed.out) / f"{stem}.{parsed.format}"
        picture.parent.mkdir(parents=True, exist_ok=True)
        return _answered(profiles_of(parsed, find, parsed.model, str(picture)))
    model = find(parsed.model)
    _said(_profile(parsed, stem, model))
    if not (parsed.html or parsed.csv or parsed.fail_if):
        return 0
    return _answered(profiles_of(parsed, lambda _: model, parsed.model))


def _said(written):
    """Print the files as they are written; 0."""
    for path in written:
        print(path, flush=True)
    return 0


def _answered(answer):
    print("\n".join(answer.lines))
    return answer.status


def _has_no_keras_model(name_or_file):
    path = pathlib.Path(name_or_file)
    if (path / "saved_model.pb").exists():
        return True
    return path.is_file() and (path.name.endswith(".weights.h5") or path.suffix not in (".keras", ".h5", ".hdf5"))


def _found(parsed, name_or_file):
    """What is measured: a file without a model as it is, and of all else the model."""
    if _has_no_keras_model(name_or_file):
        return name_or_file
    keras.utils.set_random_seed(parsed.seed)
    if name_or_file != parsed.model and pathlib.Path(name_or_file).exists():
        return load_network(name_or_file)  # the options are of `--model`, and of another named one
    return load_network(name_or_file, parsed.weights, **_model_arguments(parsed))


def _refuse_existing(folder, stem, parsed):
    """Refuse to replace what may be of other weights, but in the folder for what is only looked at."""
    names = [f"{stem}.{parsed.format}", f"{stem}_pair.{parsed.format}", f"{stem}.csv", f"{stem}.gif"]
    there = [name for name in names if (folder / name).exists()]
    if there and not parsed.force and parsed.out != DRAWN:
        raise ValueError(
            f"{folder} holds files of that name, perhaps of other weights. Received: {', '.join(there)}. Choose "
            "another --name or --out, or replace them with --force."
        )


def _profile(parsed, stem, model):
    profiles = weight_profiles(model)
    chosen = choose(profiles, parsed.layer, model)
    title = parsed.title or _describe(parsed, model, profiles)
    folder = pathlib.Path(parsed.out)

    progress = functools.partial(tqdm, desc="profiles", unit="matrix", disable=None)  # shown on a terminal only
    for page, figure in enumerate(draw_sheets(profiles, title, chosen.name, progress), start=1):
        yield _save(figure, folder / f"{stem}{f'_{page}' if page > 1 else ''}.{parsed.format}")
    figure = matplotlib.figure.Figure(figsize=(9.6, 7.6))
    draw_pair(figure, chosen)
    yield _save(figure, folder / f"{stem}_pair.{parsed.format}", PAIR_DPI)
    if parsed.steps:
        figure = matplotlib.figure.Figure(figsize=(12, 3.4))
        draw_steps(figure, chosen)
        yield _save(figure, folder / f"{stem}_steps.{parsed.format}")
    if not parsed.no_scores:
        write_scores(folder / f"{stem}.csv", profile_scores(model, parsed.seed))
        yield folder / f"{stem}.csv"


def choose(profiles, name, model):
    """The profile to draw alone.

    Args:
        profiles: list of `WeightProfile`, all of the model.
        name: str, a layer or the path of a kernel; or None for the largest kernel. Of a layer with several kernels
            the largest is taken.
        model: the model, for the error message.

    Returns:
        `WeightProfile`.

    Raises:
        ValueError: there is no such layer.
    """
    candidates = [profile for profile in profiles if name in (None, profile.name)]
    candidates = candidates or weight_profiles(model, name)
    return max(candidates, key=lambda profile: math.prod(profile.shape))


def _model_arguments(parsed):
    given = {"alpha": parsed.alpha, "classes": parsed.classes}
    if parsed.input_shape:
        given["input_shape"] = tuple(parsed.input_shape)
    if parsed.no_top:
        given["include_top"] = False
    return {name: value for name, value in given.items() if value is not None}


def _file_name(name_or_file):
    """A file's name without its ending, or a network's name."""
    name = pathlib.Path(name_or_file).resolve().name
    return re.sub(r"(\.weights)?\.(keras|h5|hdf5|safetensors|pt|pth|bin|onnx|txt|vec)$", "", name)


def _describe(parsed, model, profiles):
    weights = sum(math.prod(profile.shape) for profile in profiles)
    said = f", {pathlib.Path(parsed.weights).name} weights" if parsed.weights in ("imagenet", "random") else ""
    return f"{_file_name(parsed.model)}{said}: {len(profiles)} weight matrices, {_count(weights)} weights"


def _count(number):
    for size, letter in ((1e6, "million"), (1e3, "thousand")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return str(number)


def _save(figure, path, dpi=DPI):
    with replacing(path) as partial:
        figure.savefig(partial, dpi=dpi, format=path.suffix[1:])
    return path


def _train(parsed, stem):
    from scripts.profiles.draw_training import animate, draw_strip, record

    layer = parsed.layer or "dense1"
    recordings = record(layer, parsed.epochs, seed=parsed.seed)
    folder = pathlib.Path(parsed.out)
    figure = matplotlib.figure.Figure(figsize=(13, 6.2))
    draw_strip(figure, recordings, layer)
    yield _save(figure, folder / f"{stem}.{parsed.format}")
    with replacing(folder / f"{stem}.gif") as partial:
        animate(recordings, layer).save(partial, writer=matplotlib.animation.PillowWriter(fps=6))
    yield folder / f"{stem}.gif"
