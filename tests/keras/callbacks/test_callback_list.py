import keras
import pytest

from hornbeam.keras import callbacks as ours
from hornbeam.keras.callbacks import Callback, CallbackList, LambdaCallback
from hornbeam.keras.callbacks.logs import LazyLogs
from tests.keras.callbacks.fakes import FakeModel

HOOKS = sorted(name for name in vars(Callback) if name.startswith("on_"))


def recorder(base, events):
    """A callback class that notes every hook, with its arguments."""

    def note(hook):
        def method(self, *args, logs=None):
            *numbers, last = args if args and not isinstance(args[-1], int) else (*args, logs)
            events.append((hook, *numbers, None if last is None else dict(last)))

        return method

    return type("Recorder", (base,), {hook: note(hook) for hook in HOOKS})


def run_all(run):
    run.on_train_begin()
    run.on_epoch_begin(3)
    run.on_train_batch_begin(0)
    run.on_train_batch_end(0, {"loss": 1, "acc": 2})
    run.on_test_begin()
    run.on_test_batch_begin(0)
    run.on_test_batch_end(0, {"loss": 1})
    run.on_test_end({"loss": 1})
    run.on_batch_begin(4)
    run.on_batch_end(4, {"loss": 3})
    run.on_epoch_end(3, {"loss": 1})
    run.on_train_end({"loss": 1})
    run.on_predict_begin()
    run.on_predict_batch_begin(0)
    run.on_predict_batch_end(0, {"outputs": [1, 2]})
    run.on_predict_end()


def test_hooks_are_called_as_in_the_oracle():
    events = {}
    for module in (ours, keras.callbacks):
        noted = events.setdefault(module.__name__, [])
        run = module.CallbackList([recorder(module.Callback, noted)()], model=FakeModel(), epochs=4, verbose=0)
        run_all(run)
    one, other = events.values()
    assert one == other and len(one) == 16


def test_same_hooks_as_the_oracle():
    assert sorted(n for n in vars(keras.callbacks.Callback) if n.startswith("on_")) == HOOKS


def test_short_names_are_called_for_training_batches():
    seen = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch, logs["loss"]))

    run = CallbackList(Old())
    run.on_train_begin()
    run.on_train_batch_begin(2)
    run.on_train_batch_end(2, {"loss": 1})
    run.on_test_batch_end(2, {"loss": 1})
    assert seen == [("begin", 2), ("end", 2, 1.0)]


def test_nested_lists_single_callbacks_model_and_params():
    one, two, three = Callback(), Callback(), Callback()
    model = FakeModel()
    run = CallbackList([one, [two, (three,)]], model=model, epochs=2, steps=5)
    assert run.callbacks == [one, two, three] == list(run)
    assert all(callback.model is model for callback in (run, one, two, three))
    assert one.params == {"epochs": 2, "steps": 5} == run.params
    assert CallbackList(one).callbacks == [one]
    assert CallbackList().callbacks == [] and CallbackList(None).history is None


def test_history_and_progress_are_added_once():
    model = FakeModel()
    run = CallbackList(None, add_history=True, add_progbar=True, model=model, verbose=0, epochs=1, steps=1)
    assert [type(callback).__name__ for callback in run] == ["History", "ProgbarLogger"]
    assert model.history is run.history
    own = ours.History()
    run = CallbackList([own, ours.ProgbarLogger()], add_history=True, add_progbar=True, model=FakeModel())
    assert len(run.callbacks) == 2 and run.history is own


def test_what_is_no_callback_is_refused():
    with pytest.raises(ValueError, match=r"Did you mean `EarlyStopping\(\)`"):
        CallbackList([ours.EarlyStopping])
    with pytest.raises(ValueError, match=r"must be `keras\.callbacks\.Callback` objects"):
        CallbackList(["EarlyStopping"])


def test_objects_that_only_look_like_callbacks():
    class Duck:
        def __init__(self):
            self.seen = []

        def set_model(self, model):
            self.seen.append("model")

        def set_params(self, params):
            self.seen.append("params")

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append(epoch)

    duck = Duck()
    run = CallbackList([duck], model=FakeModel(), epochs=1)
    run_all(run)
    assert duck.seen == ["model", "params", 3]
    assert not run.wants_batches("train")


def test_begin_and_end_must_match():
    with pytest.raises(ValueError, match="on_train_begin"):
        CallbackList().on_train_end()


