"""How similar weight profiles are, in one table: real weights, initializer draws and weights made dissimilar.

`python -m scripts.profiles.score_table DIR` prints it; DIR holds the weights that `weight_profiles/README.md` names.
"""

import argparse
import functools
import pathlib

import keras
import tqdm

from models.published import load_published
from scripts.profiles.scores import profile_scores
from scripts.publishing.tables import markdown_table
from scripts.running.circumstances import circumstances
from train_by_reconnect import make_dissimilar

MOBILENET = "mobilenet_2_5_224_tf.h5"
MOBILENET_V2 = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
HEAD = (
    *("network", "kernels", "plain: median (range)", "initializer", "Gaussian", "shuffled"),
    *("standardized: median (range)", "initializer", "Gaussian", "shuffled", "Gaussian profile"),
    *("plain, unexplained / Gaussian's", "standardized, unexplained / Gaussian's", "/ shuffled's"),
)


def mobilenet(weights=None, dissimilar=False):
    """MobileNet 0.25 from a file, or as Keras initializes it, or that made dissimilar."""
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNet(alpha=0.25, weights=weights)
    if dissimilar:
        make_dissimilar(model, seed=0)
    return model


def networks(directory):
    """The networks of the table, of weights in a folder: dict from a title to a function that makes the network."""
    directory = pathlib.Path(directory)
    v2 = functools.partial(keras.applications.MobileNetV2, alpha=0.35, include_top=False, input_shape=(224, 224, 3))
    published = {"ResNet-50, LaPerm, p = 0": "resnet50", "Conv7, LaPerm": "Conv7"}
    published.update({f"ResNet-50, LaPerm, p = {p} %": f"resnet50_{p}" for p in (30, 50, 70)})
    return {
        "MobileNet 0.25, ImageNet": lambda: mobilenet(directory / MOBILENET),
        "MobileNetV2 0.35, ImageNet": lambda: v2(weights=directory / MOBILENET_V2),
        "MobileNet 0.25, random": mobilenet,
        "MobileNet 0.25, random, made dissimilar": lambda: mobilenet(dissimilar=True),
        **{title: functools.partial(load_published, name, directory) for title, name in published.items()},
    }


def lines(title, scores):
    """The cells of each line of one network: depthwise kernels, whose vectors are short, apart from the others."""
    has_one_filter = scores["shape"].map(lambda shape: len(shape) == 4 and shape[-1] == 1)
    is_depthwise = has_one_filter & (scores["units"] > 1)
    if not is_depthwise.any():
        return [_cells(title, scores)]
    return [
        _cells(f"{title}, depthwise", scores[is_depthwise]),
        _cells(f"{title}, other kernels", scores[~is_depthwise]),
    ]


def _cells(title, scores):
    cells = [title, str(len(scores))]
    for measure in ("plain", "standardized"):
        own = scores[measure]
        cells.append(f"{own.median():.3f} ({own.min():.3f} to {own.max():.3f})")
        cells += [f"{scores[f'{measure}_{null}'].median():.3f}" for null in ("initializer", "gaussian", "shuffled")]
    cells.append(f"{scores['gaussian_profile'].median():.3f}")
    for measure, null in (("plain", "gaussian"), ("standardized", "gaussian"), ("standardized", "shuffled")):
        own, noise = scores[measure], scores[f"{measure}_{null}"]
        ratio = ((1 - own) / (1 - noise)).median()
        cells.append(f"{ratio:.2f} (less alike in {(own < noise).sum()} of {len(own)})")
    return cells


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", help="folder of weights")
    parsed = parser.parse_args()
    found = []
    for title, build in tqdm.tqdm(networks(parsed.directory).items(), unit="network", leave=False):
        found += lines(title, profile_scores(build(), seed=0))
    print(f"{markdown_table(HEAD, found)}\n\nSeed 0; {'; '.join(circumstances().values())}.")


if __name__ == "__main__":
    main()
