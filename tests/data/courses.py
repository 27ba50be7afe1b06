"""Files, records and numbers that the pipelines of the `courses_*` modules read."""

from __future__ import annotations

import os

import numpy as np

LINES = [
    "To be, or not to be: that is the question",
    "Whether 'tis nobler in the mind to suffer",
    "",
    "The slings and arrows of outrageous fortune,",
    "Or to take arms against a sea of troubles",
]


def play(folder):
    path = os.path.join(folder, "play.txt")
    with open(path, "w") as file:
        file.write("\n".join(LINES) + "\n")
    return path


def table(folder):
    path = os.path.join(folder, "table.csv")
    with open(path, "w") as file:
        file.write("age,fare,sex,survived\n")
        for i in range(9):
            file.write(f"{20 + i},{7.25 * i:.2f},{'male' if i % 3 else 'female'},{i % 2}\n")
    return path


def wave(n=40):
    return (np.sin(np.arange(n) / 3.0) + np.arange(n) / 10.0).astype("float32")


def pixels(i, height=9, width=7):
    return np.random.default_rng(i).integers(0, 256, (height, width, 3)).astype("uint8")


def picture_folder(tf, folder):
    for label in ("cats", "dogs"):
        os.makedirs(os.path.join(folder, label))
        for i in range(3):
            data = tf.io.encode_png(pixels(i + 10 * (label == "dogs")))
            tf.io.write_file(os.path.join(folder, label, f"{i}.png"), data)
    return folder


def bytes_feature(tf, *values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=list(values)))


def ints_feature(tf, *values):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=list(values)))


def floats_feature(tf, *values):
    return tf.train.Feature(float_list=tf.train.FloatList(value=list(values)))


def records(tf, folder, count=7, shards=2, compression=""):
    paths = []
    for shard in range(shards):
        path = os.path.join(folder, f"part-{shard}.tfrecord")
        with tf.io.TFRecordWriter(path, options=compression or None) as writer:
            for i in range(shard, count, shards):
                features = {
                    "image": bytes_feature(tf, tf.io.encode_png(pixels(i, 4, 5)).numpy()),
                    "label": ints_feature(tf, i % 3),
                    "name": bytes_feature(tf, f"picture {i}".encode()),
                    "weight": floats_feature(tf, 0.5 * i),
                    "tokens": ints_feature(tf, *range(i)),
                    "box": floats_feature(tf, i, i + 1, i + 2.5, i + 3),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
        paths.append(path)
    return paths


def courses_of(names):
    """The pipelines among the names of a module."""
    return {
        name: made
        for name, made in names.items()
        if callable(made) and getattr(made, "__module__", None) == names["__name__"] and not name.startswith("_")
    }
