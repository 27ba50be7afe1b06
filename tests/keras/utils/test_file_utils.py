"""get_file: cache, hashes, locks, and archives that try to get out."""

import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import threading
import warnings
import zipfile

import pytest

from hornbeam.base.errors import CorruptFileError, NotSupportedError, UnsafeFileError
from hornbeam.keras.utils import file_archives, get_file
from hornbeam.keras.utils.file_utils import hash_file, validate_file

CONTENT = b"some data\n" * 50_000


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; knows some addresses that lead elsewhere."""

    requests: list[str] = []

    def do_GET(self):
        self.requests.append(self.path)
        if self.path.startswith("/to-file"):
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
            return
        if self.path.startswith("/short"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"too little")
            return
        super().do_GET()

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "data.bin").write_bytes(CONTENT)
    with tarfile.open(folder / "photos.tgz", "w:gz") as archive:
        for name in ("photos/a/1.txt", "photos/b/2.txt"):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
    Handler.requests = []
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Handler(*args, directory=str(folder)))
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    found.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return str(tmp_path / "keras" / "datasets")


def test_the_second_call_needs_no_net(server, cache, capsys):
    path = get_file(origin=f"{server}/data.bin")
    assert path == os.path.join(cache, "data.bin")
    with open(path, "rb") as file:
        assert file.read() == CONTENT
    assert "Downloading" in capsys.readouterr().out
    assert get_file(origin=f"{server}/data.bin") == path
    assert get_file("data.bin", origin="https://nowhere.invalid/other") == path
    assert Handler.requests == ["/data.bin"]
    assert os.listdir(cache) == ["data.bin"]
    get_file(origin=f"{server}/data.bin", force_download=True)
    assert len(Handler.requests) == 2


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_hashes_are_checked_and_damaged_copies_replaced(server, cache, kind):
    good = hashlib.new(kind, CONTENT).hexdigest()
    path = get_file("d", f"{server}/data.bin", file_hash=good, cache_subdir="datasets")
    with open(path, "wb") as file:
        file.write(b"damaged")
    assert not validate_file(path, good)
    get_file("d", f"{server}/data.bin", file_hash=good, hash_algorithm=kind)
    assert validate_file(path, good) and hash_file(path, kind) == good
    with pytest.raises(ValueError, match=good[:-1] + "0"):
        get_file("other", f"{server}/data.bin", file_hash=good[:-1] + "0")
    assert os.listdir(cache) == ["d"]
    with pytest.raises(NotSupportedError, match="crc"):
        get_file("d", f"{server}/data.bin", file_hash=good, hash_algorithm="crc")


def test_failed_downloads_leave_nothing(server, cache):
    for address in (f"{server}/missing", f"{server}/short", "http://127.0.0.1:9/x"):
        with pytest.raises(OSError, match="failed"):
            get_file(origin=address)
    with pytest.raises(UnsafeFileError, match="file"):
        get_file(origin=f"{server}/to-file")
    assert os.listdir(cache) == []


def test_leftovers_of_a_killed_download_are_removed(server, cache):
    os.makedirs(cache)
    leftover = os.path.join(cache, ".data.bin.12345-0123abcd.part")
    with open(leftover, "wb") as file:
        file.write(b"half")
    get_file(origin=f"{server}/data.bin")
    assert os.listdir(cache) == ["data.bin"]


@pytest.mark.parametrize("name", ["../out", "a/b", "a\\b", "..", "C:evil", "CON", "nul.txt", "x\0y"])
def test_names_that_leave_the_cache_are_refused(name):
    with pytest.raises(ValueError, match="name"):
        get_file(name, "https://example.org/x")


@pytest.mark.parametrize("origin", [None, "ftp://example.org/x", "/etc/hostname", "https://example.org/", "gs://b/x"])
def test_addresses_that_cannot_be_fetched_are_refused(origin):
    with pytest.raises(ValueError, match="get_file"):
        get_file(origin=origin)


def test_file_addresses_are_copied_and_unpacked(tmp_path, cache, server):
    address = (tmp_path / "served" / "photos.tgz").as_uri()
    folder = get_file("photos", address, untar=True)
    assert folder == os.path.join(cache, "photos")
    assert sorted(os.listdir(os.path.join(folder, "photos"))) == ["a", "b"]
    assert sorted(os.listdir(cache)) == ["photos", "photos_archive"]
    other = get_file("mine.tgz", address, extract=True, cache_subdir="other")
    assert other.endswith(os.path.join("other", "mine_extracted"))
    # Code that knows what the archive holds finds it beside the archive.
    assert os.path.exists(os.path.join(os.path.dirname(other), "photos", "a", "1.txt"))
    assert os.readlink(os.path.join(os.path.dirname(other), "photos")) == os.path.join("mine_extracted", "photos")
    assert get_file(origin=address, extract=True, cache_subdir="x").endswith(os.path.join("x", "photos.tgz"))


def test_what_was_deleted_is_unpacked_again(tmp_path, server):
    folder = get_file("photos", f"{server}/photos.tgz", extract=True)
    victim = os.path.join(folder, "photos", "a", "1.txt")
    os.remove(victim)
    extra = os.path.join(folder, "mine.txt")
    with open(extra, "w") as file:
        file.write("kept")
    get_file("photos", f"{server}/photos.tgz", extract=True)
    assert os.path.exists(victim) and os.path.exists(extra)
    assert Handler.requests == ["/photos.tgz"]


def test_what_is_no_archive_is_said_so(server):
    with pytest.warns(UserWarning, match="not an archive"):
        get_file("data.bin", f"{server}/data.bin", extract=True)


def make_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            data = b"evil"
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data) if info.size else None)


def test_hostile_tars_stay_inside(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    make_tar(
        tmp_path / "evil.tar",
        [
            ("good.txt", tarfile.REGTYPE, ""),
            ("../up.txt", tarfile.REGTYPE, ""),
            (str(outside / "absolute.txt"), tarfile.REGTYPE, ""),
            ("a/../../up2.txt", tarfile.REGTYPE, ""),
            ("link", tarfile.SYMTYPE, str(outside)),
            ("link/through.txt", tarfile.REGTYPE, ""),
            ("hard", tarfile.LNKTYPE, "/etc/passwd"),
            ("pipe", tarfile.FIFOTYPE, ""),
            ("..\\windows.txt", tarfile.REGTYPE, ""),
            ("C:drive.txt", tarfile.REGTYPE, ""),
        ],
    )
    with pytest.warns(UserWarning, match="left out"):
        assert file_archives.extract_archive(tmp_path / "evil.tar", tmp_path / "target")
    found = sorted(
        os.path.relpath(os.path.join(d, f), tmp_path / "target")
        for d, _, fs in os.walk(tmp_path / "target")
        for f in fs
    )
    assert found == ["good.txt", "link/through.txt"]
    assert not os.path.islink(tmp_path / "target" / "link")
    assert os.listdir(outside) == []
    assert sorted(os.listdir(tmp_path)) == ["evil.tar", "outside", "target"]


def test_hostile_zips_stay_inside(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        for name in ("good.txt", "../up.txt", "/absolute.txt", "a/..\\..\\up.txt"):
            archive.writestr(name, "evil")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
    with pytest.warns(UserWarning, match="left out"):
        assert file_archives.extract_archive(tmp_path / "evil.zip", tmp_path / "target", "zip")
    assert os.listdir(tmp_path / "target") == ["good.txt"]
    assert not file_archives.extract_archive(tmp_path / "evil.zip", tmp_path / "other", "tar")
    assert not file_archives.extract_archive(tmp_path / "evil.zip", tmp_path / "other", None)
    with pytest.raises(NotImplementedError, match="rar"):
        file_archives.extract_archive(tmp_path / "evil.zip", tmp_path / "other", "rar")


def test_a_link_in_an_old_folder_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "target").mkdir()
    os.symlink(outside, tmp_path / "target" / "sub")
    make_tar(tmp_path / "a.tar", [("sub/x.txt", tarfile.REGTYPE, "")])
    with pytest.raises(UnsafeFileError, match="link"):
        file_archives.extract_archive(tmp_path / "a.tar", tmp_path / "target")
    assert os.listdir(outside) == []


def test_bombs_are_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(file_archives, "FREE_GROWTH_BYTES", 1 << 16)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * (1 << 24))
    with pytest.raises(UnsafeFileError, match="unpacks"):
        file_archives.extract_archive(tmp_path / "bomb.zip", tmp_path / "target")
    monkeypatch.setattr(file_archives, "MOST_MEMBERS", 2)
    make_tar(tmp_path / "many.tar", [(f"f{number}", tarfile.REGTYPE, "") for number in range(3)])
    with pytest.raises(UnsafeFileError, match="members"):
        file_archives.extract_archive(tmp_path / "many.tar", tmp_path / "target")
    assert sorted(os.listdir(tmp_path)) == ["bomb.zip", "many.tar"]


def test_damaged_archives_leave_the_old_folder(tmp_path):
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        info = tarfile.TarInfo("x")
        info.size = 200_000
        archive.addfile(info, io.BytesIO(os.urandom(200_000)))
    with open(tmp_path / "a.tgz", "r+b") as file:
        file.truncate(100_000)
    with pytest.raises(CorruptFileError, match=r"a\.tgz"):
        file_archives.extract_archive(tmp_path / "a.tgz", tmp_path / "target")
    assert os.listdir(tmp_path) == ["a.tgz"]


def test_two_processes_fetch_once(server, tmp_path):
    code = (
        "import sys; sys.path[:0] = {path!r}\n"
        "from hornbeam.keras.utils.file_utils import get_file\n"
        "print(get_file('photos', {origin!r}, extract=True))"
    ).format(path=[os.getcwd()], origin=f"{server}/photos.tgz")
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [run.communicate(timeout=120)[0].decode().split() for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert outputs[0][-1] == outputs[1][-1]
    assert Handler.requests == ["/photos.tgz"]


def test_caches_that_cannot_be_written_fall_back(tmp_path, monkeypatch, server):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    path = get_file(origin=f"{server}/data.bin", cache_dir=blocked)
    assert path == str(tmp_path / "temporary" / ".keras" / "datasets" / "data.bin")
    assert get_file(origin=f"{server}/data.bin", cache_dir=tmp_path / "new").startswith(str(tmp_path / "new"))


def test_plain_http_from_afar_needs_a_hash(monkeypatch):
    asked = []

    def fetch(origin, file):
        asked.append(origin)
        if origin.startswith("https"):
            raise OSError("nobody there")
        file.write(b"content")

    monkeypatch.setattr("hornbeam.keras.utils.file_utils._download", fetch)
    with pytest.raises(OSError, match="nobody") as caught:
        get_file(origin="http://example.org/a")
    assert any("file_hash" in note for note in caught.value.__notes__)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_file(origin="http://example.org/a", file_hash=hashlib.md5(b"content").hexdigest())
    assert asked == ["https://example.org/a", "http://example.org/a"]
