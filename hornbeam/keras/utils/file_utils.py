"""Files from the net, kept in a cache: ``get_file`` and what it is made of.

A file is fetched under a name of its own, checked, and only then put in its place; a lock keeps two processes from
fetching the same file at once. What is in the cache is used without the net.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from typing import IO, Any

from hornbeam.base import settings
from hornbeam.base.errors import CorruptFileError, NotSupportedError, UnsafeFileError, explain
from hornbeam.base.folders import cache_folder
from hornbeam.keras.utils import terminal
from hornbeam.keras.utils.file_archives import extract_archive
from hornbeam.keras.utils.progbar import Progbar

__all__ = ["get_file", "hash_file", "validate_file"]

_CHUNK_BYTES = 1 << 20
_WINDOWS_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Fetch a file, unless the cache has it, and give its path.

    The file goes to ``cache_dir/cache_subdir/fname``. With ``extract`` it is an archive: it is kept there under a
    name that ends in ``_archive`` (or under ``fname``, if that has a dot) and unpacked beside it; links, devices and
    paths that lead elsewhere are left out. If it holds a single folder, a link in the cache leads to that. Nothing is
    fetched again while the file is in the cache with the right hash.

    Args:
        fname: name in the cache, without folders; default: the last part of ``origin``. For an archive without a
            dot in it: the name of the folder.
        origin: an ``https:`` address; ``http:`` only with a hash (without one, ``https:`` is tried instead) or on
            this machine; a ``file:`` address is copied.
        untar: the file is a tar archive to unpack; the older spelling of ``extract``.
        md5_hash: the file's MD5; the older spelling of ``file_hash``.
        file_hash: SHA-256 or MD5 of the file, as hexadecimal digits.
        cache_subdir: folder within the cache; an absolute path replaces the cache.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"``: by the length of the hash.
        extract: unpack the file, a tar or zip archive.
        archive_format: ``"tar"``, ``"zip"``, a list of them, ``"auto"`` for both, None for neither.
        cache_dir: the cache; default ``KERAS_HOME``, or ``~/.keras``. A folder below the system's temporary one is
            used if nothing can be written there.
        force_download: fetch even if the file is in the cache.

    Returns:
        Path of the file; of the folder it was unpacked to, with ``extract`` or ``untar``.

    Raises:
        ValueError: no ``origin``, a name that is none, an address of an unknown kind, or a wrong hash.
        OSError: the file could not be fetched.

    Example:
        >>> path = get_file("photos", origin="https://example.org/photos.tgz", extract=True)  # doctest: +SKIP

    References: Keras ``utils.get_file``.
    """
    if origin is None:
        raise ValueError("get_file() needs `origin`, the address to fetch the file from.")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = _data_folder(cache_dir, cache_subdir)
    unpack = extract or untar
    target, unpacked = _places(fname, origin, folder, unpack)
    with _locked(target):
        if force_download or not _is_cached(target, file_hash, hash_algorithm):
            _fetch(origin, target, file_hash, hash_algorithm)
        if unpack:
            if extract_archive(target, unpacked, "tar" if untar else archive_format):
                _link_beside(unpacked)
            else:
                warnings.warn(
                    f"get_file() was asked to unpack {target}, but it is not an archive of a known format "
                    f"(untar={untar}, archive_format={archive_format!r}).",
                    stacklevel=2,
                )
    return unpacked if unpack else target


def _link_beside(unpacked: str) -> None:
    """If an archive holds one folder, let it be found right in the cache too, where much code looks for it."""
    names = os.listdir(unpacked)
    if len(names) == 1 and os.path.isdir(os.path.join(unpacked, names[0])):
        link = os.path.join(os.path.dirname(unpacked), names[0])
        if not os.path.lexists(link):
            # Not every system lets every user make links; the folder itself is there anyway.
            with contextlib.suppress(OSError):
                os.symlink(os.path.join(os.path.basename(unpacked), names[0]), link, target_is_directory=True)


