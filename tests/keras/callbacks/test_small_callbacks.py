import http.server
import json
import threading
import urllib.parse

import keras
import numpy as np
import pytest

from hornbeam.base.errors import ArgumentError
from hornbeam.keras import callbacks as ours
from tests.keras.callbacks.fakes import FakeModel, drive


# --- TerminateOnNaN ------------------------------------------------------------------------------
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_terminate_as_the_oracle(bad, capsys):
    found = []
    for module in (ours, keras.callbacks):
        batches = [{"loss": 1.0}, {"loss": bad}]
        model = drive(module.CallbackList, [module.TerminateOnNaN()], [{"loss": 1.0}] * 3, batches=batches)
        found.append((model.stop_training, len(model.history.epoch), capsys.readouterr().out))
    assert found[0] == found[1] == (True, 1, "Batch 1: Invalid loss, terminating training\n")


def test_terminate_by_raising():
    for module in (ours, keras.callbacks):
        with pytest.raises(RuntimeError, match=r"batch 0.*nan"):
            drive(module.CallbackList, [module.TerminateOnNaN(True)], [{}], batches=[{"loss": float("nan")}])


def test_terminate_leaves_good_runs_alone():
    model = drive(ours.CallbackList, [ours.TerminateOnNaN()], [{"loss": 1.0}] * 2, batches=[{"loss": 1.0}, {}])
    assert not model.stop_training and len(model.history.epoch) == 2


# --- LambdaCallback ------------------------------------------------------------------------------
def test_lambda_calls_every_function():
    hooks = [name for name in vars(ours.Callback) if name.startswith("on_")]
    seen = []
    functions = {hook: lambda *args, hook=hook, **kwargs: seen.append(hook) for hook in hooks}
    run = ours.CallbackList(ours.LambdaCallback(**functions))
    for hook in sorted(hooks, key=lambda hook: "_end" in hook):
        is_about_a_run = hook.removesuffix("_begin").removesuffix("_end") in ("on_train", "on_test", "on_predict")
        getattr(run, hook)(*([] if is_about_a_run else [0]))
    assert sorted(seen) == sorted(hooks)


def test_lambda_refuses_what_is_no_hook():
    with pytest.raises(ArgumentError, match="did you mean 'on_epoch_end'"):
        ours.LambdaCallback(on_epoch_ends=print)


# --- RemoteMonitor -------------------------------------------------------------------------------
@pytest.fixture
def server():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            kind, own = self.headers["Content-Type"], self.headers.get("X-Own")
            received.append((self.path, kind, own, body))
            self.send_response(500 if self.path == "/bad/" else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            """Keep the test's output clean."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", received
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_as_the_oracle(server, as_json):
    root, received = server
    logs = {"loss": 0.5, "vector": np.float32(0.25)}
    for module in (ours, keras.callbacks):
        module.RemoteMonitor(root, headers={"X-Own": "yes"}, send_as_json=as_json).on_epoch_end(3, logs)
    contents = [
        (path, kind, own, json.loads(body) if as_json else json.loads(urllib.parse.parse_qs(body)["data"][0]))
        for path, kind, own, body in received
    ]
    assert contents[0] == contents[1]
    assert contents[0][0] == "/publish/epoch/end/" and contents[0][2] == "yes"
    assert contents[0][3] == {"epoch": 3, "loss": 0.5, "vector": 0.25}


def test_remote_server_that_complains_is_no_matter(server):
    root, received = server
    ours.RemoteMonitor(root, path="/bad/").on_epoch_end(0, {})
    assert len(received) == 1


@pytest.mark.parametrize("root", ["http://127.0.0.1:9", "file:///etc", "nonsense"])
def test_remote_server_that_is_not_there_gives_a_warning(root):
    with pytest.warns(UserWarning, match="RemoteMonitor could not send to"):
        ours.RemoteMonitor(root).on_epoch_end(0, {"loss": 1.0})


# --- arguments of all ----------------------------------------------------------------------------
@pytest.mark.parametrize("name", sorted(set(ours.__all__) & set(dir(keras.callbacks))))
def test_arguments_are_those_of_the_oracle(name):
    import inspect

    one, other = (inspect.signature(getattr(module, name).__init__) for module in (ours, keras.callbacks))
    extra = {
        "BackupAndRestore": ["save_before_preemption", "allow_changed", "signals"],
        "ModelCheckpoint": ["period", "options"],
    }.get(name, [])
    expected = {p.name: (p.default, p.kind) for p in other.parameters.values()}
    found = {p.name: (p.default, p.kind) for p in one.parameters.values() if p.name not in extra}
    assert found == expected
    assert list(found) == list(expected)


def test_model_is_not_needed_for_history():
    assert FakeModel().history is None
    history = ours.History()
    history.on_epoch_end(0, {"loss": 1.0})
    assert history.history == {"loss": [1.0]}
