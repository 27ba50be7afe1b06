"""`hornbeam run` against `python`: what the program sees, what the caller sees. One process per row, so few rows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hornbeam.cli import run as run_command
from tests.structure.source_tree import ROOT

PROGRAM = """
import os, pickle, sys
class Local: pass
assert pickle.loads(pickle.dumps(Local())).__class__ is Local   # the program really is __main__
assert sys.modules["__main__"].__dict__ is globals()
print(__name__, sys.argv, os.path.realpath(sys.path[0]), os.path.realpath(os.getcwd()), __file__, __package__)
import tensorflow, neighbour
print(tensorflow.__name__, neighbour.word, os.environ["JAX_COMPILATION_CACHE_DIR"])
how = sys.argv[-1]
if how == "exit":
    sys.exit(7)
if how == "text":
    sys.exit("goodbye")
def fail():
    raise ValueError("on purpose")
if how == "fail":
    fail()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`code/program.py` with a module beside it, run from `.`; `code/` is also a package and a folder to run."""
    code = tmp_path / "code_of_it"
    code.mkdir()
    (code / "program.py").write_text(PROGRAM)
    (code / "neighbour.py").write_text("word = 'beside'\n")
    (code / "__init__.py").write_text("")
    (code / "__main__.py").write_text("import sys; print(__name__, __package__, sys.argv[1:], sys.path[0])\n")
    (code / "broken.py").write_text("x = = 1\n")
    return tmp_path


def start(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache"), "JAX_PLATFORMS": "cpu"}
    env.pop("JAX_COMPILATION_CACHE_DIR", None)
    return subprocess.run([sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def hornbeam_run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return start(["-m", "hornbeam", "run", *words], folder)


def test_the_program_is_main_in_its_own_folder_with_our_names(folder):
    script = os.path.join("code_of_it", "program.py")
    done = hornbeam_run(folder, script, "--help", "--", "-x", "exit")
    assert done.stderr == ""
    assert done.returncode == 7
    first, second = done.stdout.splitlines()
    path = os.path.realpath(folder / "code_of_it")
    argv = [script, "--help", "--", "-x", "exit"]
    assert first == f"__main__ {argv} {path} {os.path.realpath(folder)} {script} None"
    assert second.startswith("hornbeam beside ")
    if sys.platform == "linux":
        assert second.endswith(str(folder / "cache" / "hornbeam" / "xla"))


@pytest.mark.parametrize("how", ["text", "fail"])
def test_errors_look_as_under_python(folder, how):
    script = os.path.join("code_of_it", "program.py")
    done = hornbeam_run(folder, script, how)
    assert done.returncode == 1
    if how == "text":
        assert done.stderr == "goodbye\n"
        return
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{script}", line 17, in <module>'
    assert lines[-1] == "ValueError: on purpose"
    assert "hornbeam" not in done.stderr


def test_spawned_worker_processes_have_our_names_too(folder):
    (folder / "workers.py").write_text("""
import multiprocessing, os, sys
import tensorflow

def name_of(number):
    return f"{tensorflow.__name__} {number} {__name__} {os.path.basename(__file__)}"

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(*pool.map(name_of, [1, 2]), sep=";")
""")
    done = hornbeam_run(folder, "workers.py")
    assert done.stderr == ""
    assert done.stdout == "hornbeam 1 __mp_main__ workers.py;hornbeam 2 __mp_main__ workers.py\n"


def test_text_that_is_not_python_shows_the_place_only(folder):
    done = hornbeam_run(folder, os.path.join("code_of_it", "broken.py"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].strip().startswith("File ")
    assert done.stderr.splitlines()[-1].startswith("SyntaxError")


@pytest.mark.parametrize("words", [["-m", "code_of_it", "a", "-b"], ["code_of_it", "a", "-b"]])
def test_modules_and_folders_run_as_under_python(folder, words):
    done, python = hornbeam_run(folder, *words), start(words, folder)
    assert python.returncode == 0, python.stderr
    assert (done.stdout, done.stderr, done.returncode) == (python.stdout, "", 0)


def test_code_runs_as_under_python(folder):
    words = ["-c", "import sys; print(__name__, sys.argv, repr(sys.path[0])); 1/0", "a", "-m"]
    done, python = hornbeam_run(folder, *words), start(words, folder)
    assert (done.stdout, done.returncode) == (python.stdout, python.returncode)
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert "hornbeam" not in done.stderr


@pytest.mark.parametrize("words", [["missing.py"], ["-m", "missing_module"], ["--unknown"], ["-m"], []])
def test_nothing_to_run_is_wrong_usage(words, capsys, monkeypatch):
    monkeypatch.setattr(run_command, "install", lambda: None)
    monkeypatch.setattr(run_command, "keep_compiled_programs", lambda: None)
    monkeypatch.setattr(sys, "argv", ["hornbeam"])
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert run_command.main(words) == 2
    assert "hornbeam run: " in capsys.readouterr().err


def test_what_the_user_set_for_the_cache_stays(monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "elsewhere")
    for name in ("MIN_COMPILE_TIME_SECS", "MIN_ENTRY_SIZE_BYTES"):
        monkeypatch.delenv(f"JAX_PERSISTENT_CACHE_{name}", raising=False)
    run_command.keep_compiled_programs()
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == "elsewhere"
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "0"
