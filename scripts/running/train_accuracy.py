"""The accuracy on training images that the networks see as they are: without dropout and without augmentation."""

import keras


class TrainAccuracy(keras.callbacks.Callback):
    """Evaluate some training images after every epoch, and report it as `train_accuracy`, or as another metric.

    What Keras itself reports as `accuracy` is a mean over the epoch, with dropout and of augmented images.
    """

    def __init__(self, x, y, metric="accuracy"):
        super().__init__()
        self.x, self.y, self.metric = x, y, metric

    def on_epoch_end(self, epoch, logs=None):
        """Add it to the logs."""
        if logs is not None:
            values = self.model.evaluate(self.x, self.y, batch_size=1000, verbose=0, return_dict=True)
            logs[f"train_{self.metric}"] = values[self.metric]
