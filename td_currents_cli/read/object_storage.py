"""Objects of Amazon S3, Google Cloud Storage and Azure Blob Storage as inputs: `s3://`, `gs://`, `az://`.

Credentials come from the environment, or from the machine's metadata. obstore has threads of its own, which a fork
leaves behind: only the process that has found the objects reads them, and hands what it reads to the others.
"""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from glob import has_magic
from pathlib import Path, PurePosixPath
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, BinaryIO, Final, TypeVar, cast
from urllib.parse import urlsplit

from td_currents_cli.braze import is_loopback
from td_currents_cli.errors import InputError, UsageError, install_hint
from td_currents_cli.patterns import pattern
from td_currents_cli.read.options import OBJECT_STORES

_URL: Final = pattern(rf"({'|'.join(OBJECT_STORES)})://([^/?#]*)/?(.*)", re.DOTALL)
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT")
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE")
_CONTAINER_KEYS: Final = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_CREDENTIALS: Final = {
    "s3": "Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or AWS_PROFILE.",
    "gs": "Set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account.",
    "az": "Set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN.",
}
_NO_CREDENTIALS: Final = pattern(r"169\.254\.|token request|metadata\.google|MissingAccount")
_RETRIES: Final = {"max_retries": 5, "retry_timeout": timedelta(minutes=1)}
_PIECE: Final = 1 << 20
_PIECES: Final = 8  # of an object that are held before they are read
_AHEAD: Final = 3  # objects that are downloaded in addition to the one that is read

_Result = TypeVar("_Result")


class StoredObject:
    """An object that can be opened. Those found together are downloaded a few ahead of the one that is read."""

    def __init__(self, bucket: "Bucket", key: str, size: int) -> None:
        self.name = f"{bucket.url}/{key}"
        self.size = size
        self._bucket = bucket
        self.key = key
        self.following: StoredObject | None = None  # the one that is read next
        self._download: _Download | None = None

    def __reduce__(self) -> "tuple[Callable[[str, int], StoredObject], tuple[str, int]]":
        return _reopened, (self.name, self.size)

    def open(self) -> BinaryIO:
        download, self._download = self._download or _Download(self._bucket, self.key), None
        following = self.following
        for _ in range(_AHEAD):
            if following is None:
                break
            following.start()
            following = following.following
        return cast("BinaryIO", _ObjectFile(self._bucket, self.key, self.size, download))

    def start(self) -> None:
        """Download the beginning, which `open` then has."""
        if self._download is None:
            self._download = _Download(self._bucket, self.key)


def _reopened(url: str, size: int) -> StoredObject:
    bucket, key = bucket_and_key(url)
    return StoredObject(bucket, key, size)


