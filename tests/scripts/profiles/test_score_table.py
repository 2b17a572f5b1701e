import math

import pandas as pd

from scripts.profiles.score_table import HEAD, lines, networks
from scripts.profiles.scores import write_scores


def score(shape, plain, units=4):
    values = {"shape": shape, "units": units, "plain": plain, "standardized": plain, "gaussian_profile": 0.9}
    for measure in ("plain", "standardized"):
        values |= {f"{measure}_{null}": 0.75 for null in ("initializer", "gaussian", "shuffled")}
    return values


def test_a_line_by_hand():
    # Medians of 0.5 and 0.7: 0.6. Unexplained 0.5 and 0.3 against 0.25: ratios 2 and 1.2, median 1.6; both below 0.75.
    (cells,) = lines("net", pd.DataFrame([score((3, 3, 2, 4), 0.5), score((8, 4), 0.7)]))
    assert len(cells) == len(HEAD)
    assert cells[:3] == ["net", "2", "0.600 (0.500 to 0.700)"]
    assert cells[-1] == "1.60 (less alike in 2 of 2)"


def test_depthwise_kernels_have_a_line_of_their_own():
    scores = pd.DataFrame([score((3, 3, 4, 1), 0.5), score((1, 1, 4, 8), 0.9), score((3, 3, 4, 1), 0.5, 1)])
    depthwise, other = lines("net", scores)
    assert depthwise[:3] == ["net, depthwise", "1", "0.500 (0.500 to 0.500)"]
    assert other[:2] == ["net, other kernels", "2"]


def test_scores_as_text(tmp_path):
    scores = pd.DataFrame({"layer": ["a", "b"], "shape": [(3, 3, 2, 4), (8, 1)], "plain": [0.1 + 0.2, math.nan]})
    write_scores(tmp_path / "scores.csv", scores)
    assert (tmp_path / "scores.csv").read_text() == "layer,shape,plain\na,3x3x2x4,0.30000000000000004\nb,8x1,nan\n"


def test_networks_are_there(pretrained_directory):
    built = networks(pretrained_directory)
    assert built["MobileNet 0.25, ImageNet"]().count_params() == 475_544
    assert built["Conv7, LaPerm"]().count_params() == 325_578
