"""Where the active parameters of 5-layer ReLU-Nets on MNIST are; Fig. 5.

Claim: the parameters with the largest components of the full-batch gradient are spread over all layers of a narrow
network, and concentrated in the very bottom and the very top layer of a wide one (Li and Banerjee 2021, section 5).

Command: `python -m scripts run rich_fig5 --jit --data DIR`; then `python -m scripts figure rich_fig5`.

Four hidden layers; alpha = 1, 10 and 30 % of all parameters are counted after every epoch on 10,000 images, equally
many of each class. The laptop size has widths 100 and 1,000, 15 epochs and three seeds; the paper 100 and 5,000, 100
epochs and five. It prints a learning rate of 0.1 for Adam: this is the second picture, and a usual 0.001 the first.
Components of the gradient that are exactly 0, as those of dead ReLUs, are never counted.
"""

from scripts.rich.activity_settings import relu_nets

EXPERIMENT = relu_nets("rich_fig5", "mnist")
