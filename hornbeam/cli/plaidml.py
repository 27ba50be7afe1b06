"""``plaidml-setup`` and ``plaidbench``: the commands of PlaidML, on the devices that JAX finds."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence

import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.plaidml.devices import device_names
from hornbeam.keras import applications

__all__ = ["bench", "setup"]

NETWORKS = {
    "densenet121": ("DenseNet121", 224),
    "densenet169": ("DenseNet169", 224),
    "densenet201": ("DenseNet201", 224),
    "inception_resnet_v2": ("InceptionResNetV2", 299),
    "inception_v3": ("InceptionV3", 299),
    "mobilenet": ("MobileNet", 224),
    "mobilenet_v2": ("MobileNetV2", 224),
    "nasnet_large": ("NASNetLarge", 331),
    "nasnet_mobile": ("NASNetMobile", 224),
    "resnet50": ("ResNet50", 224),
    "vgg16": ("VGG16", 224),
    "vgg19": ("VGG19", 224),
    "xception": ("Xception", 299),
}
"""Networks that can be measured: name of the function in ``keras.applications``, side of the pictures in pixels."""


# --- plaidml-setup -------------------------------------------------------------------------------
def _ask(question: str, answers: Sequence[str], default: str) -> str:
    """One of some answers; an empty line, or no line at all, is the default, and anything else is asked again."""
    while True:
        print(f"{question} ({','.join(answers)})[{default}]:", end="", flush=True)
        line = sys.stdin.readline()
        answer = line.strip().lower()
        print()
        if not answer:
            return default
        if answer in answers:
            return answer
        print(f"Invalid choice: {answer!r}. Answer with one of: {', '.join(answers)}.")


def setup(argv: Sequence[str] | None = None) -> int:
    """Ask which device is the default one, and write the answer to ``.plaidml`` in the home folder."""
    argparse.ArgumentParser(prog="plaidml-setup", description="Choose the default device.").parse_args(argv)
    print("\nPlaidML setup, answered by Hornbeam\n")
    experimental = _ask("Enable experimental device support?", ("y", "n"), "n") == "y"
    names = device_names()
    chosen = names[0]
    if len(names) > 1:
        print("\nPlease choose a default device:\n")
        for number, name in enumerate(names, start=1):
            print(f"   {number} : {name}")
        numbers = [str(number) for number in range(1, len(names) + 1)]
        chosen = names[int(_ask("\nDefault device?", numbers, "1")) - 1]
    print(f"\nSelected device:\n    {chosen}\n")
    path = os.path.join(os.path.expanduser("~"), ".plaidml")
    if _ask(f"Save settings to {path}?", ("y", "n"), "y") == "y":
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"PLAIDML_DEVICE_IDS": [chosen], "PLAIDML_EXPERIMENTAL": experimental}, file, indent=4)
        print("Success!")
    else:
        print("Settings were not saved.")
    return 0


# --- plaidbench ----------------------------------------------------------------------------------
def bench(argv: Sequence[str] | None = None) -> int:
    """Measure the inference of a network of ``keras.applications`` on random pictures."""
    parser = argparse.ArgumentParser(prog="plaidbench", description="Measure the speed of a network.")
    parser.add_argument("--examples", type=int, default=None, help="number of pictures; default 1024")
    parser.add_argument("--batch-size", type=int, default=1, help="pictures computed at once")
    parser.add_argument("-v", "--verbose", action="store_true", help="accepted, without effect")
    frontends = parser.add_subparsers(dest="frontend", required=True)
    keras = frontends.add_parser("keras", help="a network of keras.applications")
    keras.add_argument("--examples", type=int, default=argparse.SUPPRESS)
    keras.add_argument("--batch-size", type=int, default=argparse.SUPPRESS)
    keras.add_argument("--plaid", action="store_true", help="accepted; there is one backend")
    keras.add_argument("--fp16", action="store_true", help="refused; use a mixed_float16 policy in a program")
    keras.add_argument("--train", action="store_true", help="refused; only inference is measured")
    keras.add_argument("network", choices=sorted(NETWORKS))
    options = parser.parse_args(argv)
    if options.fp16 or options.train:
        raise NotSupportedError(
            "plaidbench: --fp16 and --train are not offered. Measure `fit` in a program of your own."
        )
    examples = options.examples or 1024
    batch = min(options.batch_size, examples)
    print(f"Running {examples} examples with {options.network}, batch size {batch}, on backend hornbeam", flush=True)
    compiling, running = _measure(options.network, examples, batch)
    print(f"Example finished, elapsed: {compiling:.3f}s (compile), {running:.3f}s (execution)\n")
    width = 20
    print(f"{'Network Name':<{width}} {'Inference Latency':<{width}} {'Time / FPS':<{width}}")
    print("-" * 3 * width)
    per = running / examples
    print(
        f"{options.network:<{width}} {f'{per * 1000:.2f} ms':<{width}} "
        f"{f'{running:.3f} s / {1 / per:.2f} fps':<{width}}"
    )
    return 0


def _measure(network: str, examples: int, batch: int) -> tuple[float, float]:
    """Seconds until the first batch is done, and seconds for all examples after that."""
    name, side = NETWORKS[network]
    model = getattr(applications, name)(weights=None)
    pictures = np.random.default_rng(0).random((batch, side, side, 3), dtype="float32")
    start = time.perf_counter()
    model.predict_on_batch(pictures)
    compiling = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(-(-examples // batch)):
        np.asarray(model.predict_on_batch(pictures))
    return compiling, time.perf_counter() - start