def test_all_are_told_about_the_end_even_if_one_fails():
    seen = []

    class Bad(Callback):
        def on_train_end(self, logs=None):
            raise OSError("first")

    class Worse(Callback):
        def on_train_end(self, logs=None):
            raise OSError("second")

    run = CallbackList([Bad(), Worse(), LambdaCallback(on_train_end=lambda logs: seen.append("told"))])
    run.on_train_begin()
    with pytest.raises(OSError, match="first"):
        run.on_train_end()
    assert seen == ["told"]


def test_subclasses_may_forget_super_init():
    class Forgetful(Callback):
        def __init__(self):
            self.x = 1

    callback = Forgetful()
    assert callback.model is None and callback.params is None
    callback.model = "set directly"
    assert callback.model == "set directly"


# --- who wants batches ---------------------------------------------------------------------------
class BatchEnd(Callback):
    def on_batch_end(self, batch, logs=None):
        self.seen = batch


class TestBatch(Callback):
    __test__ = False

    def on_test_batch_begin(self, batch, logs=None):
        self.seen = batch


class EveryTen(Callback):
    batch_interval = 10

    def on_train_batch_end(self, batch, logs=None):
        self.seen = batch


def attribute_set():
    callback = Callback()
    callback.on_predict_batch_end = lambda batch, logs=None: None
    return callback


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (Callback, ""),
        (BatchEnd, "train"),
        (TestBatch, "test"),
        (EveryTen, ""),
        (attribute_set, "predict"),
        (lambda: LambdaCallback(on_epoch_end=print), ""),
        (lambda: LambdaCallback(on_train_batch_begin=print), "train"),
        (lambda: LambdaCallback(on_test_batch_end=print), "test"),
        (lambda: LambdaCallback(on_train_batch_end=print, batch_interval=5), ""),
        (ours.TerminateOnNaN, "train"),
        (ours.EarlyStopping, ""),
        (lambda: ours.ModelCheckpoint("a.keras"), ""),
        (lambda: ours.ModelCheckpoint("a.keras", save_freq=3), "train"),
        (lambda: CallbackList([BatchEnd()]), "train"),
        (lambda: CallbackList([Callback()]), ""),
    ],
)
def test_wants_batches(make, expected):
    run = CallbackList([make()], add_history=True, add_progbar=True, model=FakeModel(), verbose=1)
    assert [mode for mode in ("train", "test", "predict") if run.wants_batches(mode)] == expected.split()


def test_needed_interval_is_the_smallest_one():
    assert (
        CallbackList([EveryTen(), LambdaCallback(on_train_batch_end=print, batch_interval=4)]).needed_interval("train")
        == 4
    )
    assert CallbackList([EveryTen(), BatchEnd()]).needed_interval("train") == 1
    assert CallbackList([EveryTen()]).needed_interval("test") is None


def test_subclass_of_checkpoint_with_a_batch_hook_of_its_own_wants_batches():
    class Own(ours.ModelCheckpoint):
        def on_train_batch_end(self, batch, logs=None):
            self.seen = batch

    assert CallbackList([Own("a.keras")]).wants_batches("train")


def test_idle_batch_hooks_touch_nothing():
    class Explosive(dict):
        def items(self):
            raise AssertionError("logs were read")

    run = CallbackList([LambdaCallback(on_epoch_end=print)], add_history=True, model=FakeModel())
    run.on_train_begin()
    for hook in ("on_train_batch_begin", "on_train_batch_end", "on_test_batch_end", "on_predict_batch_end"):
        assert run._bound[hook] == []
        getattr(run, hook)(0, Explosive(loss=1))


def test_hooks_set_before_training_starts_are_seen():
    callback, seen = Callback(), []
    run = CallbackList([callback])
    callback.on_train_batch_end = lambda batch, logs=None: seen.append(batch)
    run.append(LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch + 100)))
    run.on_train_begin()
    run.on_train_batch_end(1, {})
    assert seen == [1, 101] and run.wants_batches("train")


def test_callbacks_share_the_logs_and_the_loop_keeps_its_own():
    seen = {}
    given = {"loss": 1}
    run = CallbackList(
        [
            LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(extra=5.0)),
            LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(logs)),
        ]
    )
    run.on_epoch_end(0, given)
    assert seen == {"loss": 1.0, "extra": 5.0} and given == {"loss": 1}


def test_lazy_logs_pass_through_as_they_are():
    seen = []
    run = CallbackList([LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs))])
    logs = LazyLogs({"loss": 1})
    run.on_train_batch_end(0, logs)
    assert seen[0] is logs
