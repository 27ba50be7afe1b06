"""Whole pipelines as courses write them: records, pictures, sound and other files.

Each is a function of the ``tf`` module and a folder for files.
"""

from __future__ import annotations

import os

import numpy as np

from tests.data.courses import bytes_feature, courses_of, floats_feature, ints_feature, picture_folder, pixels, records


def _parse(tf):
    spec = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64, default_value=-1),
        "name": tf.io.FixedLenFeature([], tf.string),
        "weight": tf.io.FixedLenFeature([], tf.float32, default_value=9.0),
        "box": tf.io.FixedLenFeature([4], tf.float32),
        "absent": tf.io.FixedLenFeature([2], tf.int64, default_value=[1, 2]),
    }

    def parse(serialized):
        example = tf.io.parse_single_example(serialized, spec)
        image = tf.io.decode_png(example.pop("image"), channels=3)
        image = tf.image.convert_image_dtype(image, tf.float32)
        return image, example

    return parse


def records_images(tf, folder):
    data = tf.data.TFRecordDataset(records(tf, folder)).map(_parse(tf), num_parallel_calls=tf.data.AUTOTUNE)
    return data.map(lambda image, rest: (tf.reshape(image, [4, 5, 3]), rest)).batch(3)


def records_interleave(tf, folder):
    files = tf.data.Dataset.from_tensor_slices(records(tf, folder, compression="GZIP"))
    data = files.interleave(
        lambda f: tf.data.TFRecordDataset(f, compression_type="GZIP"), cycle_length=2, deterministic=True
    )
    return data.map(_parse(tf)).map(lambda image, rest: (rest["name"], rest["label"], tf.reduce_mean(image)))


def records_variable_length(tf, folder):
    spec = {"tokens": tf.io.VarLenFeature(tf.int64), "label": tf.io.FixedLenFeature([], tf.int64)}

    def parse(serialized):
        example = tf.io.parse_single_example(serialized, spec)
        return tf.sparse.to_dense(example["tokens"]), example["label"]

    return tf.data.TFRecordDataset(records(tf, folder)).map(parse).padded_batch(3, ([None], []))


def records_ragged(tf, folder):
    spec = {"tokens": tf.io.RaggedFeature(tf.int64), "label": tf.io.FixedLenFeature([], tf.int64)}
    data = tf.data.TFRecordDataset(records(tf, folder)).batch(4)
    return data.map(lambda s: tf.io.parse_example(s, spec)).map(lambda e: (e["tokens"].to_tensor(), e["label"]))


def records_batched_sparse(tf, folder):
    spec = {"tokens": tf.io.VarLenFeature(tf.int64), "name": tf.io.FixedLenFeature([], tf.string)}
    data = tf.data.TFRecordDataset(records(tf, folder)).batch(3)
    return data.map(lambda s: tf.io.parse_example(s, spec)).map(
        lambda e: (tf.sparse.to_dense(e["tokens"], default_value=-1), e["name"])
    )


