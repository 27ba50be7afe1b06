"""Whole pipelines as courses write them: lines, words, sequences and windows.

Each is a function of the ``tf`` module and a folder for files.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tests.data.courses import LINES, courses_of, play, table, wave


def windowed_dataset(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(wave())
    data = data.window(6, shift=1, drop_remainder=True)
    data = data.flat_map(lambda window: window.batch(6))
    data = data.map(lambda window: (window[:-1], window[-1]))
    return data.batch(8).prefetch(1)


def windowed_expand(tf, folder):
    series = tf.expand_dims(wave(20), axis=-1)
    data = tf.data.Dataset.from_tensor_slices(series).window(5, shift=2, drop_remainder=True)
    return data.flat_map(lambda w: w.batch(5)).map(lambda w: (w[:-1], w[1:])).batch(3, drop_remainder=True)


def text_characters(tf, folder):
    text = Path(play(folder)).read_text()
    vocab = sorted(set(text))
    ids = {char: i for i, char in enumerate(vocab)}
    data = tf.data.Dataset.from_tensor_slices(np.array([ids[c] for c in text]))
    sequences = data.batch(21, drop_remainder=True)
    return sequences.map(lambda chunk: (chunk[:-1], chunk[1:])).batch(2, drop_remainder=True)


def text_unicode_split(tf, folder):
    text = Path(play(folder)).read_text()
    chars = tf.strings.unicode_split(text, "UTF-8")
    ids = tf.keras.layers.StringLookup(vocabulary=sorted(set(text)), mask_token=None)(chars)
    data = tf.data.Dataset.from_tensor_slices(ids).batch(11, drop_remainder=True)
    return data.map(lambda s: (s[:-1], s[1:]))


def text_lines(tf, folder):
    data = tf.data.TextLineDataset(play(folder))
    data = data.filter(lambda line: tf.strings.length(line) > 0)
    return data.map(lambda line: tf.strings.split(line)).map(lambda words: (tf.size(words), words[0]))


def text_lines_skip(tf, folder):
    data = tf.data.TextLineDataset([play(folder), table(folder)]).skip(1).take(6)
    return data.map(tf.strings.lower).enumerate().map(lambda i, line: {"line": i, "text": line})


def text_clean(tf, folder):
    def clean(line):
        line = tf.strings.lower(line)
        line = tf.strings.regex_replace(line, "[^a-z ]", "")
        return tf.strings.strip(line)

    data = tf.data.TextLineDataset(play(folder)).map(clean)
    return data.map(lambda s: tf.strings.join(["[start]", s, "[end]"], separator=" ")).batch(2)


def text_vectorized(tf, folder):
    layer = tf.keras.layers.TextVectorization(max_tokens=20, output_sequence_length=6)
    data = tf.data.Dataset.from_tensor_slices(LINES)
    layer.adapt(data.batch(2))
    return data.batch(2).map(lambda lines: (layer(lines), tf.strings.length(lines)))


def text_translation(tf, folder):
    source, target = ["go on", "run", "i see you"], ["va", "cours vite", "je te vois bien"]
    eng = tf.keras.layers.TextVectorization(output_mode="int", output_sequence_length=4)
    fra = tf.keras.layers.TextVectorization(output_mode="int", output_sequence_length=5)
    eng.adapt(source)
    fra.adapt([f"[start] {t} [end]" for t in target])

    def pair(a, b):
        b = fra(b)
        return {"encoder": eng(a), "decoder": b[:, :-1]}, b[:, 1:]

    return tf.data.Dataset.from_tensor_slices((source, target)).batch(2).map(pair, num_parallel_calls=4)


def text_interleave_files(tf, folder):
    for i in range(3):
        with open(os.path.join(folder, f"{i}.txt"), "w") as file:
            file.writelines(f"{i}-{k}\n" for k in range(2 + i))
    files = tf.data.Dataset.list_files(os.path.join(folder, "*.txt"), shuffle=False)
    return files.interleave(lambda f: tf.data.TextLineDataset(f).skip(1), cycle_length=2, num_parallel_calls=2)


def text_labelled_files(tf, folder):
    parts = []
    for label in range(2):
        path = os.path.join(folder, f"{label}.txt")
        with open(path, "w") as file:
            file.writelines(f"text {label} {k}\n" for k in range(3))
        parts.append(tf.data.TextLineDataset(path).map(lambda line, label=label: (line, tf.cast(label, tf.int64))))
    return parts[0].concatenate(parts[1]).batch(4)


def csv_decode(tf, folder):
    def parse(line):
        columns = tf.io.decode_csv(line, record_defaults=[0, 0.0, "", tf.constant([], tf.int32)])
        return tf.stack([tf.cast(columns[0], tf.float32), columns[1]]), columns[2], columns[3]

    return tf.data.TextLineDataset(table(folder)).skip(1).map(parse).batch(4)


def csv_experimental(tf, folder):
    data = tf.data.experimental.make_csv_dataset(
        table(folder), batch_size=3, label_name="survived", num_epochs=1, shuffle=False
    )
    return data.map(
        lambda features, label: (tf.stack([tf.cast(features["age"], tf.float32), features["fare"]], 1), label)
    )


def csv_dataset(tf, folder):
    data = tf.data.experimental.CsvDataset(
        table(folder), [tf.float32, tf.string, tf.int32], header=True, select_cols=[1, 2, 3]
    )
    return data.map(lambda fare, sex, survived: {"fare": fare / 10, "sex": sex == "male", "y": survived})


def ragged_slices(tf, folder):
    rows = tf.ragged.constant([[1, 2, 3], [], [4], [5, 6]])
    data = tf.data.Dataset.from_tensor_slices((rows, [0, 1, 0, 1]))
    return data.map(lambda r, y: (tf.reduce_sum(r), tf.size(r), y)).batch(3)


def ragged_batches(tf, folder):
    rows = tf.ragged.constant([["a", "b"], ["c"], [], ["d", "e", "f"]])
    data = tf.data.Dataset.from_tensor_slices(rows).batch(2)
    return data.map(lambda r: (r.row_lengths(), r.to_tensor("-")))


def ragged_split(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(LINES).batch(3)
    return data.map(lambda s: tf.strings.split(s)).map(lambda r: (r.to_tensor(), tf.cast(r.row_lengths(), tf.int32)))


def ragged_padded_words(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(LINES).map(tf.strings.split)
    return data.padded_batch(2, padded_shapes=[11], padding_values="<pad>")


def bucketed(tf, folder):
    lengths = [5, 2, 9, 3, 7, 1, 4, 8, 6]
    data = tf.data.Dataset.from_generator(
        lambda: ((np.full(n, n, "int32"), n % 2) for n in lengths),
        output_signature=(tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int64)),
    )
    return data.bucket_by_sequence_length(
        lambda x, y: tf.shape(x)[0], bucket_boundaries=[4, 7], bucket_batch_sizes=[3, 2, 2]
    ).map(lambda x, y: (x, y, tf.math.not_equal(x, 0)))


def skip_grams(tf, folder):
    def pairs(center, index):
        context = tf.data.Dataset.range(-1, 2).filter(lambda o: o != 0).map(lambda o: index + o)
        return context.filter(lambda k: tf.logical_and(k >= 0, k < 5)).map(lambda k: (center, k))

    words = tf.data.Dataset.from_tensor_slices([10, 11, 12, 13, 14])
    return tf.data.Dataset.zip((words, tf.data.Dataset.range(5))).flat_map(pairs)


def group_lengths(tf, folder):
    words = ["a", "bb", "cc", "d", "eee", "fff", "g", "hh", "iii", "jj"]
    data = tf.data.Dataset.from_tensor_slices(words)
    return data.group_by_window(
        key_func=lambda w: tf.cast(tf.strings.length(w), tf.int64),
        reduce_func=lambda key, group: group.batch(3).map(lambda g: (tf.fill(tf.shape(g), key), g)),
        window_size=3,
    )


def lookup_table(tf, folder):
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(["cat", "dog"]), tf.constant([0, 1])), default_value=-1
    )
    data = tf.data.Dataset.from_tensor_slices(["dog", "cow", "cat"])
    return data.map(lambda s: (s, table.lookup(s))).batch(2)


def window_dicts(tf, folder):
    data = tf.data.Dataset.from_tensor_slices({"a": np.arange(7), "b": np.arange(7.0)}).window(3, shift=2)
    return data.flat_map(lambda d: tf.data.Dataset.zip({"a": d["a"].batch(3), "b": d["b"].batch(3)}))


def strings_numbers(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(["1;2.5", "3;4.5", "5;-6"])

    def parse(line):
        parts = tf.strings.split([line], ";").values
        return tf.strings.to_number(parts[0], tf.int32), tf.strings.to_number(parts[1]), tf.strings.substr(line, 0, 3)

    return data.map(parse).map(lambda a, b, s: (tf.strings.as_string(a), b, s)).batch(3)


def filter_strings(tf, folder):
    data = tf.data.TextLineDataset(play(folder))
    data = data.filter(lambda line: tf.not_equal(tf.strings.length(line), 0))
    return data.filter(lambda line: tf.strings.regex_full_match(line, ".*(be|sea).*")).map(lambda line: line + "!")


def words_counted(tf, folder):
    data = tf.data.TextLineDataset(play(folder)).flat_map(
        lambda line: tf.data.Dataset.from_tensor_slices(tf.strings.split(tf.strings.lower(line)))
    )
    return data.filter(lambda w: tf.strings.length(w) < 4).unique().batch(6)


def vocabulary_file(tf, folder):
    path = os.path.join(folder, "vocab.txt")
    with open(path, "w") as file:
        file.write("the\nto\nof\n")
    init = tf.lookup.TextFileInitializer(
        path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    table = tf.lookup.StaticVocabularyTable(init, num_oov_buckets=1)
    data = tf.data.Dataset.from_tensor_slices(LINES).map(lambda line: tf.strings.split(tf.strings.lower(line)))
    return data.map(lambda words: table.lookup(words)).padded_batch(
        3, padded_shapes=[None], padding_values=tf.constant(-1, tf.int64)
    )


def layers_string_to_ragged(tf, folder):
    layer = tf.keras.layers.TextVectorization(vocabulary=["to", "be", "the"], output_mode="multi_hot")
    count = tf.keras.layers.TextVectorization(vocabulary=["to", "be", "the"], output_mode="count", ngrams=None)
    data = tf.data.Dataset.from_tensor_slices((LINES, [0, 1, 2, 3, 4])).batch(3)
    return data.map(lambda s, y: (layer(s), count(s), y))


def lookup_layers(tf, folder):
    ints = tf.keras.layers.IntegerLookup(vocabulary=[3, 5, 7], num_oov_indices=2)
    multi = tf.keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")
    data = tf.data.Dataset.from_tensor_slices((np.array([[3, 4], [7, 9]]), [["a", "b"], ["b", "q"]]))
    return data.map(lambda i, s: (ints(i), multi(s))).batch(2)


def padded_mixed(tf, folder):
    def rows():
        for n in (1, 3, 2):
            yield {"words": ["w"] * n, "flags": [True] * n, "grid": np.ones((n, 2), "float32")}

    signature = {
        "words": tf.TensorSpec([None], tf.string),
        "flags": tf.TensorSpec([None], tf.bool),
        "grid": tf.TensorSpec([None, 2], tf.float32),
    }
    data = tf.data.Dataset.from_generator(rows, output_signature=signature)
    return data.padded_batch(
        2,
        padded_shapes={"words": [None], "flags": [4], "grid": [None, 2]},
        padding_values={"words": "-", "flags": False, "grid": 0.5},
    )


def bucket_three(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(LINES).map(lambda s: tf.strings.split(s)).filter(lambda w: tf.size(w) > 0)
    return data.bucket_by_sequence_length(
        lambda w: tf.size(w), [7, 9], [1, 2, 2], padded_shapes=[None], padding_values="<pad>"
    )


def window_batches(tf, folder):
    data = tf.data.Dataset.from_tensor_slices((wave(12), np.arange(12)))
    data = data.window(4, shift=3, stride=2)
    return data.flat_map(
        lambda x, y: tf.data.Dataset.zip((x.batch(4, drop_remainder=True), y.batch(4, drop_remainder=True)))
    )


def text_folder(tf, folder):
    for label in ("neg", "pos"):
        os.makedirs(os.path.join(folder, label))
        for i in range(3):
            with open(os.path.join(folder, label, f"{i}.txt"), "w") as file:
                file.write(f"{label} text number {i} <br /> with words")
    data = tf.keras.utils.text_dataset_from_directory(folder, batch_size=2, shuffle=False)
    return data.map(lambda s, y: (tf.strings.regex_replace(tf.strings.lower(s), "<br />", " "), tf.cast(y, tf.float32)))


def vectorized_pairs(tf, folder):
    layer = tf.keras.layers.TextVectorization(max_tokens=30, output_mode="int", standardize=None, split="whitespace")
    layer.adapt(LINES)
    data = tf.data.Dataset.from_tensor_slices(LINES).filter(lambda s: tf.strings.length(s) > 0)
    data = data.map(lambda s: layer(tf.expand_dims(s, 0))[0]).map(lambda ids: (ids[:-1], ids[1:]))
    return data.padded_batch(2, padded_shapes=([None], [None]))


def causal_language(tf, folder):
    text = " ".join(LINES)
    data = tf.data.Dataset.from_tensor_slices(np.frombuffer(text.encode(), "uint8").astype("int32"))
    data = data.batch(10, drop_remainder=True).map(
        lambda s: {"ids": s, "mask": tf.ones_like(s), "labels": tf.roll(s, -1, 0)}
    )
    return data.batch(4)


def numpy_strings(tf, folder):
    def shout(s):
        return (s.decode().upper() + "!").encode()

    data = tf.data.Dataset.from_tensor_slices(["ab", "c"])
    return data.map(lambda s: tf.numpy_function(shout, [s], tf.string)).map(lambda s: tf.ensure_shape(s, []))


def take_while_text(tf, folder):
    return tf.data.TextLineDataset(play(folder)).take_while(lambda s: tf.strings.length(s) > 0).map(tf.strings.length)


COURSES = courses_of(globals())
"""Name to pipeline."""