class Bucket:
    """A bucket, or in Azure a container."""

    def __init__(self, scheme: str, name: str) -> None:
        self.url = f"{scheme}://{name}"
        self._scheme = scheme
        self._store = _store(self.url, scheme, os.environ)

    def find(self, path: str) -> list[StoredObject]:
        """Find the object with this key, those that a glob matches, or those below a prefix, sorted as files are.

        Raises:
            InputError: the bucket cannot be read.
        """
        if has_magic(path):
            prefix = re.split(r"[*?\[]", path, maxsplit=1)[0].rpartition("/")[0]
            pattern = _glob_pattern(path)
            return [each for each in self._list(prefix) if pattern.fullmatch(each.key)]
        if path and not path.endswith("/"):
            with suppress(FileNotFoundError):
                found = self.attempt(lambda: self._store.head(path))
                return [StoredObject(self, path, found["size"])]
        return self._list(path.removesuffix("/"))

    def _list(self, prefix: str) -> list[StoredObject]:
        pages = self.attempt(lambda: list(self._store.list(prefix or None)))
        found = [StoredObject(self, each["path"], each["size"]) for page in pages for each in page]
        return sorted(found, key=lambda each: PurePosixPath(each.key).parts)

    def stream(self, key: str) -> Iterator[bytes]:
        for piece in self._store.get(key).stream(min_chunk_size=_PIECE):
            yield bytes(piece)

    def reader(self, key: str) -> Any:  # noqa: ANN401 -- obstore is an extra
        """Open an object to read from any place."""
        import obstore  # noqa: PLC0415 -- an extra

        return obstore.open_reader(self._store, key, buffer_size=_PIECE)

    def attempt(self, action: Callable[[], _Result]) -> _Result:
        """Raises InputError, FileNotFoundError."""
        try:
            return action()
        except FileNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001 -- obstore's own are not typed
            reason, hint = self.failure(error)
            raise InputError(f"{self.url}: {reason}", hint=hint) from None

    def failure(self, error: BaseException) -> tuple[str, str]:
        """Say what went wrong, without the words of obstore: addresses may contain signatures; and what to do."""
        text, service, credentials = str(error), OBJECT_STORES[self._scheme], _CREDENTIALS[self._scheme]
        status = re.search(r"status code: (\d{3})", text)
        code = status[1] if status else ""
        is_missing = code == "404" and "list request" in text
        region = "Set AWS_REGION to the region of the bucket." if self._scheme == "s3" else ""
        reasons = (
            (_NO_CREDENTIALS.search(text), f"no credentials for {service} were found", credentials),
            (is_missing, "no such bucket", ""),
            (isinstance(error, FileNotFoundError), "no such object", ""),
            (code in {"401", "403"}, f"{service} denies access (HTTP {code})", credentials),
            (code in {"301", "307", "400"}, f"{service} refused the request (HTTP {code})", region),
            (code, f"{service} refused the request (HTTP {code})", ""),
            ("error sending request" in text, f"{service} could not be reached", "Check the network and the endpoint."),
            (True, f"{service} failed ({type(error).__name__})", ""),
        )
        return next((reason, hint) for is_it, reason, hint in reasons if is_it)


@cache
def _bucket(scheme: str, name: str, _environment: tuple[str | None, ...]) -> Bucket:
    return Bucket(scheme, name)


def bucket_and_key(url: str) -> tuple[Bucket, str]:
    """Raises UsageError."""
    match = _URL.fullmatch(url)
    scheme = url.partition(":")[0]
    if match is None or not match[2] or "@" in match[2]:
        # What is there may be a secret.
        raise UsageError(f"an address that begins with {scheme}:// is not {scheme}://BUCKET/KEY")
    return _bucket(match[1], match[2], tuple(map(os.environ.get, (*_ENDPOINTS, *_KEYS, "AWS_PROFILE")))), match[3]