def records_sequence(tf, folder):
    path = os.path.join(folder, "walks.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(1, 4):
            lists = {
                "words": tf.train.FeatureList(feature=[ints_feature(tf, k) for k in range(i)]),
                "points": tf.train.FeatureList(feature=[floats_feature(tf, k, -k) for k in range(i)]),
            }
            example = tf.train.SequenceExample(
                context=tf.train.Features(feature={"id": ints_feature(tf, i)}),
                feature_lists=tf.train.FeatureLists(feature_list=lists),
            )
            writer.write(example.SerializeToString())

    def parse(serialized):
        context, sequence = tf.io.parse_single_sequence_example(
            serialized,
            {"id": tf.io.FixedLenFeature([], tf.int64)},
            {
                "words": tf.io.FixedLenSequenceFeature([], tf.int64),
                "points": tf.io.FixedLenSequenceFeature([2], tf.float32),
            },
        )
        return context["id"], sequence

    return tf.data.TFRecordDataset(path).map(parse).padded_batch(2)


def records_tensors(tf, folder):
    path = os.path.join(folder, "tensors.tfrecord")
    data = tf.data.Dataset.range(4).map(lambda i: tf.cast(tf.fill([2, 2], i), tf.float32))
    with tf.io.TFRecordWriter(path) as writer:
        for tensor in data:
            writer.write(tf.io.serialize_tensor(tensor).numpy())
    return tf.data.TFRecordDataset(path).map(lambda s: tf.ensure_shape(tf.io.parse_tensor(s, tf.float32), [2, 2]))


def pictures_by_path(tf, folder):
    files = tf.data.Dataset.list_files(os.path.join(picture_folder(tf, folder), "*/*.png"), shuffle=False)
    names = np.array(sorted(os.listdir(folder)))

    def load(path):
        parts = tf.strings.split(path, os.path.sep)
        label = tf.argmax(parts[-2] == names)
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.image.resize(image, [4, 4]), label

    return files.map(load, num_parallel_calls=tf.data.AUTOTUNE).cache().batch(4).prefetch(tf.data.AUTOTUNE)


def pictures_paths_labels(tf, folder):
    picture_folder(tf, folder)
    paths = [os.path.join(folder, c, f"{i}.png") for i in range(3) for c in ("cats", "dogs")]
    labels = [0, 1] * 3

    def load(path, label):
        image = tf.image.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        image.set_shape([None, None, 3])
        image = tf.cast(tf.image.resize(image, (6, 6), method="nearest"), tf.float32) / 255.0
        return image, tf.one_hot(label, 2)

    return tf.data.Dataset.from_tensor_slices((paths, labels)).map(load).batch(3)


def pictures_directory(tf, folder):
    data = tf.keras.utils.image_dataset_from_directory(
        picture_folder(tf, folder), image_size=(4, 5), batch_size=4, shuffle=False
    )
    names = data.class_names
    return data.map(lambda x, y: (x / 255.0, y, tf.gather(names, y)))


def pictures_directory_split(tf, folder):
    train, valid = tf.keras.utils.image_dataset_from_directory(
        picture_folder(tf, folder),
        image_size=(4, 4),
        batch_size=None,
        label_mode="categorical",
        validation_split=0.34,
        subset="both",
        seed=7,
        shuffle=False,
    )
    return train.concatenate(valid).map(lambda x, y: (tf.image.rgb_to_grayscale(x), y)).batch(6)


def pictures_augment_fixed(tf, folder):
    images = np.stack([pixels(i, 8, 8) for i in range(5)])
    rescale = tf.keras.Sequential([tf.keras.layers.Resizing(6, 6), tf.keras.layers.Rescaling(1 / 127.5, offset=-1)])

    def augment(image, label):
        image = tf.image.flip_left_right(tf.image.central_crop(image, 0.5))
        image = tf.image.resize_with_crop_or_pad(image, 7, 5)
        return tf.image.adjust_brightness(image, 0.1), label

    data = tf.data.Dataset.from_tensor_slices((images, np.arange(5)))
    return data.map(augment).batch(2).map(lambda x, y: (rescale(x), y))


def pictures_stateless(tf, folder):
    images = np.stack([pixels(i, 8, 8) for i in range(4)])
    data = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(images), tf.data.Dataset.range(4)))

    def shape(image, i):
        image = tf.image.pad_to_bounding_box(image, 1, 2, 11, 12)
        return tf.image.rot90(image), tf.image.per_image_standardization(tf.cast(image, tf.float32)), i % 2

    return data.map(shape).batch(4)


def masks_and_images(tf, folder):
    images = np.stack([pixels(i, 6, 6) for i in range(4)])
    masks = (images[..., :1] > 128).astype("uint8") + 1

    def load(datapoint):
        image = tf.image.resize(datapoint["image"], (4, 4))
        mask = tf.image.resize(datapoint["mask"], (4, 4), method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)
        return tf.cast(image, tf.float32) / 255.0, mask - 1

    data = tf.data.Dataset.from_tensor_slices({"image": images, "mask": masks})
    return data.map(load).cache().batch(2).repeat(2)


def save_load(tf, folder):
    path = os.path.join(folder, "saved")
    tf.data.Dataset.from_tensor_slices({"x": np.arange(5.0), "s": list("abcde")}).save(path)
    return tf.data.Dataset.load(path).map(lambda d: (d["s"], d["x"] * 2)).batch(2)


def snapshot_cache_file(tf, folder):
    data = tf.data.Dataset.range(6).map(lambda x: x * x).cache(os.path.join(folder, "cache"))
    for _ in data:
        pass
    return data.repeat(2).batch(4)


def as_flat_files(tf, folder):
    path = os.path.join(folder, "fixed.bin")
    with open(path, "wb") as file:
        file.write(b"HD" + np.arange(12, dtype="<i2").tobytes() + b"F")
    data = tf.data.FixedLengthRecordDataset(path, record_bytes=6, header_bytes=2, footer_bytes=1)
    return data.map(lambda s: tf.cast(tf.io.decode_raw(s, tf.int16), tf.int32)).batch(3)


def audio_frames(tf, folder):
    wave = np.sin(np.arange(80) / 5.0).astype("float32")
    path = os.path.join(folder, "a.wav")
    tf.io.write_file(path, tf.audio.encode_wav(wave[:, None], 8000))

    def load(name):
        audio, rate = tf.audio.decode_wav(tf.io.read_file(name), desired_channels=1)
        frames = tf.signal.frame(tf.squeeze(audio, -1), 16, 8)
        return tf.abs(tf.signal.stft(tf.squeeze(audio, -1), 16, 8)), frames, rate

    return tf.data.Dataset.from_tensor_slices([path]).map(load)


