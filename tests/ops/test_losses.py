"""Cross-entropies and CTC against Keras, and in float64 against closed forms."""

import jax
import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np
import pytest
import scipy.special as special

from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.ops import losses
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

LOGITS = numbers("float32", (6, 5), -8, 8)
PROBABILITIES = special.softmax(LOGITS, axis=-1).astype(np.float32)
ONE_HOT = np.eye(5, dtype=np.float32)[[0, 1, 2, 3, 4, 0]]
CLASSES = np.array([0, 1, 2, 3, 4, 0], np.int32)
UNIT = numbers("float32", (6, 5), 0, 1, seed=4)

CASES = [
    Case(losses.binary_crossentropy, ONE_HOT, UNIT),
    Case(losses.binary_crossentropy, UNIT, np.clip(np.round(UNIT), 0, 1)),
    Case(losses.binary_crossentropy, UNIT, LOGITS, from_logits=True),
    Case(losses.categorical_crossentropy, ONE_HOT, PROBABILITIES),
    Case(losses.categorical_crossentropy, ONE_HOT, UNIT, axis=0),
    Case(losses.categorical_crossentropy, ONE_HOT, LOGITS, from_logits=True),
    Case(losses.sparse_categorical_crossentropy, CLASSES, PROBABILITIES),
    Case(losses.sparse_categorical_crossentropy, CLASSES[:, None].copy(), UNIT),
    Case(losses.sparse_categorical_crossentropy, CLASSES, LOGITS, from_logits=True),
    Case(losses.sparse_categorical_crossentropy, np.array([-1, 5, 7, 2, -3, 4], np.int32), UNIT),
    Case(losses.sparse_categorical_crossentropy, np.array([-1, 5, 7, 2, -3, 4], np.int32), LOGITS, from_logits=True),
    Case(losses.sparse_categorical_crossentropy, np.ones((2, 3), np.float32), numbers("float32", (2, 3, 4)), True),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_equals_keras(case):
    same_as_keras(case)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_gradients_equal_keras(case):
    wrt_output = Case(case.function, *case.args, **case.kwargs)
    if wrt_output.args[1] is not UNIT or case.function is not losses.binary_crossentropy:
        same_gradients(wrt_output)


@pytest.mark.parametrize("case", CASES[:9], ids=repr)
def test_symbolic_agrees_with_eager(case):
    same_symbolic(case)


@pytest.mark.parametrize("target", [np.int32, np.bool_, np.float32])
@pytest.mark.parametrize("output", [ml_dtypes.bfloat16, np.float16, np.float32])
@pytest.mark.parametrize("from_logits", [False, True])
def test_dtypes_equal_keras(target, output, from_logits):
    tolerance = 3e-2 if output is ml_dtypes.bfloat16 else 5e-3
    y, p = ONE_HOT.astype(target), (LOGITS if from_logits else PROBABILITIES * 0.9).astype(output)
    same_as_keras(Case(losses.binary_crossentropy, y, p, from_logits=from_logits), tolerance)
    if target is not np.bool_:
        same_as_keras(Case(losses.categorical_crossentropy, y, p, from_logits=from_logits), tolerance)
    same_as_keras(Case(losses.sparse_categorical_crossentropy, CLASSES, p, from_logits=from_logits), tolerance)


def test_float64_and_int64_labels():
    logits = LOGITS.astype(np.float64)
    out = losses.sparse_categorical_crossentropy(from_host(CLASSES.astype(np.int64)), from_host(logits), True)
    assert out.dtype == "float64"
    np.testing.assert_allclose(out.numpy(), -special.log_softmax(logits, -1)[np.arange(6), CLASSES], rtol=1e-13)
    narrow = losses.binary_crossentropy(from_host(ONE_HOT.astype(np.int64)), from_host(UNIT))
    assert narrow.dtype == "float32"
    bce = losses.binary_crossentropy(from_host(ONE_HOT.astype(np.float64)), from_host(logits), from_logits=True)
    expected = -(ONE_HOT * special.log_expit(logits) + (1 - ONE_HOT) * special.log_expit(-logits))
    np.testing.assert_allclose(bce.numpy(), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("size", [30.0, 1e3, 1e10])
def test_huge_logits_give_right_losses_and_gradients(size):
    logits = np.array([[size, 0.0, -size]], np.float32)
    x = from_host(logits)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        sparse = losses.sparse_categorical_crossentropy(from_host(np.array([1])), x, from_logits=True)
        binary = losses.binary_crossentropy(from_host(np.array([[0.0, 0.5, 1.0]], np.float32)), x, from_logits=True)
    np.testing.assert_allclose(sparse.numpy(), [size], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(sparse, x).numpy(), [[1, -1, 0]], atol=1e-6)
    np.testing.assert_allclose(binary.numpy(), [[size, np.log(2), size]], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(binary, x).numpy(), [[1, 0, -1]], atol=1e-6)


def test_a_forbidden_class_does_not_spoil_the_loss_of_another():
    logits = from_host(np.array([[0.0, 0.0, -np.inf]], np.float32))
    with GradientTape() as tape:
        tape.watch(logits)
        loss = losses.sparse_categorical_crossentropy(from_host(np.array([0])), logits, from_logits=True)
    np.testing.assert_allclose(loss.numpy(), [np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, logits).numpy(), [[-0.5, 0.5, 0.0]], atol=1e-6)


def test_clipping_is_that_of_keras():
    extremes = np.array([[0.0, 1.0, 1e-9, 1 - 1e-9]], np.float32)
    for target in (np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)):
        same_as_keras(Case(losses.binary_crossentropy, target, extremes), 1e-7)
        same_as_keras(Case(losses.categorical_crossentropy, target, extremes), 1e-7)


def test_shapes_that_do_not_fit_raise():
    x = from_host(LOGITS)
    for function in (losses.binary_crossentropy, losses.categorical_crossentropy):
        with pytest.raises(ValueError, match=r"element by element.*output \(\d+, 4\)"):
            function(x, from_host(LOGITS[:, :4].copy()))
    with pytest.raises(ValueError, match="another axis than that of the classes"):
        losses.sparse_categorical_crossentropy(from_host(CLASSES[:4].copy()), x)


# --- CTC -----------------------------------------------------------------------------------------
OUTPUT = numbers("float32", (4, 9, 5), -2, 2, seed=11)
TARGET = np.array([[1, 2, 2, 3], [4, 1, 0, 0], [1, 1, 1, 1], [2, 3, 4, 1]], np.int32)
TARGET_LENGTH, OUTPUT_LENGTH = np.array([4, 2, 4, 3], np.int32), np.array([9, 7, 5, 9], np.int32)
CTC = Case(losses.ctc_loss, TARGET, OUTPUT, TARGET_LENGTH, OUTPUT_LENGTH)


def test_ctc_loss_equals_keras():
    same_as_keras(CTC, 1e-5)  # sample 2 needs more steps than it has: the value of "impossible" counts too
    blank_last = Case(losses.ctc_loss, TARGET - 1, OUTPUT, TARGET_LENGTH, OUTPUT_LENGTH, mask_index=4)
    same_as_keras(Case(losses.ctc_loss, np.maximum(*blank_last.args[:1], 0), *blank_last.args[1:], mask_index=4), 1e-5)
    same_symbolic(CTC)
    assert (
        losses.ctc_loss(from_host(TARGET), from_host(OUTPUT.astype(np.float16)), 4 * np.ones(4), [9] * 4).dtype
        == "float32"
    )


def test_ctc_gradients_equal_keras():
    possible = [part[[0, 1, 3]].copy() for part in CTC.args]
    same_gradients(Case(losses.ctc_loss, *possible), 2e-5)
    output = from_host(OUTPUT[2:3].copy())
    with GradientTape() as tape:
        tape.watch(output)
        loss = losses.ctc_loss(from_host(TARGET[2:3].copy()), output, TARGET_LENGTH[2:3], OUTPUT_LENGTH[2:3])
    assert np.isfinite(tape.gradient(loss, output).numpy()).all()


def test_ctc_loss_is_the_sum_over_all_alignments():
    log_prob = special.log_softmax(OUTPUT[0, :4].astype(np.float64), axis=-1)
    total = -np.inf
    for path in np.ndindex(*[5] * 4):
        merged = [c for i, c in enumerate(path) if i == 0 or c != path[i - 1]]
        if [c for c in merged if c] == [1, 2]:
            total = np.logaddexp(total, sum(log_prob[t, c] for t, c in enumerate(path)))
    got = losses.ctc_loss(from_host(np.array([[1, 2]])), from_host(OUTPUT[:1, :4].astype(np.float64)), [2], [4])
    assert got.dtype == "float64"
    np.testing.assert_allclose(got.numpy(), [-total], rtol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"merge_repeated": False, "mask_index": 2},
        {"mask_index": None},
        {"strategy": "beam_search", "beam_width": 4, "top_paths": 3, "mask_index": 4},
    ],
)
def test_ctc_decode_equals_keras(options):
    beam = "strategy" in options
    logits = OUTPUT[:, :4].copy() if beam else OUTPUT  # its compilation grows with the time steps
    lengths = np.array([4, 3, 1, 4], np.int32) if beam else OUTPUT_LENGTH
    same_as_keras(Case(losses.ctc_decode, logits, lengths, **options), 1e-5)


def test_ctc_decode_of_equal_scores_breaks_ties_like_keras():
    flat = np.zeros((1, 3, 3), np.float32)
    same_as_keras(
        Case(losses.ctc_decode, flat, np.array([3], np.int32), strategy="beam_search", beam_width=3, top_paths=2)
    )
    with pytest.raises(ValueError, match="strategy"):
        losses.ctc_decode(from_host(flat), [4], strategy="best")


def test_losses_inside_jit():
    value = jax.jit(lambda p: losses.categorical_crossentropy(ONE_HOT, p))(jnp.asarray(PROBABILITIES))
    np.testing.assert_allclose(value, keras.ops.categorical_crossentropy(ONE_HOT, PROBABILITIES), rtol=1e-6)
