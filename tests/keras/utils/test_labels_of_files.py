"""Labels of files given as a list, and class folders without files."""

import numpy as np
import pytest

from hornbeam.keras.utils import text_dataset_from_directory


def everything(dataset):
    return list(dataset.as_numpy_iterator())


def test_labels_of_files_keep_their_kind_or_are_refused(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text(str(number))
    given = [0.5 * number for number in range(4)]
    data = text_dataset_from_directory(tmp_path, labels=given, shuffle=False, verbose=False)
    assert data.element_spec[1].dtype == "float32"
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in everything(data)]), np.array(given))
    with pytest.raises(ValueError, match="whole numbers from 0 to 1"):
        text_dataset_from_directory(tmp_path, labels=[1, 2, 2, 1], label_mode="categorical", verbose=False)
    with pytest.raises(ValueError, match="list of numbers"):
        text_dataset_from_directory(tmp_path, labels=["cat"] * 4, verbose=False)


def test_an_empty_class_folder_is_named(tmp_path):
    for name in ("full", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "1.txt").write_text("one")
    with pytest.warns(UserWarning, match=r"without a file .*: empty\."):
        data = text_dataset_from_directory(tmp_path, verbose=False)
    assert data.class_names == ["empty", "full"]
    assert [labels.tolist() for _, labels in everything(data)] == [[1]]