def _store(url: str, scheme: str, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 -- obstore is an extra
    try:
        from obstore.store import from_url  # noqa: PLC0415 -- heavy, and an extra
    except ImportError:
        message = f"{scheme}:// needs obstore, which is not installed"
        raise UsageError(message, hint=install_hint("cloud")) from None
    options: dict[str, Any] = {"retry_config": _RETRIES, "client_options": {"timeout": timedelta(hours=12)}}
    endpoint = next((environ[name] for name in _ENDPOINTS if environ.get(name)), "")
    if endpoint.startswith("http://"):
        if not is_loopback(urlsplit(endpoint).hostname or "") and environ.get("AWS_ALLOW_HTTP", "").lower() != "true":
            raise UsageError(
                "AWS_ENDPOINT_URL is not encrypted (http://), and not on this machine",
                hint="Use https://, or set AWS_ALLOW_HTTP=true.",
            )
        options["client_options"]["allow_http"] = True
    if scheme == "s3":
        if environ.get("AWS_ENDPOINT_URL_S3"):
            options["endpoint"] = environ["AWS_ENDPOINT_URL_S3"]
        if _needs_profile(environ):
            options["credential_provider"] = _profile_credentials()
    try:
        return from_url(url, **options)
    except Exception as error:  # noqa: BLE001 -- obstore's own are not typed
        hint = _CREDENTIALS[scheme] if "MissingAccount" in str(error) else "Check the environment variables for it."
        message = f"{url}: the settings for {OBJECT_STORES[scheme]} are incomplete or wrong"
        raise UsageError(message, hint=hint) from None


def _needs_profile(environ: Mapping[str, str]) -> bool:
    if environ.get("AWS_PROFILE"):
        return True
    if any(environ.get(name) for name in (*_KEYS, *_CONTAINER_KEYS)):
        return False
    file = environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    return Path(file).expanduser().is_file()


def _profile_credentials() -> Any:  # noqa: ANN401 -- boto3 is not installed everywhere
    try:
        import boto3  # noqa: PLC0415 -- slow to import, and not an extra of ours
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "the profiles of ~/.aws need boto3, which is not installed",
            hint="python3 -m pip install boto3, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        ) from None
    try:
        return Boto3CredentialProvider(boto3.Session())
    except (BotoCoreError, ValueError):
        raise UsageError("AWS_PROFILE is not a profile of ~/.aws with credentials") from None


class _Download:
    """Downloads an object in a thread, up to a few pieces ahead."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._pieces: Queue[bytes | BaseException] = Queue(_PIECES)
        self._is_stopped = Event()
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        end: bytes | BaseException = b""
        try:
            for piece in self._bucket.stream(self._key):
                self._pieces.put(piece)
                if self._is_stopped.is_set():
                    return
        except Exception as error:  # noqa: BLE001 -- raised where the pieces are read
            end = error
        self._pieces.put(end)

    def read(self) -> bytes:
        """Return the next piece; nothing at the end. Raises what went wrong."""
        piece = self._pieces.get()
        if isinstance(piece, BaseException) or not piece:
            self._pieces.put(piece)  # for whoever reads again
        if isinstance(piece, BaseException):
            raise piece
        return piece

    def stop(self) -> None:
        self._is_stopped.set()
        with suppress(Empty):
            while True:
                self._pieces.get_nowait()


class _ObjectFile(io.RawIOBase):
    """An object as a file, read from its beginning as a stream, and by ranges once it is read from elsewhere."""

    def __init__(self, bucket: Bucket, key: str, size: int, download: _Download) -> None:
        self._bucket = bucket
        self._key = key
        self._size = size
        self._download = download
        self._rest = memoryview(b"")
        self._position = 0
        self._reader: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        place = max(start + offset, 0)
        if place != self._position:
            self._download.stop()
            self._reader = self._reader or self._attempt(lambda: self._bucket.reader(self._key))
            self._attempt(lambda: self._reader.seek(place))
            self._position = place
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as many bytes as are requested, unless the object ends: pyarrow takes fewer for its end."""
        wanted = sys.maxsize if size is None or size < 0 else size
        pieces: list[bytes] = []
        while wanted and (piece := self._piece(min(wanted, _PIECE))):
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, size: int) -> bytes:
        if self._reader is not None:
            data = bytes(self._attempt(lambda: self._reader.read(size))) if self._position < self._size else b""
        else:
            self._rest = self._rest or memoryview(self._attempt(self._download.read))
            data = bytes(self._rest[:size])
            self._rest = self._rest[size:]
        self._position += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 -- any buffer
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._download.stop()
            if self._reader is not None:
                self._reader.close()
        super().close()

    def _attempt(self, action: Callable[[], _Result]) -> _Result:
        """Raises OSError with the reason, which the reader of the source reports."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001 -- obstore's own are not typed
            raise OSError(None, self._bucket.failure(error)[0]) from None


def _glob_pattern(path: str) -> re.Pattern[str]:
    """Return what a glob matches: `**` any number of folders, `*` and `?` no `/`."""
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|\[!?[^\]]+\]|.", path, re.DOTALL)
    meanings = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meanings.get(token) or _literal(token) for token in tokens), re.DOTALL)


def _literal(token: str) -> str:
    return token.replace("[!", "[^", 1) if len(token) > 1 else re.escape(token)
