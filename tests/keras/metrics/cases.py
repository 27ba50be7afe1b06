"""Arguments and batches for every metric: what the contract tests run over."""

from __future__ import annotations

import numpy as np

from tests.keras.losses.cases import data


def batches(kind, count=2):
    """Batches (labels, predictions) of a kind, for some kinds of unequal sizes."""
    sizes = [6, 3 if kind in ("values", "real", "flat_binary", "maps") else 6][:count]
    rng = np.random.default_rng(11)
    if kind in ("values", "columns"):
        return [(rng.normal(size=(size,) if kind == "values" else (size, 2)).astype("float32"),) for size in sizes]
    if kind == "equal":
        return [tuple(rng.integers(0, 3, (2, size, 1)).astype("float32")) for size in sizes]
    if kind == "maps":
        return [tuple(rng.integers(0, 3, (2, size, 4)).astype("int32")) for size in sizes]
    if kind == "score_maps":
        return [
            (
                np.eye(3, dtype="float32")[rng.integers(0, 3, (size, 4))],
                rng.uniform(size=(size, 4, 3)).astype("float32"),
            )
            for size in sizes
        ]
    if kind == "ids":
        return [
            (rng.integers(0, 4, size).astype("int32"), np.argsort(rng.uniform(size=(size, 4))).astype("int32"))
            for size in sizes
        ]
    if kind == "flat_binary":
        return [data("binary", (size,), seed) for seed, size in enumerate(sizes)]
    if kind == "edges":
        return [
            (np.array([0.0, 1, 0, 1, 1, 0], "float32"), np.array([0.0, 0.0, 0.5, 0.5, 1.0, 1.0], "float32"))
            for _ in sizes
        ]
    return [data(kind, (size, 4), seed) for seed, size in enumerate(sizes)]


