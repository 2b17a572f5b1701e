"""PyTorch's `DistributedDataParallel` around a Keras model, in a loop as in Keras' guide, with a Keras optimizer."""

import gc
import socket

import keras
import torch
import torch.distributed
from torch.nn.parallel import DistributedDataParallel

from scripts.distributed.task import STEPS, Backup, Shares, Trace, network


def train(process, addresses, folder, epochs):
    """Train as one of several processes; arguments as in `scripts.distributed.jax_fit`."""
    engine = "nccl" if torch.cuda.is_available() else "gloo"
    store = _store(process, addresses)
    torch.distributed.init_process_group(engine, store=store, world_size=len(addresses), rank=process)
    _train_replica(process, len(addresses), folder, epochs)
    # The replica must be gone by now: whoever frees the group last waits for its threads, and the replica would do so
    # while it keeps Python's lock, for which a thread may be waiting in turn.
    gc.collect()
    torch.distributed.destroy_process_group()


def _train_replica(process, processes, folder, epochs):
    """Train, and leave nothing behind that holds the process group."""
    model, initial = network()
    backup, trace = Backup(model, folder, process), Trace(model, initial, folder, process)
    begun = backup.restore()
    shares, loss = Shares(process, processes), keras.losses.SparseCategoricalCrossentropy()
    replica, variables = DistributedDataParallel(model), model.trainable_variables
    for epoch in range(begun, epochs):
        for step, (x, y) in enumerate(shares.of_epoch(epoch), start=epoch * STEPS + 1):
            model.zero_grad()
            loss(keras.ops.convert_to_tensor(y), replica(keras.ops.convert_to_tensor(x))).backward()
            with torch.no_grad():  # the gradients are the means over all processes by now
                model.optimizer.apply([variable.value.grad for variable in variables], variables)
            trace.after(step)
        backup.save(epoch + 1)


def _store(process, addresses):
    """Where the processes find each other: at the address of the first, and at no other of its machine."""
    host, _, port = addresses[0].rpartition(":")
    options = {"world_size": len(addresses), "is_master": process == 0}
    if process == 0:  # PyTorch itself would listen on all addresses
        listening = socket.create_server((host, int(port)))
        options["master_listen_fd"] = listening.detach()
    return torch.distributed.TCPStore(host, int(port), **options)
