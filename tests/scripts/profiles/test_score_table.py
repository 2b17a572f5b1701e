import types

from scripts.profiles.score_table import HEAD, lines, networks


def score(shape, plain, units=4):
    values = {"plain": plain, "standardized": plain, "gaussian_profile": 0.9}
    for measure in ("plain", "standardized"):
        values |= {f"{measure}_{null}": 0.75 for null in ("initializer", "gaussian", "shuffled")}
    return types.SimpleNamespace(shape=shape, units=units, **values)


def test_a_line_by_hand():
    # Medians of 0.5 and 0.7: 0.6. Unexplained 0.5 and 0.3 against 0.25: ratios 2 and 1.2, median 1.6; both below 0.75.
    (cells,) = lines("net", [score((3, 3, 2, 4), 0.5), score((8, 4), 0.7)])
    assert len(cells) == len(HEAD)
    assert cells[:3] == ["net", "2", "0.600 (0.500 to 0.700)"]
    assert cells[-1] == "1.60 (less alike in 2 of 2)"


def test_depthwise_kernels_have_a_line_of_their_own():
    depthwise, other = lines("net", [score((3, 3, 4, 1), 0.5), score((1, 1, 4, 8), 0.9), score((3, 3, 4, 1), 0.5, 1)])
    assert depthwise[:3] == ["net, depthwise", "1", "0.500 (0.500 to 0.500)"]
    assert other[:2] == ["net, other kernels", "2"]


def test_networks_are_there(pretrained_directory):
    built = networks(pretrained_directory)
    assert built["MobileNet 0.25, ImageNet"]().count_params() == 475_544
    assert built["Conv7, LaPerm"]().count_params() == 325_578
