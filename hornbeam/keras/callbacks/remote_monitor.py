"""``RemoteMonitor``: sends the logs of each epoch to a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import numpy as np

from hornbeam.base.notices import warn
from hornbeam.keras.callbacks.callback import Callback

TIMEOUT_S = 10.0
"""Seconds to wait for the server: training must not hang on it."""


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server by HTTP POST.

    A server that cannot be reached gives a warning; training goes on.

    Args:
        root: address of the server.
        path: path on the server.
        field: name of the form field that holds the JSON text (with ``send_as_json=False``).
        headers: further HTTP headers.
        send_as_json: send JSON as such instead of in a form.

    References: Keras ``callbacks.RemoteMonitor``.
    """

    state_names = ()

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        event = {"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}}
        text = json.dumps(event)
        if self.send_as_json:
            body, kind = text, "application/json"
        else:
            body, kind = urllib.parse.urlencode({self.field: text}), "application/x-www-form-urlencoded"
        try:
            self._post(body.encode(), kind)
        except urllib.error.HTTPError as error:
            # It was reached, whatever it thinks of the request.
            error.close()
        except (OSError, ValueError):
            warn(f"RemoteMonitor could not send to {self.root}; training goes on.")

    def _post(self, body: bytes, kind: str) -> None:
        if not self.root.lower().startswith(("http://", "https://")):
            raise ValueError(f"RemoteMonitor sends to http and https addresses only. Received: root={self.root!r}")
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, data=body, headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            response.read()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, (np.ndarray, np.generic)) else value
