import keras
import numpy as np

from scripts.experiment import find
from scripts.rich.sorted_gradients import GradientSorter, sorted_components
from scripts.running.files import read_csv


def test_sorted_components_by_hand():
    # 4, 3 and 0: of the squared norm 25 the largest has 16.
    assert sorted_components([np.array([3.0, 0.0]), np.array([[-4.0]])]) == [
        {"rank": 1, "magnitude": 4.0, "norm_share": 0.64},
        {"rank": 2, "magnitude": 3.0, "norm_share": 1.0},
        {"rank": 3, "magnitude": 0.0, "norm_share": 1.0},
    ]
    thinned = sorted_components([np.arange(30_000.0)])
    assert {1, 30, 300, 3000, 15_000, 30_000} <= {row["rank"] for row in thinned}
    assert len(thinned) <= 304
    assert all(row["magnitude"] == 30_000 - row["rank"] for row in thinned)


def test_gradients_are_taken_without_weight_decay_by_hand(tmp_path):
    # One weight w = 2 at x = 1 with the target 0: the gradient of w^2 is 2 w = 4, that of the decay 0.5 w^2 is w = 2.
    # Steps of 0.25 * 3 w: w = 0.5, the gradient 1; then w = 0.125, the gradient 0.25.
    unit = keras.layers.Dense(1, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.5))
    model = keras.Sequential([keras.Input((1,)), unit])
    model.set_weights([np.array([[2.0]])])
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="mse")
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    gradients = GradientSorter(tmp_path / "gradients.csv", x, y, (0, 1, 2))
    model.fit(x, y, epochs=2, verbose=0, callbacks=[gradients])
    rows = read_csv(tmp_path / "gradients.csv")
    assert rows["epoch"].tolist() == [0, 1, 2]
    assert rows["magnitude"].tolist() == [4.0, 1.0, 0.25]


def test_gradients_are_those_of_a_train_step(tmp_path):
    # Normalized with the statistics of its batch, the output does not depend on the offset before: its gradient is 0.
    offset = keras.layers.Dense(1, kernel_initializer="ones", name="offset")
    model = keras.Sequential([keras.Input((1,)), offset, keras.layers.BatchNormalization(scale=False, center=False)])
    model.compile(optimizer="sgd", loss="mse")
    offset.kernel.trainable = False
    x, y = np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [2.0], [3.0]])
    gradients = GradientSorter(tmp_path / "gradients.csv", x, y, (0,))
    gradients.set_model(model)
    gradients.on_epoch_begin(0)
    assert read_csv(tmp_path / "gradients.csv")["magnitude"][0] < 1e-5


def test_settings_are_those_of_the_paper():
    vgg, resnet = find("rich_fig1").trainings["paper"]
    assert (vgg.epochs, vgg.optimizer.name, vgg.data.limit) == (100, "adam", 10_000)
    assert vgg.network.arguments == {"batch_norm": True, "inner_kernel_size": 3}
    assert (resnet.epochs, resnet.optimizer.name, resnet.data.limit) == (180, "nesterov", None)
    assert resnet.optimizer.schedule.every == 30
