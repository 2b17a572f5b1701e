"""Where the active parameters of 3-layer Conv-Nets on MNIST are; Fig. 6.

Claim: the parameters with the largest components of the full-batch gradient are spread over all layers of a narrow
network, and concentrated in the very bottom layer of a wide one (Li and Banerjee 2021, section 5).

Command: `python -m scripts run rich_fig6 --data DIR`; then `python -m scripts figure rich_fig6`.

Two convolutions; alpha = 1, 10 and 30 % of all parameters are counted after every epoch. The laptop size has widths 10
and 64, 2,000 images, equally many of each class, 10 epochs and three seeds; the paper 10,000 images, 100 epochs and
five. Its narrow networks have width 10; the width of the wide ones is not in its text, and here 100 at paper size. Adam
has a usual learning rate of 0.001, not the printed 0.1.
"""

from scripts.rich.activity_settings import conv_nets

EXPERIMENT = conv_nets(2, "mnist")
