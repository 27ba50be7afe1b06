"""What a config may name: nothing but Hornbeam's own classes and pure functions, and what the user gave."""

import importlib
import sys
from contextlib import contextmanager

import pytest
from keras.src.api_export import get_name_from_symbol

from hornbeam.base import settings
from hornbeam.base.errors import UnsafeFileError
from hornbeam.keras import saving
from hornbeam.keras.saving import registration

EVENTS: list[str] = []
WATCHED = ("open", "socket.", "subprocess.", "os.", "exec", "compile", "marshal.loads", "pickle.", "ctypes.", "import")
watching = False


def _hook(event, arguments):
    if watching and event.startswith(WATCHED):
        EVENTS.append(f"{event} {arguments[:1]}")


sys.addaudithook(_hook)


@contextmanager
def audited():
    """Collect what the process does; the folders of the table are loaded before."""
    global watching
    for folder in registration.FOLDERS:
        registration._listed(folder, "nothing")
    EVENTS.clear()
    watching = True
    try:
        yield EVENTS
    finally:
        watching = False


HOSTILE = [
    ("os", "system", "function"),
    ("os", "popen", "class"),
    ("subprocess", "Popen", "class"),
    ("builtins", "eval", "function"),
    ("builtins", "open", "function"),
    ("builtins", "exec", "class"),
    ("importlib", "import_module", "function"),
    ("hornbeam.base.settings", "set_floatx", "function"),
    ("hornbeam.keras.saving.functions", "load_function", "function"),
    ("json", "loads", "function"),
    ("a_local_package_that_is_not_there", "run", "function"),
    ("keras.config", "enable_unsafe_deserialization", "function"),
    ("keras.config", "set_floatx", "function"),
    ("keras.utils", "get_file", "function"),
    ("keras.saving", "load_model", "function"),
    ("keras.models", "load_model", "function"),
    ("keras.models", "clone_model", "function"),
    ("keras.saving", "deserialize_keras_object", "function"),
    ("keras.activations", "deserialize", "function"),
    ("keras.losses", "get", "function"),
    ("keras.src.utils.file_utils", "get_file", "function"),
    ("keras.src.saving.saving_lib", "load_model", "function"),
    ("keras.backend", "clear_session", "function"),
    ("keras.dtype_policies", "set_dtype_policy", "function"),
    ("keras.saving", "KerasFileEditor", "class"),
    ("keras.callbacks", "LambdaCallback", "class"),
    ("keras.utils", "PyDataset", "class"),
    ("keras.layers..os", "system", "function"),
    ("keras.layers", "__import__", "function"),
    ("keras.regularizers.penalties", "__builtins__", "class"),
    ("kerasx.layers", "L2", "class"),
    ("", "L2", "class"),
    (3, "L2", "class"),
    (["os"], "system", "function"),
]


@pytest.mark.parametrize(("module", "name", "kind"), HOSTILE)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_hostile_names_are_refused_without_any_action(module, name, kind, safe_mode):
    before = settings.floatx(), settings.get("interactive_logging")
    function = kind == "function"
    config = {
        "module": module,
        "class_name": "function" if function else name,
        "config": name if function else {},
        "registered_name": "function" if function else None,
    }
    with audited() as done, pytest.raises(UnsafeFileError) as caught:
        saving.deserialize_keras_object({"a": [config]}, safe_mode=safe_mode)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)
    assert name in str(caught.value)
    assert not done
    assert before == (settings.floatx(), settings.get("interactive_logging"))


def test_dotted_and_odd_names_are_refused():
    for name in ("L2.os", "L2.__init__", "os.system", "L2()", "__class__", "_CLASSES", "deserialize", ""):
        config = {"module": "keras.regularizers", "class_name": name, "config": {}, "registered_name": None}
        with audited() as done, pytest.raises(UnsafeFileError):
            saving.deserialize_keras_object(config)
        assert not done


def test_lambda_bytecode_is_not_even_decoded():
    config = {"class_name": "__lambda__", "config": {"value": ["4wAAAA==", None, None]}}
    with audited() as done, pytest.raises(UnsafeFileError):
        saving.deserialize_keras_object([{"deep": config}])
    assert not done


def test_a_class_is_not_a_function_and_back():
    with pytest.raises(UnsafeFileError):
        saving.deserialize_keras_object(
            {"module": "keras.activations", "class_name": "relu", "config": {}, "registered_name": None}
        )
    with pytest.raises(UnsafeFileError):
        saving.deserialize_keras_object(
            {"module": "keras.regularizers", "class_name": "function", "config": "L2", "registered_name": "L2"}
        )


def test_a_user_class_never_resolves_to_a_built_in_one():
    config = {"module": None, "class_name": "L2", "config": {}, "registered_name": "L2"}
    with pytest.raises(UnsafeFileError):
        saving.deserialize_keras_object(config)
    config = {"module": "keras.regularizers", "class_name": "L2", "config": {}, "registered_name": "mine>L2"}
    with pytest.raises(ValueError, match="registered_name='mine>L2'"):
        saving.deserialize_keras_object(config)


def test_all_that_the_table_offers_is_constructible_or_pure():
    for folder in registration.FOLDERS:
        module = registration._module(registration.FOLDERS[folder])
        for name in getattr(module, "__all__", ()):
            found = registration.builtin(f"keras.{folder}", name)
            if found is None:
                continue
            is_class = isinstance(found, type) and hasattr(found, "from_config")
            assert is_class or folder in registration.FUNCTION_FOLDERS, (folder, name)


# Keras 3 has placeholders only in its folder of old optimizers.
@pytest.mark.parametrize("folder", sorted(set(registration.FOLDERS) - {"optimizers.legacy"}))
def test_written_names_are_the_canonical_ones_of_keras(folder):
    module = registration._module(registration.FOLDERS[folder])
    keras_folder = importlib.import_module(f"keras.{folder}") if module is not None else None
    for name in getattr(module, "__all__", ()):
        kind, theirs = getattr(module, name), getattr(keras_folder, name, None)
        if isinstance(kind, type) and isinstance(theirs, type):
            public = registration.public_name(kind)
            assert public is not None, (folder, name)
            assert f"{public[0]}.{public[1]}" == get_name_from_symbol(theirs), (folder, name)


def test_public_names_lead_back_to_their_class():
    for folder in ("regularizers", "constraints", "initializers", "dtype_policies"):
        module = registration._module(registration.FOLDERS[folder])
        for name in module.__all__:
            kind = getattr(module, name)
            if isinstance(kind, type):
                public = registration.public_name(kind)
                assert public is not None, (folder, name)
                assert registration.builtin(public[0], public[1]) is kind
