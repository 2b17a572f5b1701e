"""PyTorch's `DistributedDataParallel` around a Keras model, in a loop as in Keras' guide, with a Keras optimizer."""

import keras
import torch
import torch.distributed
from torch.nn.parallel import DistributedDataParallel

from scripts.distributed.task import STEPS, Backup, Shares, Trace, network


def train(process, addresses, folder, epochs):
    """Train as one of several processes; arguments as in `scripts.distributed.jax_fit`."""
    store = f"tcp://{addresses[0]}"
    engine = "nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(engine, init_method=store, world_size=len(addresses), rank=process)
    model, initial = network()
    backup, trace = Backup(model, folder, process), Trace(model, initial, folder, process)
    begun = backup.restore()
    shares, loss = Shares(process, len(addresses)), keras.losses.SparseCategoricalCrossentropy()
    replica, variables = DistributedDataParallel(model), model.trainable_variables
    for epoch in range(begun, epochs):
        for step, (x, y) in enumerate(shares.of_epoch(epoch), start=epoch * STEPS + 1):
            model.zero_grad()
            loss(keras.ops.convert_to_tensor(y), replica(keras.ops.convert_to_tensor(x))).backward()
            with torch.no_grad():  # the gradients are the means over all processes by now
                model.optimizer.apply([variable.value.grad for variable in variables], variables)
            trace.after(step)
        backup.save(epoch + 1)
    torch.distributed.destroy_process_group()