def _data_folder(cache_dir: str | os.PathLike[str] | None, cache_subdir: str) -> str:
    base = os.path.expanduser(os.fspath(cache_dir) if cache_dir is not None else settings.keras_home())
    folder = os.path.join(base, cache_subdir)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        pass
    if not (os.path.isdir(folder) and os.access(folder, os.W_OK)):
        # A cache that can be read but not written still serves what it holds; only a missing one is replaced.
        if os.path.isdir(folder) and os.listdir(folder):
            return folder
        folder = os.path.join(tempfile.gettempdir(), ".keras", cache_subdir)
        os.makedirs(folder, exist_ok=True)
    return folder


def _places(fname: Any, origin: str, folder: str, unpack: bool) -> tuple[str, str]:
    """Path of the file, and path of the folder that it is unpacked to."""
    given = os.fspath(fname) if fname else ""
    name = given or os.path.basename(urllib.parse.urlsplit(origin).path)
    _check_name(name, given, origin)
    if not unpack:
        return os.path.join(folder, name), ""
    if given and "." in name:
        return os.path.join(folder, name), os.path.join(folder, f"{name[: name.find('.')]}_extracted")
    return os.path.join(folder, f"{name}_archive"), os.path.join(folder, name)


def _check_name(name: str, given: str, origin: str) -> None:
    if not name:
        raise ValueError(f"get_file() finds no file name in the address {origin!r}: give one as `fname`.")
    separators = {"/", "\\", "\0", os.sep, os.altsep or os.sep}
    is_bad = (
        any(separator in name for separator in separators)
        or name in (".", "..")
        or (len(name) > 1 and name[1] == ":")
        or _WINDOWS_NAMES.fullmatch(name) is not None
    )
    if is_bad:
        raise ValueError(
            explain(
                "get_file() cannot keep a file under that name.",
                expected="the plain name of a file; folders are given by `cache_dir` and `cache_subdir`",
                received=f"fname={given!r}" if given else f"{name!r}, from origin={origin!r}",
            )
        )


@contextlib.contextmanager
def _locked(target: str) -> Iterator[None]:
    """Hold the lock of one cached file; lock files live apart from the data, which others list."""
    # filelock loads asyncio, pooch the HTTP client: both wait until a file is asked for.
    import filelock

    key = hashlib.sha256(os.path.realpath(target).encode()).hexdigest()[:24]
    folder = os.path.join(cache_folder(), "locks")
    try:
        os.makedirs(folder, exist_ok=True)
        lock = filelock.FileLock(os.path.join(folder, f"{key}.lock"))
        lock.acquire()
    except OSError:
        # No place for locks (a read-only home): go on without; files are put in place in one step anyway.
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _is_cached(target: str, file_hash: str | None, algorithm: str) -> bool:
    if not os.path.isfile(target):
        return False
    if file_hash is None or validate_file(target, file_hash, algorithm):
        return True
    terminal.print_message(
        f"{target} is in the cache, but its hash is not {file_hash}: an older or damaged copy. Fetching it again."
    )
    return False


def _fetch(origin: str, target: str, file_hash: str | None, algorithm: str) -> None:
    folder, name = os.path.split(target)
    _remove_leftovers(folder, name)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    terminal.print_message(f"Downloading data from {origin}")
    try:
        with open(temporary, "wb") as file:
            _copy_from(origin, file, has_hash=file_hash is not None)
            file.flush()
            os.fsync(file.fileno())
        if file_hash is not None and not validate_file(temporary, file_hash, algorithm):
            found = hash_file(temporary, _hash_name(algorithm, file_hash))
            raise CorruptFileError(
                explain(
                    f"What was fetched from {origin} is not the file that was asked for; it was deleted.",
                    expected=f"the {_hash_name(algorithm, file_hash)} hash {file_hash}",
                    received=found,
                    fix="try again; if it stays so, the file behind the address has changed",
                )
            )
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _remove_leftovers(folder: str, name: str) -> None:
    """Parts of this file left by a process that was killed; the lock says that no other one is fetching it."""
    pattern = re.compile(rf"\.{re.escape(name)}\.\d+-[0-9a-f]{{8}}\.part")
    for entry in os.listdir(folder):
        if pattern.fullmatch(entry):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, entry))


