"""The loss, its gradients and a training step as the current backend runs them, chosen here and nowhere else."""

import keras

if keras.backend.backend() == "tensorflow":
    from scripts.rich.tensorflow_compiled import forward_pass, gradients_of, train_step
elif keras.backend.backend() == "jax":
    from scripts.rich.jax_compiled import forward_pass, gradients_of, train_step
else:
    from scripts.rich.torch_compiled import forward_pass, gradients_of, train_step

__all__ = ["forward_pass", "gradients_of", "train_step"]
