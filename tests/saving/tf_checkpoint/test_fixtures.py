"""Checkpoints written by TensorFlow: outputs, and the training steps that follow, equal those of the original."""

from pathlib import Path

import numpy as np
import pytest

from hornbeam import keras
from hornbeam import train as tf_train
from hornbeam.saving.tf_checkpoint.model_weights import load_weights
from hornbeam.tensors.variable import Variable

layers = keras.layers
FIXTURES = Path(__file__).parent / "data"
pytestmark = [
    pytest.mark.format,
    pytest.mark.numeric,
]


def mlp():
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, "relu", name="d1"),
            layers.Dense(6, "tanh", use_bias=False, name="d2"),
            layers.Dense(3, "softmax", name="d3"),
        ]
    )


class Sub(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(5, "relu")
        self.blocks = [layers.Dense(5, "tanh"), layers.Dense(5)]
        self.norm = layers.LayerNormalization()
        self.head = layers.Dense(2)
        self.scale = self.add_weight(name="scale", shape=(5,), initializer="ones")

    def call(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x * self.scale))


def arrays(name):
    with np.load(FIXTURES / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def check_outputs(model, name):
    io = arrays(f"{name}.io")
    np.testing.assert_allclose(model.predict(io["x0"], verbose=0), io["y0"], atol=1e-5)


def check_resume(model, name):
    stored = arrays(f"{name}.resume")
    x = stored["rx0"]
    target = stored["ry0"]
    losses = [float(model.train_on_batch(x, target)) for _ in stored["losses"]]
    np.testing.assert_allclose(losses, stored["losses"], rtol=2e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), stored["y_after"], atol=2e-5)


def test_sequential_resumes():
    model = mlp()
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    load_weights(model, str(FIXTURES / "sequential_adam/cp.ckpt")).assert_consumed()
    check_outputs(model, "sequential_adam")
    check_resume(model, "sequential_adam")


@pytest.mark.parametrize("kind", ["legacy", "new"])
@pytest.mark.parametrize("early", [True, False])
def test_subclassed_resumes(kind, early):
    model = Sub()
    if not early:
        model(np.zeros((1, 4), "float32"))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    status = load_weights(model, str(FIXTURES / f"subclassed_{kind}_adam/sub.ckpt"))
    check_outputs(model, f"subclassed_{kind}_adam")
    check_resume(model, f"subclassed_{kind}_adam")
    status.assert_consumed()


@pytest.mark.parametrize("early", [True, False])
def test_train_checkpoint_resumes(early):
    model = mlp()
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    step = Variable(0, dtype="int64")
    checkpoint = tf_train.Checkpoint(model=model, optimizer=optimizer, step=step)
    if early:
        model.compile(optimizer, "categorical_crossentropy")
    newest = tf_train.latest_checkpoint(FIXTURES / "train_checkpoint")
    assert newest is not None and newest.endswith("ckpt-3")
    status = checkpoint.restore(newest)
    assert int(step) == 30 and int(checkpoint.save_counter) == 3
    assert float(optimizer.learning_rate) == pytest.approx(0.05)
    check_outputs(model, "train_checkpoint")
    if not early:
        model.compile(optimizer, "categorical_crossentropy")
    check_resume(model, "train_checkpoint")
    status.expect_partial()
