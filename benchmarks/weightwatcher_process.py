"""One model measured by one tool, in a process of the tool's own environment; started by `weightwatcher.py`.

It prints JSON: the seconds, the peak memory of the process, the layers with a result, and what else was said.
"""

import contextlib
import functools
import io
import json
import os
import pathlib
import re
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def model_of(file, mobilenet):
    """What a file stands for: MobileNet with these weights, a folder of safetensors, or a Keras model."""
    if pathlib.Path(file).is_dir():
        return file
    import keras

    if mobilenet:
        return keras.applications.MobileNet(alpha=0.25, weights=file)
    return keras.models.load_model(file, compile=False)


def by_weightwatcher(file, mobilenet):
    """The layers it has rows for, and what it printed."""
    import weightwatcher

    if not os.path.isdir(file):
        import keras  # noqa: F401 - imports are not timed

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        start = time.perf_counter()
        details = weightwatcher.WeightWatcher(model=model_of(file, mobilenet)).analyze()
        seconds = time.perf_counter() - start
    names = [str(name).removesuffix(".weight") for name in details["longname" if os.path.isdir(file) else "name"]]
    return names, said.getvalue(), seconds


def by_us(file, mobilenet, draws=19):
    """The layers that have a profile, and its words on all else."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
    from train_by_reconnect import profile

    if not os.path.isdir(file):
        import keras  # noqa: F401 - imports are not timed
    start = time.perf_counter()
    path = next(pathlib.Path(file).glob("*.safetensors")) if pathlib.Path(file).is_dir() else file
    found = profile(model_of(file, mobilenet) if mobilenet else path, n_draws=draws)
    said = found.summary() + "".join(f"\n{each.name}: {each.reason}" for each in found.skipped)
    return [kernel.name for kernel in found.kernels], said, time.perf_counter() - start


if __name__ == "__main__":
    _, tool, given, is_mobilenet = sys.argv
    tools = {"weightwatcher": by_weightwatcher, "us": by_us, "scores": functools.partial(by_us, draws=0)}
    rows, words, taken = tools[tool](given, is_mobilenet == "1")
    status = pathlib.Path("/proc/self/status").read_text()
    peak = 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])
    print("\n" + json.dumps({"rows": rows, "said": words, "seconds": taken, "peak": peak}))
