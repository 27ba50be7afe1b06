"""The convolutional networks of the comparisons in PyTorch, as `conv_keras` has them. Imported by workers only."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from conv_keras import RATE, TASKS, Task
from torch import nn
from torch.nn import functional


def _lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def _cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 14 * 14, 10)
    )


def _double(channels: int, filters: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for size in (channels, filters):
        parts += [nn.Conv2d(size, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters, 1e-3), nn.ReLU()]
    return nn.Sequential(*parts)


class _UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 256)
        self.down = nn.ModuleList([_double(a, b) for a, b in pairwise(widths)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * size, size, 2, 2) for size in (128, 64, 32)])
        self.after = nn.ModuleList([_double(2 * size, size) for size in (128, 64, 32)])
        self.last = nn.Conv2d(32, TASKS["U-Net"].classes, 1)

    def forward(self, x: Any) -> Any:
        skips = []
        for block in list(self.down)[:-1]:
            x = block(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.down[-1](x)
        for up, after, skip in zip(self.up, self.after, reversed(skips), strict=True):
            x = after(torch.cat([functional.relu(up(x)), skip], 1))
        return self.last(x)


def _unit(channels: int, filters: int, window: int, stride: int = 1, act: Any = nn.ReLU6, **settings: Any) -> list:
    """Convolution, normalisation and activation."""
    options = {"groups": 1, "bias": False, "eps": 1e-3, "momentum": 0.001} | settings
    conv = nn.Conv2d(channels, filters, window, stride, window // 2, groups=options["groups"], bias=options["bias"])
    return [conv, nn.BatchNorm2d(filters, options["eps"], options["momentum"]), *([act()] if act else [])]


class _Sum(nn.Module):
    """A block with a shortcut round it."""

    def __init__(self, parts: list, shortcut: list | None = None, drop: float = 0.0, last: Any = None) -> None:
        super().__init__()
        self.block, self.shortcut = nn.Sequential(*parts), nn.Sequential(*(shortcut or []))
        self.drop, self.last = drop, last

    def forward(self, x: Any) -> Any:
        out = self.block(x)
        if self.drop and self.training:
            keep = torch.rand(len(out), 1, 1, 1) >= self.drop
            out = out * keep / (1 - self.drop)
        out = out + self.shortcut(x)
        return self.last(out) if self.last else out


def _mobilenet() -> nn.Module:
    parts = _unit(3, 32, 3, 2)
    width = 32
    for expand, filters, count, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for number in range(count):
            inner, step = width * expand, stride if number == 0 else 1
            block = _unit(width, inner, 1) if expand > 1 else []
            block += _unit(inner, inner, 3, step, groups=inner) + _unit(inner, filters, 1, act=None)
            parts += [_Sum(block)] if step == 1 and width == filters else block
            width = filters
    return nn.Sequential(*parts, *_unit(width, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10))


def _resnet() -> nn.Module:
    same: dict[str, Any] = {"bias": True, "eps": 1.001e-5, "momentum": 0.01, "act": nn.ReLU}
    parts = [*_unit(3, 64, 7, 2, **same), nn.MaxPool2d(3, 2, 1)]
    width = 64
    for filters, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for number in range(count):
            step = stride if number == 0 else 1
            block = _unit(width, filters, 1, step, **same) + _unit(filters, filters, 3, **same)
            block += _unit(filters, 4 * filters, 1, **(same | {"act": None}))
            shortcut = _unit(width, 4 * filters, 1, step, **(same | {"act": None})) if number == 0 else []
            parts.append(_Sum(block, shortcut, last=nn.ReLU()))
            width = 4 * filters
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


class _Excite(nn.Module):
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, x: Any) -> Any:
        means = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.expand(functional.silu(self.reduce(means))))


def _efficientnet() -> nn.Module:
    same: dict[str, Any] = {"act": nn.SiLU, "momentum": 0.01}
    parts = _unit(3, 32, 3, 2, **same)
    width, done = 32, 0
    for expand, filters, count, stride, window in (
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ):
        for number in range(count):
            inner, step = width * expand, stride if number == 0 else 1
            block = _unit(width, inner, 1, **same) if expand > 1 else []
            block += _unit(inner, inner, window, step, groups=inner, **same)
            block += [_Excite(inner, width // 4), *_unit(inner, filters, 1, **(same | {"act": None}))]
            parts += [_Sum(block, drop=0.2 * done / 16)] if step == 1 and width == filters else block
            width, done = filters, done + 1
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 10)]
    return nn.Sequential(*parts, *_unit(width, 1280, 1, **same), *head)


_BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "LeNet-5": _lenet,
    "CNN": _cnn,
    "U-Net": _UNet,
    "MobileNetV2": _mobilenet,
    "ResNet50": _resnet,
    "EfficientNetB0": _efficientnet,
}


class Training:
    """A network in the order of axes that is quickest in PyTorch, its optimizer, and plain loops."""

    def __init__(self, name: str, compiled: bool = False) -> None:
        self.task: Task = TASKS[name]
        self.model: Any = _BUILDERS[name]().to(memory_format=torch.channels_last)
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE, eps=1e-7)
        self.loss = nn.CrossEntropyLoss()
        if compiled:
            self.model = torch.compile(self.model)

    def tensors(self, images: Any, labels: Any) -> tuple[Any, Any]:
        """Data as PyTorch takes them best."""
        pictures = torch.from_numpy(images).permute(0, 3, 1, 2)  # channels last in memory
        return pictures, torch.from_numpy(labels).long()

    def fit(
        self, images: Any, labels: Any, epochs: int, epoch_ended: Callable[[], object] = lambda: None
    ) -> tuple[float, float]:
        """Train with a new order each epoch; returns the last epoch's (loss, accuracy)."""
        count, batch = len(images), self.task.batch
        loss_sum = right = 0.0
        self.model.train()
        for _ in range(epochs):
            order = torch.randperm(count)
            loss_sum = right = 0.0
            for start in range(0, count, batch):
                index = order[start : start + batch]
                wanted = labels[index]
                self.optimizer.zero_grad()
                logits = self.model(images[index])
                loss = self.loss(logits, wanted)
                loss.backward()
                self.optimizer.step()
                loss_sum += loss.item() * len(index)
                right += (logits.argmax(1) == wanted).sum().item()
            epoch_ended()
        return loss_sum / count, right / labels.numel()

    def predict(self, images: Any) -> Any:
        """Logits of all images as a NumPy array."""
        self.model.eval()
        with torch.no_grad():
            parts = [
                self.model(images[start : start + self.task.batch]) for start in range(0, len(images), self.task.batch)
            ]
        return torch.cat(parts).numpy()
