"""The networks of the papers: architectures only, one function each, whose layers and initializers are arguments."""

from models.conv_net import conv_net
from models.convolutional import conv2, conv4, conv6
from models.dense import f1, f2, lenet_300_100, mlp, relu_net
from models.lenet import conv7
from models.pretrained import initialize_from
from models.published import load_published
from models.residual import resnet18, resnet50
from models.vgg import conv13, vgg5, vgg11

__all__ = [
    "conv2",
    "conv4",
    "conv6",
    "conv7",
    "conv13",
    "conv_net",
    "f1",
    "f2",
    "initialize_from",
    "lenet_300_100",
    "load_published",
    "mlp",
    "relu_net",
    "resnet18",
    "resnet50",
    "vgg5",
    "vgg11",
]
