"""The printed names of networks and data sets, and titles that name what was run."""

DATA_NAMES = {"digits": "digits", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10"}
NETWORK_NAMES = {
    "conv2": "Conv2",
    "conv4": "Conv4",
    "conv6": "Conv6",
    "conv7": "Conv7",
    "conv13": "Conv13",
    "conv_net": "Conv-Net",
    "f1": "F1",
    "f2": "F2",
    "lenet_300_100": "LeNet",
    "mlp": "MLP",
    "relu_net": "ReLU-Net",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet50",
    "vgg5": "VGG-5",
    "vgg11": "VGG-11",
}
_NAMED_BY_DEPTH = ("conv_net", "relu_net")
_RESNET = "resnet50"  # which has 6n + 2 layers for n blocks in a stage


def network_name(network):
    """The printed name of a `scripts.running.network.Network`, with its layers where the paper tells it by them.

    >>> from scripts.running.network import Network
    >>> network_name(Network("relu_net", {"units": 10, "depth": 4})), network_name(Network("lenet_300_100"))
    ('5-layer ReLU-Net', 'LeNet')
    >>> network_name(Network("resnet50", {"blocks": 3}))
    'ResNet20'
    """
    if network.name == _RESNET and "blocks" in network.arguments:
        return f"ResNet{6 * network.arguments['blocks'] + 2}"
    name = NETWORK_NAMES[network.name]
    depth = network.arguments.get("depth") if network.name in _NAMED_BY_DEPTH else None
    return name if depth is None else f"{depth + 1}-layer {name}"


def data_name(data):
    """The printed name of the data set of `scripts.running.images.Images`."""
    return DATA_NAMES[data.name]


def subject(curves):
    """What was trained on what: all networks and all data sets of some runs.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        Str, e.g. `"Conv2 and Conv4 on CIFAR-10"` or `"VGG-5 on MNIST and ResNet-18 on CIFAR-10"`.
    """
    networks = {}
    for curve in curves:
        training = curve.training
        networks.setdefault(data_name(training.data), {})[network_name(training.network)] = None
    return _listed([f"{_listed([*of])} on {data}" for data, of in networks.items()])


def is_of(curves, networks, data):
    """Whether all runs are of some networks and a data set: those whose limits and numbers a paper has.

    Args:
        curves: list of `Curve`.
        networks: tuple of str, functions of `models`.
        data: str, a data set.
    """
    return all(c.training.network.name in networks and c.training.data.name == data for c in curves)


def _listed(names):
    *most, last = names or [""]
    return f"{', '.join(most)} and {last}" if most else last
