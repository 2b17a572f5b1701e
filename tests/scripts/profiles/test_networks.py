import keras
import numpy as np
import pytest

from models.published import PUBLISHED
from scripts.profiles.networks import load_network, network_names
from train_by_reconnect import weight_profiles


def small():
    layers = [
        keras.layers.Conv2D(4, 3, name="first"),
        keras.layers.DepthwiseConv2D(3, name="depthwise"),
        keras.layers.Flatten(),
        keras.layers.Dense(2, name="last"),
    ]
    return keras.Sequential([keras.Input((8, 8, 3)), *layers], name="small")


def shapes(network):
    return {profile.layer: profile.unsorted.shape for profile in weight_profiles(network)}


def test_mobilenet_by_name():
    # MobileNet with alpha 1/4 has 32 / 4 = 8 filters of 3 x 3 x 3 = 27 weights, then a 3 x 3 window for each of the 8
    # channels, then 64 / 4 = 16 filters of 8; its last layer gives 1000 classes from 1024 / 4 = 256 channels.
    network = load_network("mobilenet", "random", alpha=0.25)
    found = shapes(network)
    assert list(found.items())[:3] == [("conv1", (8, 27)), ("conv_dw_1", (8, 9)), ("conv_pw_1", (16, 8))]
    assert found["conv_preds"] == (1000, 256)
    assert len(found) == 28


def test_every_application_has_a_name():
    classes = {name for name in dir(keras.applications) if name[0].isupper()}
    assert classes <= set(network_names())
    papers = ["VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "ResNet152V2", "DenseNet121", "DenseNet169"]
    assert {*papers, "DenseNet201", "Xception", "NASNetMobile", "NASNetLarge"} <= set(network_names())


@pytest.mark.parametrize("name", ["MLP", "mlp", "M_l-P"])
def test_names_as_people_write_them(name):
    assert load_network(name, input_shape=(4,), units=(3,)).name == "mlp"


def test_networks_of_the_papers():
    assert shapes(load_network("Conv7"))["conv1"] == (32, 9)
    assert shapes(load_network("f1", "random")) == {"output": (10, 784)}


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_model_in_a_file(ending, tmp_path):
    model = small()
    model.compile("adam", "mse")
    model.save(tmp_path / f"a{ending}")
    loaded = load_network(tmp_path / f"a{ending}")
    assert shapes(loaded) == {"first": (4, 27), "depthwise": (4, 9), "last": (2, 64)}
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_weights_of_a_named_network(ending, tmp_path):
    arguments = {"alpha": 0.25, "include_top": False, "input_shape": (32, 32, 3)}
    model = load_network("MobileNet", "random", **arguments)
    path = tmp_path / f"a{ending}"
    (model.save if ending == ".keras" else model.save_weights)(path)
    loaded = load_network("MobileNet", path, **arguments)
    for expected, weights in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_imagenet_weights_in_the_file_of_keras_2(pretrained_directory):
    path = pretrained_directory / "mobilenet_2_5_224_tf.h5"
    kernel = load_network("MobileNet", path, alpha=0.25).get_layer("conv_preds").kernel.numpy()
    assert (
        kernel.std() > 2 * load_network("MobileNet", "random", alpha=0.25).get_layer("conv_preds").kernel.numpy().std()
    )
    for arguments in ({}, {"alpha": 0.25, "include_top": False}):
        with pytest.raises(ValueError, match=r"must hold the weights of MobileNet .* Received: .* Pass the arguments"):
            load_network("MobileNet", path, **arguments)


def test_published_networks(pretrained_directory):
    assert shapes(load_network("conv7", pretrained_directory))["conv1"] == (32, 9)
    assert load_network("resnet50", pretrained_directory).count_params() == 763_882


def refused(error, said, *arguments, **more):
    with pytest.raises(error) as caught:
        load_network(*arguments, **more)
    message = str(caught.value)
    assert said in message
    assert "Received" in message
    assert "\n" not in message


def test_no_such_network():
    refused(ValueError, "one of: MobileNet", "MobilNet")
    refused(ValueError, "VGG16", "quite another thing")
    refused(ValueError, "There is no file of that name. Received: 'mine.pt'. Pass", "mine.pt")


def test_files_that_are_no_models(tmp_path):
    for name in ("a.keras", "a.h5", "a.txt"):
        (tmp_path / name).write_text("<html>not found</html>")
        refused(ValueError, "must be a model", tmp_path / name)
    (tmp_path / "folder").mkdir()
    refused(ValueError, "a folder of 0 files", tmp_path / "folder")
    small().save_weights(tmp_path / "a.weights.h5")
    refused(ValueError, "give the name of their network, and them by --weights a.weights.h5", tmp_path / "a.weights.h5")


def test_weights_that_do_not_fit(tmp_path):
    arguments = {"alpha": 0.25, "include_top": False, "input_shape": (32, 32, 3)}
    for name in ("a.keras", "a.weights.h5"):
        (small().save if name == "a.keras" else small().save_weights)(tmp_path / name)
        refused(ValueError, "must hold the weights of MobileNet", "MobileNet", tmp_path / name, **arguments)
    (tmp_path / "a.h5").write_text("no")
    refused(ValueError, "must hold the weights of conv7", "conv7", tmp_path / "a.h5")
    refused(ValueError, "existing file", "MobileNet", tmp_path / "none.h5")


def test_arguments_that_are_not_taken(tmp_path):
    refused(ValueError, "VGG16 takes", "VGG16", "random", alpha=1)
    refused(ValueError, "cannot be built", "MobileNet", "random", input_shape=(4, 4, 3))
    small().save(tmp_path / "a.keras")
    refused(ValueError, "nothing else can be set", tmp_path / "a.keras", alpha=1)
    refused(ValueError, "nothing else can be set", tmp_path / "a.keras", "random")
    refused(ValueError, "nothing else can be set", "Conv7", tmp_path, width=2)


def test_published_weights_that_are_not_there(tmp_path):
    refused(FileNotFoundError, "Conv7.h5", "Conv7", tmp_path)
    refused(ValueError, PUBLISHED["resnet50_70"].file, "resnet50_70")


def test_imagenet_weights_where_there_is_no_way_out(monkeypatch):
    def offline(*arguments, **more):
        raise Exception("URL fetch failure")  # as Keras does

    monkeypatch.setattr("keras.src.applications.mobilenet.file_utils.get_file", offline)
    refused(OSError, "--weights FILE", "MobileNet", alpha=0.25)
    refused(ValueError, "no ImageNet weights for such a MobileNet", "MobileNet", alpha=0.3)
