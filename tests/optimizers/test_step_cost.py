import keras
import pytest
from backends import only_on

from train_by_reconnect import LaPerm, Lookahead


@only_on("tensorflow", "looks into its graph")
@pytest.mark.filterwarnings("ignore:The layer that owns a variable")
@pytest.mark.parametrize("wrapper", [LaPerm, Lookahead])
def test_a_step_without_synchronization_assigns_no_weights(wrapper):
    import tensorflow as tf

    kernel = keras.Variable(tf.ones((4, 3)))
    optimizer = wrapper(keras.optimizers.SGD(0.1))
    optimizer.build([kernel])
    step = tf.function(lambda: optimizer.apply([tf.ones((4, 3))], [kernel])).get_concrete_function()
    operations = step.graph.get_operations()
    kinds = [operation.type for operation in operations]
    assigned = [operation.inputs[1].shape for operation in operations if operation.type == "AssignVariableOp"]
    # SGD updates in place. All assignments of whole weights are inside two conditions, which are false when idle: one
    # keeps the initial weights if the state was set back to before the first step, one synchronizes.
    assert kinds.count("AssignSubVariableOp") == 1
    assert kinds.count("If") == 2
    assert [shape.rank for shape in assigned] == [0]  # the step counter
