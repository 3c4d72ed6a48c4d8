"""A registry on loopback that is as odd as a test wants: the distribution specification 1.1, in memory, with a switch for
each way in which real ones differ. It records every request.

A test sets attributes of `quirks` (see Quirks) and reads `requests`; `alter` may change any answer before it is sent.
"""

import base64
import dataclasses
import hashlib
import http.server
import json
import re
import secrets
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable

NAME = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
BLOCK = 65536
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclasses.dataclass
class Quirks:
    cuts: list[int] = dataclasses.field(default_factory=list)  # the connection ends when so many bytes of uploads came in all
    forgets_cut_bytes: bool = False  # of a request that was cut
    most_per_request: int | None = None  # bytes of a PATCH or PUT: more is answered 416
    most_per_body: int | None = None  # the same: 413, and the connection is closed
    least_chunk: int | None = None  # OCI-Chunk-Min-Length
    takes_at_most: int | None = None  # bytes of a PATCH that are kept; its Range says so
    mount: int | None = None  # the status that mounts are answered with; None: mounted
    refuses_unknown_parameters: bool = False  # of a POST
    slow_patch: float = 0  # seconds that the next PATCH takes after its bytes came
    refuses_put_with_body: bool = False  # 404, as after POST; PATCH and an empty PUT work
    refuses_chunks: bool = False  # PATCH is answered 404: POST and PUT with the body work
    status_of_upload: int | None = None  # what a GET of an upload is answered with
    busy: list[tuple[str, int, str | None]] = dataclasses.field(default_factory=list)  # (method, status, Retry-After) of what comes next
    forgets_uploads: bool = False  # a session that was cut is unknown
    users: dict[str, str] = dataclasses.field(default_factory=dict)  # with users: their names and passwords
    asks_for_tokens: bool = False
    realm: str | None = None  # of the challenge, instead of this server's own
    token_life: float = 3600
    last_scope_only: bool = False
    status_of_expired: int = 401  # 400: without a challenge
    refuses_tokens: bool = False  # a fresh token is answered so, too
    expires_before: str = ""  # "manifests": all tokens that were given end when the first request to such a path comes
    lies_about_blobs: set[str] = dataclasses.field(default_factory=set)  # digests that HEAD says are there
    unreadable: set[str] = dataclasses.field(default_factory=set)  # repositories for which no token grants pull
    keeps_bytes: bool = True  # False: of blobs only their sizes


@dataclasses.dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    connection: int
    status: int = 0
    received: int = 0  # bytes of the body

    def is_for(self, kind: str) -> bool:
        return f"/{kind}/" in self.path


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes | Iterable[bytes] = b""
    length: int | None = None  # Content-Length; None: that of the bytes


@dataclasses.dataclass
class Upload:
    repository: str
    data: bytearray = dataclasses.field(default_factory=bytearray)
    size: int = 0
    hash: "hashlib._Hash" = dataclasses.field(default_factory=hashlib.sha256)
    writers: int = 0
    received: int = 0  # bytes that came for it, also twice


class Cut(Exception):
    """The connection ends here, without an answer."""


