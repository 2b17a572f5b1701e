"""What a step runs once, outside of what is compiled: nothing rewrites it."""

import pytest
from backends import BACKEND

from train_by_reconnect import backend


@pytest.mark.skipif(BACKEND != "torch", reason="TensorFlow's AutoGraph has this by itself, and JAX rewrites nothing")
def test_torch_does_not_compile_it():
    import torch

    compiling = []

    def function():
        compiling.append(torch.compiler.is_compiling())

    def step(x):
        backend.as_written(function)()
        return x + 1

    # Whatever compiles what is traced, it is traced; `function` alone would be, too: that is the second call.
    torch.compile(step, backend="eager")(torch.ones(1))
    torch.compile(lambda x: (function(), x + 1)[1], backend="eager")(torch.ones(1))
    assert compiling == [False, True]
