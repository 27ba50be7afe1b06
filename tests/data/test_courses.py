"""Whole pipelines as courses write them, against what TensorFlow 2.21 gave (``course_facts.py``)."""

import gzip
import json

import numpy as np
import pytest

import hornbeam as tf
from tests.data.course_facts import ALL, REFERENCE, facts

QUICK = {
    "causal_language",
    "csv_decode",
    "generator_ragged",
    "lookup_table",
    "map_fn_inside",
    "nested_dicts",
    "padded_mixed",
    "pictures_by_path",
    "raw_bytes_images",
    "records_images",
    "records_sequence",
    "sparse_elements",
    "text_vectorized",
    "vocabulary_file",
}
"""Those that always run; the others take half a minute together."""

FLOATS_OUT = {"layers_string_to_ragged", "lookup_layers"}
"""Keras's lookup layers give multi-hot vectors as int64 in a data set and floats in a model; here always floats."""
OWN_SIZE = {"rejection_all"}
"""TensorFlow names the size of what went in."""
SURER_SPECS = {
    "as_flat_files",
    "pictures_records",
    "pictures_stateless",
    "ragged_batches",
    "set_operations",
    "timeseries_targets_none",
    "timeseries_utility",
}
"""Sizes that TensorFlow leaves open are known here."""
SHARPER = {"group_reducer": "float64"}
"""Python's ``/`` on integer tensors gives float32 here, float64 there."""


@pytest.fixture(scope="module")
def reference():
    with gzip.open(REFERENCE, "rt") as file:
        return json.load(file)


def test_every_pipeline_has_a_reference(reference):
    assert set(reference) == set(ALL)
    assert set(ALL) >= QUICK


def _is_array(x):
    return (
        isinstance(x, list)
        and len(x) == 3
        and isinstance(x[0], str)
        and isinstance(x[1], list)
        and all(isinstance(size, int) for size in x[1])
    )


def _check(got, expected, loose):
    if _is_array(expected):
        assert got[1] == expected[1]
        assert loose or got[0] == expected[0]
        np.testing.assert_allclose(np.array(got[2], float), np.array(expected[2], float), rtol=1e-5, atol=2e-5)
        return
    assert type(got) is type(expected)
    if isinstance(expected, dict):
        assert got.keys() == expected.keys()
        for key in expected:
            _check(got[key], expected[key], loose)
    elif isinstance(expected, list):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            _check(one, other, loose)
    else:
        assert got == expected


def _fits(got, expected):
    """Whether specs say the same where TensorFlow's say something."""
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(_fits(got[key], expected[key]) for key in expected)
    if len(expected) == 2 and isinstance(expected[1], str):
        return got[1] == expected[1] and all(b is None or a == b for a, b in zip(got[0], expected[0], strict=True))
    return all(_fits(one, other) for one, other in zip(got, expected, strict=True))


@pytest.mark.filterwarnings("ignore:The function given to Dataset:UserWarning")
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in sorted(ALL)]
)
def test_course_pipeline_equals_tensorflow(name, reference):
    got, expected = json.loads(json.dumps(facts(tf, name))), reference[name]
    loose = name in FLOATS_OUT or name in SHARPER
    _check(got["elements"], expected["elements"], loose)
    assert name in OWN_SIZE or got["size"] == expected["size"]
    if name in SURER_SPECS:
        assert _fits(got["spec"], expected["spec"])
    elif not loose and name != "audio_frames":
        assert got["spec"] == expected["spec"]