CASES = {
    "Mean": [({}, "values"), ({}, "columns")],
    "Sum": [({}, "values"), ({}, "columns")],
    "MeanSquaredError": [({}, "real")],
    "RootMeanSquaredError": [({}, "real")],
    "MeanAbsoluteError": [({}, "real")],
    "MeanAbsolutePercentageError": [({}, "real")],
    "MeanSquaredLogarithmicError": [({}, "positive")],
    "CosineSimilarity": [({}, "real"), ({"axis": 1}, "real")],
    "LogCoshError": [({}, "real")],
    "R2Score": [
        ({}, "real"),
        ({"class_aggregation": None}, "real"),
        ({"class_aggregation": "variance_weighted_average"}, "real"),
        ({"num_regressors": 2}, "real"),
    ],
    "AUC": [
        ({}, "flat_binary"),
        ({"curve": "PR"}, "binary"),
        ({"curve": "PRGAIN", "num_thresholds": 20}, "binary"),
        ({"summation_method": "minoring"}, "flat_binary"),
        ({"summation_method": "majoring", "curve": "PR"}, "flat_binary"),
        ({"thresholds": [0.1, 0.6, 0.7]}, "flat_binary"),
        ({"thresholds": [0.25, 0.5, 0.75]}, "edges"),
        ({"num_thresholds": 11}, "edges"),
        ({"multi_label": True, "num_labels": 4}, "binary"),
        ({"multi_label": True, "curve": "PR", "num_labels": 4, "label_weights": [0.1, 0.2, 0.3, 0.4]}, "binary"),
        ({"multi_label": True, "thresholds": [0.1, 0.7]}, "binary"),
        ({"label_weights": [0.1, 0.2, 0.3, 0.4]}, "binary"),
        ({"from_logits": True}, "binary_logits"),
    ],
    "FalseNegatives": [({}, "binary"), ({"thresholds": [0.2, 0.9]}, "binary")],
    "FalsePositives": [({"thresholds": 0.3}, "flat_binary"), ({"thresholds": [0.0, 0.5, 1.0]}, "edges")],
    "TrueNegatives": [({}, "edges"), ({"thresholds": [0.2, 0.9]}, "binary")],
    "TruePositives": [({}, "edges"), ({"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, "edges")],
    "Precision": [
        ({}, "binary"),
        ({"top_k": 2}, "one_hot"),
        ({"top_k": 2, "class_id": 1}, "one_hot"),
        ({"class_id": 2, "thresholds": [0.1, 0.3]}, "one_hot"),
    ],
    "Recall": [({}, "flat_binary"), ({"top_k": 1}, "one_hot"), ({"class_id": 0, "thresholds": 0.2}, "one_hot")],
    "SensitivityAtSpecificity": [
        ({"specificity": 0.5}, "binary"),
        ({"specificity": 0.4, "num_thresholds": 1}, "binary"),
    ],
    "SpecificityAtSensitivity": [({"sensitivity": 0.6}, "flat_binary")],
    "PrecisionAtRecall": [({"recall": 0.5}, "binary"), ({"recall": 0.5, "class_id": 1}, "one_hot")],
    "RecallAtPrecision": [({"precision": 0.5, "num_thresholds": 50}, "binary")],
    "PearsonCorrelation": [({}, "real"), ({"axis": 0}, "real")],
    "ConcordanceCorrelation": [({}, "real"), ({"axis": 0}, "real")],
    "Hinge": [({}, "signs")],
    "SquaredHinge": [({}, "signs")],
    "CategoricalHinge": [({}, "one_hot_logits")],
    "KLDivergence": [({}, "distributions")],
    "Poisson": [({}, "positive")],
    "BinaryCrossentropy": [({}, "binary"), ({"from_logits": True, "label_smoothing": 0.1}, "binary_logits")],
    "CategoricalCrossentropy": [({}, "one_hot"), ({"from_logits": True, "label_smoothing": 0.1}, "one_hot_logits")],
    "SparseCategoricalCrossentropy": [({}, "classes"), ({"from_logits": True, "ignore_class": 1}, "classes_logits")],
    "Accuracy": [({}, "equal")],
    "BinaryAccuracy": [({}, "binary"), ({"threshold": 0.3}, "flat_binary")],
    "CategoricalAccuracy": [({}, "one_hot"), ({}, "score_maps")],
    "SparseCategoricalAccuracy": [({}, "classes")],
    "TopKCategoricalAccuracy": [({"k": 2}, "one_hot"), ({"k": 1}, "score_maps")],
    "SparseTopKCategoricalAccuracy": [({"k": 2}, "classes"), ({"k": 2, "from_sorted_ids": True}, "ids")],
    "F1Score": [({}, "one_hot"), ({"average": "micro", "threshold": 0.4}, "binary")],
    "FBetaScore": [
        ({"average": "macro", "beta": 2.0}, "one_hot"),
        ({"average": "weighted", "beta": 0.5, "threshold": 0.3}, "binary"),
    ],
    "IoU": [
        ({"num_classes": 3, "target_class_ids": [0, 2]}, "maps"),
        ({"num_classes": 3, "target_class_ids": [1], "ignore_class": 0, "dtype": "float32"}, "maps"),
        ({"num_classes": 2, "target_class_ids": [0, 1]}, "maps"),
    ],
    "BinaryIoU": [({}, "binary"), ({"target_class_ids": [1], "threshold": 0.3}, "binary")],
    "MeanIoU": [
        ({"num_classes": 3}, "maps"),
        ({"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False}, "score_maps"),
        ({"num_classes": 5}, "maps"),
    ],
    "OneHotIoU": [({"num_classes": 3, "target_class_ids": [0, 1]}, "score_maps")],
    "OneHotMeanIoU": [({"num_classes": 3}, "score_maps")],
}
FLAT = [(name, options, kind) for name, cases in CASES.items() for options, kind in cases]
IDS = [f"{name}-{number}" for name, cases in CASES.items() for number in range(len(cases))]
