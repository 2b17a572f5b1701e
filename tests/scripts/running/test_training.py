"""What a training is declared as, and what is refused while it is declared."""

import pytest
from backends import to_numpy

from scripts.running.declaration import described
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import BestEpochKept, Observation, ZerosKept, weight_vectors
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Constant, Cosine, Decay, Drops, Halving
from scripts.running.training import Training, changed

ADAM = Training("Adam", Images("digits", limit=100), Network("f1"), epochs=2, batch_size=50)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (Constant(), [0.8, 0.8, 0.8, 0.8]),
        (Decay(0.5), [0.8, 0.4, 0.2, 0.1]),
        (Drops({1: 2, 3: 4}), [0.8, 0.4, 0.4, 0.1]),
        (Halving(2), [0.8, 0.8, 0.4, 0.4]),
        # Half a period over four epochs: the cosines are 1, sqrt(1/2), 0 and -sqrt(1/2).
        (Cosine(), [0.8, 0.4 * (1 + 0.5**0.5), 0.4, 0.4 * (1 - 0.5**0.5)]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_schedules_by_hand(schedule, rates):
    optimizer = Optimizer(learning_rate=0.8, schedule=schedule)
    assert [optimizer.rate(epoch, 4) for epoch in range(4)] == pytest.approx(rates)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Optimizer("adma"), "optimizer|`name` must be one of .* Received: name='adma'. Did you mean 'adam'"),
        (lambda: Optimizer(around="lapern"), "`around` must be .* Received: around='lapern'. Did you mean 'laperm'"),
        (lambda: Optimizer(arguments={"sync_period": 3}), "for what is `around`.*Received: arguments=.*Leave them out"),
        (lambda: Network("conv3"), "`name` must be one of .*Received: name='conv3'"),
        (lambda: Network("conv2", initializer="he"), "`initializer` must be one of .*Received: initializer='he'"),
        (lambda: Images("mnits"), "Did you mean 'mnist'"),
        (lambda: Images("mnist", "z"), "`scaling` must be one of"),
    ],
)
def test_a_misspelt_choice_is_refused_where_it_is_declared(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_changes_within_parts_and_of_whole_parts():
    other = changed(
        ADAM, {"optimizer": {"name": "sgd"}, "epochs": 5}, {"optimizer": {"learning_rate": 0.1}}, label="SGD"
    )
    assert other.optimizer == Optimizer("sgd", 0.1)
    assert (other.label, other.epochs, other.data) == ("SGD", 5, ADAM.data)
    assert changed(ADAM, network=Network("f2")).network == Network("f2")
    assert ADAM.optimizer == Optimizer()


def test_a_declaration_says_everything():
    said = described(changed(ADAM, observers=(ZerosKept(),)))
    assert said["observers"] == [{"class": "ZerosKept"}]
    assert said["optimizer"]["schedule"] == {"class": "Constant"}
    assert said["data"]["validation"] == 0


def test_the_penalty_is_on_whatever_is_trained():
    # The loss of an L2 penalty of 0.5 is half the sum of the squares: its gradient is the weight itself.
    prepared = changed(ADAM, optimizer=Optimizer("sgd", l2=0.5)).prepare(0)
    (rows,) = weight_vectors(prepared.model)
    (loss,) = prepared.model.losses
    assert float(to_numpy(loss)) == pytest.approx(0.5 * float((rows**2).sum()), rel=1e-5)
    assert rows.shape == (10, 64)


def test_laperm_has_no_best_epoch():
    laperm = Optimizer(around="laperm", arguments={"sync_period": 2})
    with pytest.raises(ValueError, match=r"LaPerm has accuracies after synchronizations.*Leave one of them out"):
        changed(ADAM, optimizer=laperm, observers=(BestEpochKept(),)).prepare(0)


def test_an_observer_adds_to_the_summary():
    class Counting:
        def observe(self, prepared):
            return Observation(summary=lambda: {"steps": prepared.steps_per_epoch * prepared.epochs})

    assert changed(ADAM, observers=(Counting(),)).prepare(0).summary()["steps"] == 4
