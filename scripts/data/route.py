"""How images and batches are made under the current backend, chosen here and nowhere else."""

import keras

if keras.backend.backend() == "tensorflow":
    from scripts.data.tensorflow_route import as_float32, batches, moved, uniform
else:
    from scripts.data.numpy_route import as_float32, batches, moved, uniform

__all__ = ["as_float32", "batches", "moved", "uniform"]
