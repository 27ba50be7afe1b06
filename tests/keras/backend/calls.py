"""Calls of ``keras.backend`` on fixed arrays; ``reference.npz`` has what tf_keras 2.21 gives for them."""

from __future__ import annotations

import numpy as np

rng = np.random.RandomState(0)
A = rng.randn(3, 4).astype("float32")
B = rng.randn(4, 5).astype("float32")
C = rng.randn(2, 3, 4).astype("float32")
D = rng.randn(2, 4, 5).astype("float32")
P = rng.rand(3, 4).astype("float32")
T = (rng.rand(3, 4) > 0.5).astype("float32")
Q = (P / P.sum(1, keepdims=True)).astype("float32")
NUMBERS = np.array([0, 2, 3])
IMG = rng.randn(2, 6, 5, 3).astype("float32")
VOL = rng.randn(1, 4, 4, 4, 2).astype("float32")
KER = rng.randn(3, 3, 3, 4).astype("float32")
K1 = rng.randn(3, 4, 6).astype("float32")
DK = rng.randn(3, 3, 3, 2).astype("float32")
PK = rng.randn(1, 1, 6, 4).astype("float32")
SEQ = rng.randn(2, 7, 4).astype("float32")

CALLS = {
    "sum": lambda K: K.sum(K.constant(A), axis=1, keepdims=True),
    "prod": lambda K: K.prod(K.constant(A), axis=0),
    "mean": lambda K: K.mean(K.constant(A)),
    "meanb": lambda K: K.mean(K.greater(K.constant(A), 0)),
    "var": lambda K: K.var(K.constant(A), axis=1),
    "std": lambda K: K.std(K.constant(A), axis=0),
    "max": lambda K: K.max(K.constant(A), axis=1),
    "min": lambda K: K.min(K.constant(A)),
    "any": lambda K: K.any(K.constant(T), axis=1),
    "all": lambda K: K.all(K.constant(T), axis=1),
    "argmax": lambda K: K.argmax(K.constant(A)),
    "argmin": lambda K: K.argmin(K.constant(A), axis=0),
    "cumsum": lambda K: K.cumsum(K.constant(A), axis=1),
    "cumprod": lambda K: K.cumprod(K.constant(A)),
    "logsumexp": lambda K: K.logsumexp(K.constant(A), axis=1),
    "dot": lambda K: K.dot(K.constant(A), K.constant(B)),
    "dot3": lambda K: K.dot(K.constant(C), K.constant(B)),
    "dot33": lambda K: K.dot(K.constant(C), K.constant(D)),
    "bd": lambda K: K.batch_dot(K.constant(C), K.constant(D), axes=[2, 1]),
    "bd0": lambda K: K.batch_dot(K.constant(C), K.constant(D)),
    "bd2": lambda K: K.batch_dot(K.constant(A), K.constant(P), axes=1),
    "bd3": lambda K: K.batch_dot(K.constant(C), K.constant(C), axes=2),
    "bd4": lambda K: K.batch_dot(K.constant(C), K.constant(SEQ[:, 0]), axes=[2, 1]),
    "sqrt": lambda K: K.sqrt(K.constant(A)),
    "exp": lambda K: K.exp(K.constant(A)),
    "log": lambda K: K.log(K.constant(P)),
    "pow": lambda K: K.pow(K.constant(A), 2),
    "clip": lambda K: K.clip(K.constant(A), -0.5, 0.5),
    "clip2": lambda K: K.clip(K.constant(A), 0.5, -0.5),
    "round": lambda K: K.round(K.constant(A * 3)),
    "sign": lambda K: K.sign(K.constant(A)),
    "abs": lambda K: K.abs(K.constant(A)),
    "square": lambda K: K.square(K.constant(A)),
    "l2n": lambda K: K.l2_normalize(K.constant(A), axis=1),
    "l2n0": lambda K: K.l2_normalize(K.constant(A)),
    "relu": lambda K: K.relu(K.constant(A)),
    "relua": lambda K: K.relu(K.constant(A), alpha=0.1, max_value=0.7),
    "relut": lambda K: K.relu(K.constant(A), alpha=0.1, threshold=0.3),
    "relum": lambda K: K.relu(K.constant(A * 9), max_value=6),
    "elu": lambda K: K.elu(K.constant(A), 0.5),
    "softmax": lambda K: K.softmax(K.constant(A)),
    "softmax0": lambda K: K.softmax(K.constant(A), axis=0),
    "softplus": lambda K: K.softplus(K.constant(A)),
    "softsign": lambda K: K.softsign(K.constant(A)),
    "sigmoid": lambda K: K.sigmoid(K.constant(A)),
    "hs": lambda K: K.hard_sigmoid(K.constant(A * 3)),
    "tanh": lambda K: K.tanh(K.constant(A)),
    "bce": lambda K: K.binary_crossentropy(K.constant(T), K.constant(P)),
    "bce1": lambda K: K.binary_crossentropy(K.constant(T), K.constant(np.round(P))),
    "bcel": lambda K: K.binary_crossentropy(K.constant(T), K.constant(A), from_logits=True),
    "bfc": lambda K: K.binary_focal_crossentropy(K.constant(T), K.constant(P), True),
    "bfcl": lambda K: K.binary_focal_crossentropy(K.constant(T), K.constant(A), from_logits=True),
    "cce": lambda K: K.categorical_crossentropy(K.constant(Q), K.constant(P)),
    "ccel": lambda K: K.categorical_crossentropy(K.constant(Q), K.constant(A), from_logits=True),
    "cce0": lambda K: K.categorical_crossentropy(K.constant(Q), K.constant(P), axis=0),
    "cfc": lambda K: K.categorical_focal_crossentropy(K.constant(Q), K.constant(P)),
    "scce": lambda K: K.sparse_categorical_crossentropy(K.constant(NUMBERS, dtype="int64"), K.constant(P)),
    "sccel": lambda K: K.sparse_categorical_crossentropy(
        K.constant(NUMBERS, dtype="int64"), K.constant(A), from_logits=True
    ),
    "sccei": lambda K: K.sparse_categorical_crossentropy(
        K.constant(NUMBERS, dtype="int64"), K.constant(Q), ignore_class=2
    ),
    "scce3": lambda K: K.sparse_categorical_crossentropy(
        K.constant([[0, 1, 2], [3, 0, 1]], dtype="int64"), K.constant(np.abs(C))
    ),
    "topk": lambda K: K.in_top_k(K.constant(A), K.constant(NUMBERS, dtype="int32"), 2),
    "bn": lambda K: K.batch_normalization(
        K.constant(A), K.constant(A[0]), K.constant(P[0]), K.constant(A[1]), K.constant(A[2]), epsilon=0.01
    ),
    "nbt": lambda K: K.normalize_batch_in_training(
        K.constant(IMG), K.constant(A[0][:3]), K.constant(P[0][:3]), [0, 1, 2]
    )[0],
    "nbtm": lambda K: K.normalize_batch_in_training(
        K.constant(IMG), K.constant(A[0][:3]), K.constant(P[0][:3]), [0, 1, 2]
    )[2],
    "flatten": lambda K: K.flatten(K.constant(C)),
    "bflat": lambda K: K.batch_flatten(K.constant(C)),
    "permute": lambda K: K.permute_dimensions(K.constant(C), (2, 0, 1)),
    "transpose": lambda K: K.transpose(K.constant(A)),
    "rep": lambda K: K.repeat(K.constant(A), 3),
    "repel": lambda K: K.repeat_elements(K.constant(A), 2, 1),
    "tile": lambda K: K.tile(K.constant(A), (2, 3)),
    "tile1": lambda K: K.tile(K.constant(A[0]), 2),
    "concat": lambda K: K.concatenate([K.constant(A), K.constant(P)]),
    "stack": lambda K: K.stack([K.constant(A), K.constant(P)], axis=1),
    "expand": lambda K: K.expand_dims(K.constant(A)),
    "squeeze": lambda K: K.squeeze(K.constant(A[:1]), 0),
    "reverse": lambda K: K.reverse(K.constant(C), [0, 2]),
    "slice": lambda K: K.slice(K.constant(A), [0, 1], [2, 2]),
    "arange": lambda K: K.arange(2, 9, 3),
    "gather": lambda K: K.gather(K.constant(A), K.constant([2, 0], dtype="int32")),
    "onehot": lambda K: K.one_hot(K.constant(NUMBERS, dtype="int32"), 5),
    "eye": lambda K: K.eye(3),
    "reshape": lambda K: K.reshape(K.constant(A), (2, -1)),
    "conv1d": lambda K: K.conv1d(K.constant(SEQ), K.constant(K1), padding="causal", dilation_rate=2),
    "conv1s": lambda K: K.conv1d(K.constant(SEQ), K.constant(K1), strides=2, padding="same"),
    "conv2d": lambda K: K.conv2d(K.constant(IMG), K.constant(KER), strides=(2, 1), padding="same"),
    "conv2dd": lambda K: K.conv2d(K.constant(IMG), K.constant(KER), dilation_rate=(2, 2)),
    "conv2t": lambda K: K.conv2d_transpose(
        K.constant(rng.__class__(1).randn(2, 3, 3, 4).astype("float32")),
        K.constant(KER),
        (2, 6, 5, 3),
        strides=(2, 2),
        padding="same",
    ),
    "dw": lambda K: K.depthwise_conv2d(K.constant(IMG), K.constant(DK)),
    "sep": lambda K: K.separable_conv2d(K.constant(IMG), K.constant(DK), K.constant(PK), padding="same"),
    "pool": lambda K: K.pool2d(K.constant(IMG), (2, 2), (2, 2), "same", pool_mode="avg"),
    "poolm": lambda K: K.pool2d(K.constant(IMG), (3, 2)),
    "pool3": lambda K: K.pool3d(K.constant(VOL), (2, 2, 2)),
    "tp": lambda K: K.temporal_padding(K.constant(SEQ), (2, 1)),
    "sp": lambda K: K.spatial_2d_padding(K.constant(IMG), ((1, 0), (2, 1))),
    "ri": lambda K: K.resize_images(K.constant(IMG), 2, 3, "channels_last"),
    "rib": lambda K: K.resize_images(K.constant(IMG), 2, 3, "channels_last", "bilinear"),
    "ric": lambda K: K.resize_images(K.constant(IMG), 2, 2, "channels_last", "bicubic"),
    "rv": lambda K: K.resize_volumes(K.constant(VOL), 2, 1, 3, "channels_last"),
    "ba": lambda K: K.bias_add(K.constant(IMG), K.constant(A[0][:3])),
    "bac": lambda K: K.bias_add(K.constant(IMG), K.constant(np.arange(6.0)), data_format="channels_first"),
    "bap": lambda K: K.bias_add(K.constant(IMG), K.constant(IMG[0])),
    "lc2": lambda K: K.local_conv2d(
        K.constant(IMG), K.constant(np.random.RandomState(3).randn(12, 27, 4)), (3, 3), (1, 1), (4, 3)
    ),
    "lc1": lambda K: K.local_conv1d(K.constant(SEQ), K.constant(np.random.RandomState(3).randn(3, 12, 2)), (3,), (2,)),
    "switch": lambda K: K.switch(K.greater(K.constant(A), 0), K.constant(A), K.constant(P)),
    "switch1": lambda K: K.switch(K.greater(K.constant([[1.0], [0], [1.0]]), 0.5), K.constant(A), K.constant(P)),
    "mapfn": lambda K: K.map_fn(lambda x: K.sum(x) * 2, K.constant(A)),
    "foldl": lambda K: K.foldl(lambda a, x: a * 2 + x, K.constant(A)),
    "foldr": lambda K: K.foldr(lambda a, x: a * 2 + x, K.constant(A)),
    "rnn": lambda K: K.rnn(lambda x, s: (K.tanh(x + s[0]), [K.tanh(x + s[0])]), K.constant(SEQ), [K.constant(A[:2])])[
        1
    ],
    "rnnm": lambda K: K.rnn(
        lambda x, s: (K.tanh(x + s[0]), [K.tanh(x + s[0])]),
        K.constant(SEQ),
        [K.constant(A[:2])],
        mask=K.constant(np.random.RandomState(5).rand(2, 7) > 0.4, dtype="bool"),
        go_backwards=True,
    )[1],
    "rnnz": lambda K: K.rnn(
        lambda x, s: (x + s[0], [x + s[0]]),
        K.constant(SEQ),
        [K.constant(A[:2])],
        mask=K.constant(np.random.RandomState(5).rand(2, 7) > 0.4, dtype="bool"),
        zero_output_for_mask=True,
    )[1],
    "rnns": lambda K: K.rnn(
        lambda x, s: (x + s[0] + s[1], [x + s[0]]),
        K.constant(SEQ),
        [K.constant(A[:2])],
        constants=[K.constant(P[:2])],
        unroll=True,
    )[2][0],
    "rnnl": lambda K: K.rnn(
        lambda x, s: (x + s[0], [x + s[0]]),
        K.constant(SEQ),
        [K.constant(A[:2])],
        mask=K.constant(np.random.RandomState(5).rand(2, 7) > 0.4, dtype="bool"),
    )[0],
    "ctc": lambda K: K.ctc_batch_cost(
        K.constant([[0, 1, 1], [2, 0, 0]]), K.softmax(K.constant(SEQ)), K.constant([[7], [6]]), K.constant([[3], [1]])
    ),
    "ctcd": lambda K: K.ctc_decode(K.softmax(K.constant(SEQ * 3)), K.constant([7, 5]))[0][0],
    "ctcs": lambda K: K.ctc_decode(K.softmax(K.constant(SEQ * 3)), K.constant([7, 5]))[1],
    "ctcb": lambda K: K.ctc_decode(
        K.softmax(K.constant(SEQ * 3)), K.constant([7, 7]), greedy=False, beam_width=20, top_paths=2
    )[1],
    "mau": lambda K: (lambda v: (K.moving_average_update(v, K.constant(P), 0.9), v)[1])(K.variable(A)),
    "upd": lambda K: (lambda v: (K.update_add(v, K.constant(P)), v)[1])(K.variable(A)),
}
