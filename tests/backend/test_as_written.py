"""What a step runs once, outside of what is compiled: nothing rewrites it."""

from backends import only_on

from train_by_reconnect import backend


@only_on("torch", "it compiles what a step calls")
def test_torch_does_not_compile_it():
    import torch

    compiling = []

    def function():
        compiling.append(torch.compiler.is_compiling())

    def step(x):
        backend.as_written(function)()
        return x + 1

    # The second call is of the function alone, which is compiled with the step that calls it.
    torch.compile(step, backend="eager")(torch.ones(1))
    torch.compile(lambda x: (function(), x + 1)[1], backend="eager")(torch.ones(1))
    assert compiling == [False, True]