def images_map_many(tf, folder):
    images = np.stack([pixels(i, 6, 6) for i in range(3)])

    def change(image):
        image = tf.image.convert_image_dtype(image, tf.float32)
        image = tf.image.adjust_contrast(tf.image.adjust_gamma(image, 1.2), 0.8)
        image = tf.image.adjust_saturation(tf.image.adjust_hue(image, 0.1), 1.3)
        image = tf.clip_by_value(tf.image.transpose(image), 0.0, 1.0)
        return tf.image.resize_with_pad(image, 8, 5)

    return tf.data.Dataset.from_tensor_slices(images).map(change).batch(3)


def images_resize_kinds(tf, folder):
    images = np.stack([pixels(i, 8, 6) for i in range(2)])
    kinds = ["bilinear", "nearest", "bicubic", "area", "lanczos3", "mitchellcubic", "gaussian"]
    data = tf.data.Dataset.from_tensor_slices(images)
    return data.map(lambda x: tuple(tf.cast(tf.image.resize(x, (5, 7), method=kind), tf.float32) for kind in kinds))


def images_patches(tf, folder):
    images = np.stack([pixels(i, 6, 6) for i in range(2)])

    def cut(x):
        found = tf.image.extract_patches(x[None], [1, 3, 3, 1], [1, 3, 3, 1], [1, 1, 1, 1], "VALID")
        return tf.reshape(found, (-1, 3, 3, 3))

    return tf.data.Dataset.from_tensor_slices(images).map(cut).unbatch().batch(5)


def images_crop_boxes(tf, folder):
    images = np.stack([pixels(i, 6, 6) for i in range(2)]).astype("float32")
    boxes = np.array([[0.0, 0.0, 1.0, 0.5], [0.25, 0.25, 0.75, 1.0]], "float32")
    data = tf.data.Dataset.from_tensor_slices({"image": images, "box": boxes})
    return data.map(lambda d: tf.image.crop_and_resize(d["image"][None], d["box"][None], [0], (3, 3))[0])


def pictures_records(tf, folder):
    data = tf.data.TFRecordDataset(records(tf, folder, 5, 1, "ZLIB"), compression_type="ZLIB").batch(2)
    spec = {"image": tf.io.FixedLenFeature([], tf.string), "tokens": tf.io.VarLenFeature(tf.int64)}

    def parse(batch):
        found = tf.io.parse_example(batch, spec)
        images = tf.map_fn(lambda s: tf.io.decode_png(s), found["image"], fn_output_signature=tf.uint8)
        return tf.cast(images, tf.float32), tf.sparse.to_dense(found["tokens"])

    return data.map(parse)


def records_nested_examples(tf, folder):
    path = os.path.join(folder, "one.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(3):
            tensor = tf.io.serialize_tensor(tf.constant(np.full((2, i + 1), i, "float32")))
            features = {"tensor": bytes_feature(tf, tensor.numpy()), "shape": ints_feature(tf, 2, i + 1)}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())

    def parse(s):
        spec = {"tensor": tf.io.FixedLenFeature([], tf.string), "shape": tf.io.FixedLenFeature([2], tf.int64)}
        found = tf.io.parse_single_example(s, spec)
        return tf.reshape(tf.io.parse_tensor(found["tensor"], tf.float32), found["shape"])

    return tf.data.TFRecordDataset([path]).map(parse).padded_batch(3, [2, None])


def raw_bytes_images(tf, folder):
    images = np.stack([pixels(i, 4, 4) for i in range(3)])
    data = tf.data.Dataset.from_tensor_slices([image.tobytes() for image in images])
    return data.map(lambda s: tf.reshape(tf.io.decode_raw(s, tf.uint8), [4, 4, 3])).map(lambda x: x[..., 0]).batch(3)


def interleave_records(tf, folder):
    paths = records(tf, folder, 9, 3)
    data = tf.data.Dataset.from_tensor_slices(paths).interleave(
        tf.data.TFRecordDataset, cycle_length=3, block_length=1, num_parallel_calls=tf.data.AUTOTUNE
    )
    spec = {"label": tf.io.FixedLenFeature([], tf.int64), "name": tf.io.FixedLenFeature([], tf.string)}
    return data.map(lambda s: tf.io.parse_single_example(s, spec)).map(lambda e: (e["name"], e["label"])).batch(4)


COURSES = courses_of(globals())
"""Name to pipeline."""
