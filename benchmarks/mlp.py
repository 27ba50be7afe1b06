"""The network of the training comparisons, written for each framework as its users write it.

784-128-10, ReLU, logits, Adam with the frameworks' common rate of 0.001, sparse categorical cross-entropy, accuracy,
batches of 32. Imported by workers only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BATCH = 32
RATE = 0.001


def rows(quick: bool) -> int:
    """Number of training rows: the 60,000 of the digits data sets, or a tenth."""
    return 6_400 if quick else 60_000


def keras_model(keras: Any, *, compiled: bool = True) -> Any:
    """The network in Keras; the same lines for Hornbeam, Keras 2 and Keras 3."""
    model = keras.Sequential(
        [
            keras.layers.Input(shape=(784,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    if compiled:
        model.compile(
            optimizer=keras.optimizers.Adam(RATE),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
    return model


class TorchTask:
    """The network, its optimizer and plain loops over a resident tensor in PyTorch."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        nn = torch.nn
        self.model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        for layer in (self.model[0], self.model[2]):  # Keras's initial weights, so that the accuracies can be compared
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE, eps=1e-7)

    def step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        """One training step; returns (loss, logits)."""
        self.optimizer.zero_grad()
        logits = self.model(images)
        loss = self.loss(logits, labels)
        loss.backward()
        self.optimizer.step()
        return loss, logits

    def fit(
        self, images: Any, labels: Any, epochs: int, epoch_ended: Callable[[], object] = lambda: None
    ) -> tuple[float, float]:
        """Train with a new order each epoch; returns the last epoch's (loss, accuracy)."""
        count, loss_sum, right = len(images), 0.0, 0
        self.model.train()
        for _ in range(epochs):
            order = self.torch.randperm(count)
            loss_sum, right = 0.0, 0
            for start in range(0, count, BATCH):
                index = order[start : start + BATCH]
                wanted = labels[index]
                loss, logits = self.step(images[index], wanted)
                loss_sum += loss.item() * len(index)
                right += (logits.argmax(1) == wanted).sum().item()
            epoch_ended()
        return loss_sum / count, right / count

    def predict(self, images: Any) -> Any:
        """Logits of all rows as a NumPy array."""
        self.model.eval()
        with self.torch.no_grad():
            parts = [self.model(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return self.torch.cat(parts).numpy()

    def evaluate(self, images: Any, labels: Any) -> tuple[float, float]:
        """(loss, accuracy) of all rows."""
        self.model.eval()
        count, loss_sum, right = len(images), 0.0, 0
        with self.torch.no_grad():
            for start in range(0, count, BATCH):
                wanted = labels[start : start + BATCH]
                logits = self.model(images[start : start + BATCH])
                loss_sum += self.loss(logits, wanted).item() * len(wanted)
                right += (logits.argmax(1) == wanted).sum().item()
        return loss_sum / count, right / count