class OddRegistry:
    """Serves on `address` ("127.0.0.1:PORT") until close(). With `context`: over TLS."""

    def __init__(self, host: str = "127.0.0.1", context: ssl.SSLContext | None = None):
        self.lock = threading.RLock()
        self.reset()
        registry = self

        class Handler(_Handler):
            pass

        Handler.registry = registry
        self.server = _Server((host, 0), Handler)
        self.scheme = "http"
        if context:
            self.scheme = "https"
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.address = f"{host}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def reset(self) -> None:
        """As new: nothing stored, no quirks, no requests."""
        with self.lock:
            self.quirks = Quirks()
            self.alter: Callable[[Request, Answer], Answer | None] = lambda request, answer: None
            self.blobs: dict[str, bytes | int] = {}  # digest -> content, or its size
            self.held: dict[str, set[str]] = {}  # repository -> digests of blobs
            self.manifests: dict[str, dict[str, tuple[str, bytes]]] = {}  # repository -> tag or digest -> type, bytes
            self.uploads: dict[str, Upload] = {}
            self.ended: list[Upload] = []
            self.tokens: dict[str, tuple[float, list[str]]] = {}  # token -> its end, scopes
            self.requests: list[Request] = []
            self.uploaded = 0  # bytes of uploads, all in all
            self.overlaps = 0  # requests that came to an upload while another one of it was under way
            self.history: list[tuple[str, str, str]] = []  # repository, tag, digest: every move of a tag

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # What tests put there and ask for.

    def put_blob(self, repository: str, data: bytes) -> str:
        digest = digest_of(data)
        self.blobs[digest] = data
        self.held.setdefault(repository, set()).add(digest)
        return digest

    def put_manifest(self, repository: str, tag: str, data: bytes, media_type: str = MANIFEST) -> str:
        digest = digest_of(data)
        for name in (tag, digest):
            self.manifests.setdefault(repository, {})[name] = (media_type, data)
        self.history.append((repository, tag, digest))
        return digest

    def tag(self, repository: str, tag: str) -> str | None:
        """The digest of what the tag names."""
        found = self.manifests.get(repository, {}).get(tag)
        return found and digest_of(found[1])

    def sent(self, *methods: str, kind: str = "") -> list[Request]:
        """Requests so far, of the methods (none: of all) to paths of a kind, such as "blobs", "uploads", "manifests"."""
        return [one for one in self.requests if (not methods or one.method in methods) and (not kind or one.is_for(kind))]

    def besides_auth(self) -> list[Request]:
        return [one for one in self.requests if one.path not in ("/v2/", "/token") and one.status not in (401,)]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: OddRegistry
    connections = 0

    def setup(self):
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.registry.lock:
            type(self).connections += 1
            self.number = type(self).connections

    def log_message(self, *_):
        pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def serve(self):
        registry = self.registry
        split = urllib.parse.urlsplit(self.path)
        asked = Request(self.command, urllib.parse.unquote(split.path), urllib.parse.parse_qs(split.query, keep_blank_values=True),
                        {name.lower(): value for name, value in self.headers.items()}, self.number)
        with registry.lock:
            registry.requests.append(asked)
        self.asked = asked
        self.left = int(asked.headers.get("content-length", 0))
        try:
            answer = self.busy(asked) or self.forbidden(asked) or self.answer(asked)
        except Cut:
            self.end_hard()
            return
        except OSError:
            self.close_connection = True
            return
        answer = registry.alter(asked, answer) or answer
        asked.status = answer.status
        try:
            self.give(answer)
        except OSError:
            self.close_connection = True

    def end_hard(self):
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        except OSError:
            pass
        self.connection.close()

    def give(self, answer: Answer) -> None:
        while self.left and not self.close_connection:  # a body that nobody read
            data = self.rfile.read(min(BLOCK, self.left))
            self.left -= len(data)
            self.close_connection = not data
        self.send_response_only(answer.status)
        is_bytes = isinstance(answer.body, bytes)
        length = answer.length if answer.length is not None else len(answer.body) if is_bytes else None
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204 and length is not None and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(length))
        if length is None and "Content-Length" not in answer.headers:
            self.send_header("Connection", "close")
            self.close_connection = True
        if self.close_connection and length is not None:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        for block in [answer.body] if is_bytes else answer.body:
            self.wfile.write(block)

    # Who may ask.

    def busy(self, asked: Request) -> Answer | None:
        with self.registry.lock:
            waiting = self.registry.quirks.busy
            for number, (method, status, after) in enumerate(waiting):
                if method in ("", asked.method):
                    del waiting[number]
                    headers = {"Retry-After": after} if after is not None else {}
                    return error(status, "TOOMANYREQUESTS", headers)
        return None

    def forbidden(self, asked: Request) -> Answer | None:
        quirks, registry = self.registry.quirks, self.registry
        if asked.path == "/token" or not (quirks.users or quirks.asks_for_tokens):
            return None
        given = asked.headers.get("authorization", "")
        if not quirks.asks_for_tokens:
            return None if self.is_known(given) else error(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="odd"'})
        found = re.match(rf"/v2/({NAME})/(?:blobs|manifests|tags)/", asked.path)
        wanted = [f"repository:{found[1]}:{'pull' if asked.method in ('GET', 'HEAD') else 'push'}"] if found else []
        if asked.method == "POST" and "from" in asked.query and quirks.mount is None:
            wanted.append(f"repository:{asked.query['from'][0]}:pull")
        with registry.lock:
            if quirks.expires_before and asked.is_for(quirks.expires_before):
                quirks.expires_before = ""
                registry.tokens = {token: (0, scopes) for token, (_, scopes) in registry.tokens.items()}
            end, scopes = registry.tokens.get(given.removeprefix("Bearer "), (None, []))
        realm = quirks.realm or f"{registry.scheme}://{registry.address}/token"
        scope = " ".join(sorted(f"{one.rsplit(':', 1)[0]}:pull,push" for one in wanted))
        challenge = f'Bearer realm="{realm}",service="odd"' + (f',scope="{scope}"' if scope else "")
        if quirks.refuses_tokens and given:
            return error(400, "UNKNOWN")
        if end is not None and end < time.monotonic() and quirks.status_of_expired != 401:
            return error(quirks.status_of_expired, "DENIED")
        granted = end is not None and end >= time.monotonic() and all(
            any(one.rsplit(":", 1)[0] == scope.rsplit(":", 1)[0] and one.rsplit(":", 1)[1] in scope.rsplit(":", 1)[1].split(",")
                for scope in scopes) for one in wanted)
        return None if granted else error(401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})

    def is_known(self, given: str) -> bool:
        if not self.registry.quirks.users:
            return True
        try:
            user, _, password = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return False
        return self.registry.quirks.users.get(user) == password

    def token(self, asked: Request) -> Answer:
        quirks = self.registry.quirks
        scopes = asked.query.get("scope", [])
        given = asked.headers.get("authorization", "")
        if asked.method == "POST":
            form = urllib.parse.parse_qs(self.rfile.read(self.left).decode())
            self.left = 0
            scopes = form.get("scope", [])
            known = not quirks.users or form.get("refresh_token") or quirks.users.get(form.get("username", [""])[0]) == form.get("password", [""])[0]
        else:
            known = self.is_known(given) if given or quirks.users else True
        if not known:
            return error(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="odd"'})
        scopes = [one for scope in scopes for one in scope.split(" ") if one]
        scopes = scopes[-1:] if quirks.last_scope_only else scopes
        scopes = [scope for scope in scopes if scope.split(":")[1] not in quirks.unreadable]
        token = secrets.token_hex(16)
        with self.registry.lock:
            self.registry.tokens[token] = (time.monotonic() + quirks.token_life, scopes)
        return answer_json(200, {"token": token, "access_token": token, "expires_in": max(1, int(quirks.token_life))})

    # What is asked.

    def answer(self, asked: Request) -> Answer:
        if asked.path == "/token":
            return self.token(asked)
        if asked.path == "/v2/":
            return Answer(200, {"Docker-Distribution-API-Version": "registry/2.0"}, b"{}")
        for pattern, serve in ((rf"/v2/({NAME})/blobs/(sha256:[0-9a-f]{{64}})", self.blob),
                               (rf"/v2/({NAME})/blobs/uploads/", self.begin),
                               (rf"/v2/({NAME})/blobs/uploads/([0-9a-f]+)", self.upload),
                               (rf"/v2/({NAME})/manifests/([A-Za-z0-9_.:-]+)", self.manifest),
                               (rf"/v2/({NAME})/tags/list", self.tags)):
            if found := re.fullmatch(pattern, asked.path):
                return serve(asked, *found.groups())
        return error(404, "NAME_UNKNOWN")

    def blob(self, asked: Request, repository: str, digest: str) -> Answer:
        registry = self.registry
        if asked.method == "HEAD" and digest in registry.quirks.lies_about_blobs:
            return Answer(200, {"Docker-Content-Digest": digest, "Content-Length": "1"})
        if digest not in registry.held.get(repository, set()):
            return error(404, "BLOB_UNKNOWN")
        data = registry.blobs[digest]
        headers = {"Docker-Content-Digest": digest, "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if isinstance(data, int):
            return Answer(200, headers | {"Content-Length": str(data)})
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", "")):
            first, last = int(found[1]), min(int(found[2] or len(data) - 1), len(data) - 1)
            if first >= len(data):
                return error(416, "RANGE_INVALID")
            return Answer(206, headers | {"Content-Range": f"bytes {first}-{last}/{len(data)}"}, data[first:last + 1])
        return Answer(200, headers, data)

    def location(self, repository: str, identifier: str) -> str:
        return f"/v2/{repository}/blobs/uploads/{identifier}?state={secrets.token_hex(4)}"

    def begin(self, asked: Request, repository: str) -> Answer:
        registry, quirks = self.registry, self.registry.quirks
        if asked.method != "POST":
            return error(405, "UNSUPPORTED")
        if quirks.refuses_unknown_parameters and set(asked.query) - {"mount", "from", "digest"}:
            return error(400, "UNSUPPORTED")
        if "mount" in asked.query:
            digest, source = asked.query["mount"][0], asked.query.get("from", [""])[0]
            if quirks.mount in (401, 403, 404, 400, 405, 500):
                return error(quirks.mount, "DENIED")
            with registry.lock:
                if quirks.mount is None and digest in registry.held.get(source, set()):
                    registry.held.setdefault(repository, set()).add(digest)
                    return Answer(201, {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest})
        identifier = secrets.token_hex(8)
        with registry.lock:
            registry.uploads[identifier] = Upload(repository)
        headers = {"Location": self.location(repository, identifier), "Range": "0-0", "Docker-Upload-UUID": identifier}
        if quirks.least_chunk:
            headers["OCI-Chunk-Min-Length"] = str(quirks.least_chunk)
        return Answer(202, headers)

    def receive(self, upload: Upload, most: int | None = None) -> None:
        """The body into the upload; bytes above `most` are read and dropped."""
        registry, kept = self.registry, 0
        before = (upload.size, upload.hash.copy(), len(upload.data))
        while self.left:
            data = self.rfile.read(min(BLOCK, self.left))
            if not data:
                raise Cut
            self.left -= len(data)
            self.asked.received += len(data)
            with registry.lock:
                registry.uploaded += len(data)
                upload.received += len(data)
                is_cut = bool(registry.quirks.cuts) and registry.uploaded >= registry.quirks.cuts[0]
                if is_cut:
                    registry.quirks.cuts.pop(0)
                taken = data if most is None else data[:max(0, most - kept)]
                kept += len(taken)
                upload.size += len(taken)
                upload.hash.update(taken)
                if registry.quirks.keeps_bytes:
                    upload.data += taken
                if is_cut and registry.quirks.forgets_cut_bytes:
                    upload.size, upload.hash = before[:2]
                    del upload.data[before[2]:]
            if is_cut:
                raise Cut

    def upload(self, asked: Request, repository: str, identifier: str) -> Answer:
        registry, quirks = self.registry, self.registry.quirks
        with registry.lock:
            upload = registry.uploads.get(identifier)
            if upload is None or upload.repository != repository:
                return error(404, "BLOB_UPLOAD_UNKNOWN")
            if upload.writers and asked.method in ("PATCH", "PUT"):
                registry.overlaps += 1
                return error(416, "RANGE_INVALID", self.progress(repository, identifier, upload))
            upload.writers += asked.method in ("PATCH", "PUT")
        try:
            return self.serve_upload(asked, repository, identifier, upload, quirks)
        except Cut:
            if quirks.forgets_uploads:
                with registry.lock:
                    registry.uploads.pop(identifier, None)
            raise
        finally:
            with registry.lock:
                upload.writers -= asked.method in ("PATCH", "PUT")

    def progress(self, repository: str, identifier: str, upload: Upload) -> dict[str, str]:
        return {"Location": self.location(repository, identifier), "Range": f"0-{max(0, upload.size - 1)}", "Docker-Upload-UUID": identifier}

    def serve_upload(self, asked: Request, repository: str, identifier: str, upload: Upload, quirks: Quirks) -> Answer:
        registry, size = self.registry, self.left
        if asked.method == "GET":
            if quirks.status_of_upload:
                return error(quirks.status_of_upload, "UNSUPPORTED")
            return Answer(204, self.progress(repository, identifier, upload))
        if asked.method == "DELETE":
            registry.uploads.pop(identifier)
            return Answer(204, {})
        if quirks.most_per_body is not None and size > quirks.most_per_body:
            self.close_connection = True
            return error(413, "SIZE_INVALID")
        if quirks.most_per_request is not None and size > quirks.most_per_request:
            return error(416, "RANGE_INVALID", self.progress(repository, identifier, upload))
        if asked.method == "PATCH":
            if quirks.refuses_chunks:
                return error(404, "BLOB_UPLOAD_UNKNOWN")
            if found := re.fullmatch(r"(?:bytes )?(\d+)-(\d+)(?:/.*)?", asked.headers.get("content-range", "")):
                if int(found[1]) != upload.size or int(found[2]) - int(found[1]) + 1 != size:
                    self.close_connection = True
                    return error(416, "RANGE_INVALID", self.progress(repository, identifier, upload))
            self.receive(upload, quirks.takes_at_most)
            if quirks.slow_patch:
                seconds, quirks.slow_patch = quirks.slow_patch, 0
                time.sleep(seconds)
            return Answer(202, self.progress(repository, identifier, upload))
        if asked.method != "PUT":
            return error(405, "UNSUPPORTED")
        if size and quirks.refuses_put_with_body:
            self.close_connection = True
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        self.receive(upload)
        digest = asked.query.get("digest", [""])[0]
        if "sha256:" + upload.hash.hexdigest() != digest:
            registry.uploads.pop(identifier, None)
            return error(400, "DIGEST_INVALID")
        with registry.lock:
            registry.uploads.pop(identifier, None)
            registry.ended.append(upload)
            registry.blobs[digest] = bytes(upload.data) if quirks.keeps_bytes else upload.size
            registry.held.setdefault(repository, set()).add(digest)
        return Answer(201, {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest})

    def manifest(self, asked: Request, repository: str, name: str) -> Answer:
        registry = self.registry
        if asked.method in ("GET", "HEAD"):
            found = registry.manifests.get(repository, {}).get(name)
            if found is None:
                return error(404, "MANIFEST_UNKNOWN")
            return Answer(200, {"Content-Type": found[0], "Docker-Content-Digest": digest_of(found[1])}, found[1])
        if asked.method != "PUT":
            return error(405, "UNSUPPORTED")
        data = self.rfile.read(self.left)
        asked.received, self.left = len(data), 0
        document = json.loads(data)
        wanted = [document[one]["digest"] for one in ("config",) if one in document] + [one["digest"] for one in document.get("layers", [])]
        missing = [one for one in wanted if one not in registry.held.get(repository, set())]
        if missing:
            return answer_json(404, {"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry", "detail": {"digest": one}} for one in missing]})
        with registry.lock:
            digest = registry.put_manifest(repository, name, data, asked.headers.get("content-type", ""))
        if name.startswith("sha256:") and name != digest:
            return error(400, "DIGEST_INVALID")
        return Answer(201, {"Location": f"/v2/{repository}/manifests/{digest}", "Docker-Content-Digest": digest})

    def tags(self, asked: Request, repository: str) -> Answer:
        names = sorted(one for one in self.registry.manifests.get(repository, {}) if ":" not in one)
        last = asked.query.get("last", [""])[0]
        names = [one for one in names if one > last]
        count = int(asked.query.get("n", ["100"])[0])
        headers = {}
        if len(names) > count:
            names = names[:count]
            headers["Link"] = f'</v2/{repository}/tags/list?n={count}&last={names[-1]}>; rel="next"'
        return answer_json(200, {"name": repository, "tags": names}, headers)


def answer_json(status: int, document: dict, headers: dict | None = None) -> Answer:
    return Answer(status, {"Content-Type": "application/json"} | (headers or {}), json.dumps(document).encode())


def error(status: int, code: str, headers: dict | None = None) -> Answer:
    return answer_json(status, {"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}, headers)


def endless(block: bytes = b"\0" * BLOCK) -> Iterable[bytes]:
    """A body that never ends."""
    while True:
        yield block
