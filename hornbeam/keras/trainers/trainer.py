"""``Trainer``: ``compile``, ``fit``, ``evaluate``, ``predict`` and their kin, mixed into ``Model``."""

from __future__ import annotations

from typing import Any

from hornbeam.core.host_failures import original_errors
from hornbeam.keras.trainers import batches, evaluation, fitting, prediction, rate_finder, tuning
from hornbeam.keras.trainers import state_tree as _state_tree
from hornbeam.keras.trainers.arguments import FitOptions, refuse_unknown
from hornbeam.keras.trainers.compilation import Compilation
from hornbeam.keras.trainers.feeds.loading import asked


class Trainer(Compilation):
    """Training, evaluation and prediction of a model."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        **kwargs: Any,
    ) -> Any:
        """Train the model.

        Args:
            x: inputs: arrays (samples along the first axis), a nesting of them, or a source of batches.
            y: targets; none for sources of batches, which give ``(x, y)``.
            batch_size: samples per step, 32 by default.
            epochs: number of the epoch to stop at (``epochs - initial_epoch`` passes are made).
            verbose: 0 silent, 1 progress bar, 2 one line an epoch; "auto" is a bar on a terminal or in a notebook, and
                a line an epoch elsewhere.
            callbacks: callbacks, called in order.
            validation_split: share (0 to 1) of the last samples kept for validation, before shuffling.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or a source of batches; beats ``validation_split``.
            shuffle: a new order each epoch; ``"batch"`` shuffles batches only.
            class_weight: weight of the loss by class number; multiplied with ``sample_weight`` if both are given.
            sample_weight: weight of the loss by sample (or time step); a list or dict of weights for several outputs.
            initial_epoch: number of the first epoch, to continue training.
            steps_per_epoch: batches in an epoch; default one pass over the data. The next epoch takes up where the last
                one stopped.
            validation_steps: batches in a validation; default all.
            validation_batch_size: samples per validation step; default ``batch_size``.
            validation_freq: epochs between validations, or a list of epoch numbers (from 1).
            **kwargs: ``workers``, ``use_multiprocessing`` and ``max_queue_size``: threads or processes that make the
                batches of a ``PyDataset`` ahead, and how many; by default what the source says. Results are the same.
                ``check_numerics=True``: look at the loss and the weights after each batch; at the first NaN or
                infinity stop with a ``FloatingPointError`` that names the layer or gradient where it began. The
                weights are then those of before that batch. Slower, as each step is waited for.

        Returns:
            A ``History``: ``history.history`` holds a list of values per epoch by name.

        Raises:
            ValueError: not compiled, or data that do not fit (``DataError``): then nothing has changed.
            RuntimeError: the model is being trained already.
        """
        check_numerics = bool(kwargs.pop("check_numerics", False))
        loader = refuse_unknown(self.fit, kwargs)
        options = FitOptions(
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            shuffle=shuffle,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
            check_numerics=check_numerics,
        )
        with asked(loader), original_errors(), self._spread():
            return fitting.fit(self, (x, y, sample_weight), validation_split, validation_data, options)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data.

        Args:
            x: inputs, as for ``fit``.
            y: targets.
            batch_size: samples per step, 32 by default.
            verbose: 0 silent, 1 progress bar, 2 one line.
            sample_weight: weight by sample.
            steps: batches to run; default all.
            callbacks: callbacks.
            return_dict: return a dict by name instead of a list.
            **kwargs: ``max_queue_size``, ``workers``, ``use_multiprocessing``, as for ``fit``.

        Returns:
            The loss if there are no metrics, else a list of the loss and the metrics, as Python floats.
        """
        with asked(refuse_unknown(self.evaluate, kwargs)), original_errors(), self._spread():
            return evaluation.evaluate(self, (x, y, sample_weight), batch_size, verbose, steps, callbacks, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Predictions as NumPy arrays.

        Args:
            x: inputs, as for ``fit``.
            batch_size: samples per step, 32 by default.
            verbose: 0 silent, 1 progress bar, 2 one line.
            steps: batches to run; default all.
            callbacks: callbacks.
            **kwargs: ``max_queue_size``, ``workers``, ``use_multiprocessing``, as for ``fit``.

        Returns:
            An array, or a nesting of arrays as the model gives them; batches are joined along the first axis.
        """
        with asked(refuse_unknown(self.predict, kwargs)), original_errors(), self._spread():
            return prediction.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
        reset_metrics: bool = True,
    ) -> Any:
        """One training step on one batch.

        Args:
            x: inputs.
            y: targets.
            sample_weight: weight by sample.
            class_weight: weight by class number.
            return_dict: return a dict by name instead of a list.
            reset_metrics: start the metrics anew; if False they go on from the last call.

        Returns:
            Loss and metrics, as ``evaluate`` returns them.
        """
        with self._spread():
            return batches.on_batch(self, "train", (x, y, sample_weight), class_weight, reset_metrics, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False, reset_metrics: bool = True
    ) -> Any:
        """One evaluation step on one batch; see ``train_on_batch``."""
        with self._spread():
            return batches.on_batch(self, "test", (x, y, sample_weight), None, reset_metrics, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Predictions for one batch, as NumPy arrays."""
        with self._spread():
            return batches.predict_on_batch(self, x)

    # --- state as plain data ---------------------------------------------------------------------
    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Values of all variables in nested dicts, by the parts of their paths.

        Args:
            value_format: ``"backend_tensor"``, or ``"numpy_array"`` for copies on the host.

        Returns:
            Dicts by ``"trainable_variables"``, ``"non_trainable_variables"``, ``"optimizer_variables"`` and
            ``"metrics_variables"``.

        Raises:
            ValueError: two variables have the same path, or another format.
        """
        return _state_tree.get(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Set variables to what ``get_state_tree`` gave; those that the tree does not hold keep their values.

        Raises:
            ValueError: a key that is none of the four.
        """
        _state_tree.set_values(self, state_tree)

    def stateless_compute_loss(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """``compute_loss`` with the values of variables given; the model does not change.

        Returns:
            The loss, and ``(trainable_variables, non_trainable_variables, metrics_variables)`` as they are afterwards.
        """
        groups = (trainable_variables, non_trainable_variables, metrics_variables)
        return _state_tree.stateless_compute_loss(self, *groups, (x, y, y_pred, sample_weight), training)

    # --- beyond Keras ----------------------------------------------------------------------------
    def find_learning_rate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        *,
        lowest: float = 1e-6,
        highest: float = 10.0,
        steps: int = 100,
        stop_factor: float = 4.0,
    ) -> rate_finder.RateSearch:
        """Train a few batches with a rising learning rate, see how the loss goes, and undo all of it.

        Weights, the optimizer's state, metrics and random numbers are afterwards what they were.

        Args:
            x: inputs, as for ``fit``.
            y: targets.
            batch_size: samples per step, 32 by default.
            sample_weight: weight by sample.
            lowest: first learning rate.
            highest: last one; in between they grow by equal factors.
            steps: batches, each with a higher rate; data are gone through again if they do not suffice.
            stop_factor: stop early when the smoothed loss exceeds its minimum so many times.

        Returns:
            An object with ``rates``, ``losses``, ``smoothed``, ``suggestion`` and ``plot()``.

        References: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3.
        """
        return rate_finder.find(self, (x, y, sample_weight), batch_size, lowest, highest, steps, stop_factor)

    def freeze_until(self, layer: Any) -> None:
        """Make all layers before one not trainable, and that one and all after it trainable.

        As with ``trainable`` itself, the next ``compile`` is when training follows.

        Args:
            layer: a layer at any depth, its name, or its position in ``layers``.

        Raises:
            ValueError: the model has no such layer.
        """
        tuning.freeze_until(self, layer)

    def fine_tune(
        self,
        x: Any = None,
        y: Any = None,
        epochs: int = 1,
        *,
        head_epochs: int = 1,
        head: Any = None,
        unfreeze_from: Any = None,
        learning_rate: float | None = None,
        backbone_factor: float = 0.1,
        **fit_arguments: Any,
    ) -> Any:
        """Transfer learning in two phases: first the new layers alone, then the old ones too at a lower rate.

        Both phases compile as ``compile`` was called, each with a new optimizer of the same settings, which keeps
        state for the trained variables only. ``BatchNormalization`` layers of the old part stay frozen.

        Args:
            x: inputs, as for ``fit``.
            y: targets.
            epochs: epochs of the second phase.
            head_epochs: epochs of the first phase.
            head: first of the new layers (layer, name or position). Default: the first with weights behind the last
                inner model; without inner models the last one with weights.
            unfreeze_from: first layer to be trained in the second phase; default all.
            learning_rate: learning rate; default that of the optimizer.
            backbone_factor: by what the rate is multiplied for the old layers.
            **fit_arguments: further arguments of ``fit``, such as ``validation_data``, ``batch_size``, ``callbacks``.

        Returns:
            The ``History`` of both phases.
        """
        arguments = (epochs, head_epochs, head, unfreeze_from, learning_rate, backbone_factor)
        return tuning.fine_tune(self, (x, y), *arguments, fit_arguments)