def _copy_from(origin: str, file: IO[bytes], *, has_hash: bool) -> None:
    parts = urllib.parse.urlsplit(origin)
    if parts.scheme == "file":
        with open(urllib.request.url2pathname(parts.path), "rb") as source:
            shutil.copyfileobj(source, file, _CHUNK_BYTES)
    elif parts.scheme == "https" or (parts.scheme == "http" and (has_hash or _is_this_machine(parts.hostname))):
        _download(origin, file)
    elif parts.scheme == "http":
        try:
            _download(urllib.parse.urlunsplit(parts._replace(scheme="https")), file)
        except OSError as error:
            error.add_note(
                f"{origin} names an unprotected connection, so https was tried. Give `file_hash` to fetch it by http."
            )
            raise
    else:
        raise ValueError(
            explain(
                "get_file() cannot fetch from that address.",
                expected="an address that begins with https://, http:// or file://",
                received=repr(origin),
            )
        )


def _is_this_machine(host: str | None) -> bool:
    return host in ("localhost", "::1") or bool(host and re.fullmatch(r"127(\.\d+){3}", host))


def _download(origin: str, file: IO[bytes]) -> None:
    import pooch

    bar: Any = _DownloadBar()
    fetch = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, hooks={"response": _refuse_other_scheme})
    try:
        fetch(origin, file, None)
    except UnsafeFileError:
        raise
    except OSError as error:  # what the HTTP client raises is an OSError too
        raise OSError(f"Fetching {origin} failed: {error}") from error


def _refuse_other_scheme(response: Any, *_: Any, **__: Any) -> None:
    """A server may send the client elsewhere, but not from a protected to another kind of address."""
    if not response.is_redirect:
        return
    goal = urllib.parse.urlsplit(urllib.parse.urljoin(response.url, response.headers["location"])).scheme
    origin = urllib.parse.urlsplit(response.url).scheme
    if goal != origin and (origin, goal) != ("http", "https"):
        raise UnsafeFileError(f"{response.url} leads on to an address of another kind ({goal}:), which is refused.")


class _DownloadBar:
    """What the downloader expects of a progress bar, shown by ours; it counts whole chunks, the last one too."""

    def __init__(self) -> None:
        self.total: int | None = None
        self._done = 0
        self._bar: Progbar | None = None

    def update(self, count: int) -> None:
        known = self.total or None
        self._done += count
        if self._bar is None:
            self._bar = Progbar(known, unit_name="byte")
        # The end is drawn once, by `close`.
        self._bar.update(self._done if known is None else min(self._done, known - 1), finalize=False)

    def reset(self) -> None:
        """Called when all is there, before the total is counted once more."""
        self._done = 0

    def close(self) -> None:
        if self._bar is not None:
            self._bar.update(self.total or self._done, finalize=True)


def _hash_name(algorithm: str, file_hash: str | None = None) -> str:
    if algorithm not in ("auto", "sha256", "md5"):
        raise NotSupportedError(
            explain("Unknown `hash_algorithm`.", expected="'auto', 'sha256' or 'md5'", received=repr(algorithm))
        )
    if algorithm == "sha256" or (algorithm == "auto" and file_hash is not None and len(file_hash) == 64):
        return "sha256"
    return "md5"


def hash_file(fpath: str | os.PathLike[str], algorithm: str = "sha256", chunk_size: int = 65535) -> str:
    """Hash of a file as hexadecimal digits.

    Args:
        fpath: the file.
        algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` for MD5.
        chunk_size: bytes read at a time.

    References: Keras ``utils.get_file`` (``hash_algorithm``).
    """
    hasher = hashlib.new(_hash_name(algorithm), usedforsecurity=False)
    with open(fpath, "rb") as file:
        while chunk := file.read(max(chunk_size, 1)):
            hasher.update(chunk)
    return hasher.hexdigest()


def validate_file(
    fpath: str | os.PathLike[str], file_hash: str, algorithm: str = "auto", chunk_size: int = _CHUNK_BYTES
) -> bool:
    """Whether a file has the given SHA-256 or MD5 hash; ``"auto"`` tells them apart by their length."""
    return hash_file(fpath, _hash_name(algorithm, file_hash), chunk_size) == str(file_hash).lower()
