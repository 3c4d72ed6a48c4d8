"""Debian's docker-registry 2.8 on loopback, of the root that support/engines makes, with storage of its own: plain, over TLS
with a certificate authority of its own, with users, or with tokens of a small server on another host name."""

import base64
import http.client
import http.server
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import fixtures

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import roots  # noqa: E402

TOKEN_HOST = "127.0.0.2"  # another host than that of the registry
FAR_HOST = "0.0.0.0"  # leads here, and is not known to be this machine
STARTS_WITHIN = 30  # seconds


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Authority:
    """A certificate authority in `folder` with one certificate, which is for all loopback names: ca.crt, server.crt, server.key."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.certificate, self.key = folder / "ca.crt", folder / "server.crt", folder / "server.key"

        def openssl(*words) -> None:
            subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=folder)

        curve = ("-newkey", "rsa:2048", "-nodes")
        openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", self.ca, "-days", 30, "-subj", "/CN=test authority",
                "-addext", "basicConstraints=critical,CA:TRUE")
        openssl("req", *curve, "-keyout", self.key, "-out", "server.csr", "-subj", "/CN=localhost")
        (folder / "names").write_text(f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:{TOKEN_HOST},IP:{FAR_HOST}\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", self.ca, "-CAkey", "ca.key", "-CAcreateserial", "-days", 30,
                "-out", self.certificate, "-extfile", "names")

    def make_ended(self) -> None:
        """A certificate whose time is over takes the place of the server's."""
        folder = self.ca.parent
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("77\n")
        (folder / "ca.cnf").write_text("[ca]\ndefault_ca = all\n[all]\ndatabase = index.txt\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\npolicy = any\nemail_in_dn = no\n[any]\ncommonName = supplied\n")
        subprocess.run(["openssl", "ca", "-batch", "-notext", "-config", "ca.cnf", "-in", "server.csr", "-cert", self.ca, "-keyfile", "ca.key", "-out", self.certificate,
                        "-extfile", "names", "-startdate", "20200101000000Z", "-enddate", "20200102000000Z"], check=True, capture_output=True, cwd=folder)

    def context(self) -> ssl.SSLContext:
        """For a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class TokenServer:
    """Gives tokens that registry 2.8 takes, to those of `users` (none: to all) for what they ask. `authority` signs them,
    and is its own certificate when `over_tls`. `asked` has (user, scopes) of each request."""

    def __init__(self, authority: Authority, users: dict[str, str] | None = None, over_tls: bool = False, life: int = 300):
        self.authority, self.users, self.life = authority, users, life
        self.asked: list[tuple[str, list[str]]] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                user, _, password = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode().partition(":")
                scopes = [one for scope in query.get("scope", []) for one in scope.split(" ")]
                server.asked.append((user, scopes))
                known = server.users is None or server.users.get(user) == password
                body = json.dumps({"token": server.token(scopes), "expires_in": server.life} if known else {"errors": []}).encode()
                self.send_response(200 if known else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer((TOKEN_HOST, 0), Handler)
        if over_tls:
            self.server.socket = authority.context().wrap_socket(self.server.socket, server_side=True)
        self.realm = f"{'https' if over_tls else 'http'}://{TOKEN_HOST}:{self.server.server_address[1]}/token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, scopes: list[str]) -> str:
        def encode(data: bytes) -> str:
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert(self.authority.certificate.read_text())).decode()
        now = int(time.time())
        signed = ".".join(encode(json.dumps(part).encode()) for part in (
            {"typ": "JWT", "alg": "RS256", "x5c": [der]},
            {"iss": "test", "sub": "", "aud": "registry", "exp": now + self.life, "nbf": now - 10, "iat": now,
             "jti": secrets.token_hex(8), "access": access}))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.authority.key], input=signed.encode(), check=True, capture_output=True).stdout
        return f"{signed}.{encode(signature)}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def bcrypt(password: str) -> str:
    """As `htpasswd -B`: by the C library, which Debian's perl can ask."""
    salt = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(21)) + "u"
    return subprocess.run(["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password, f"$2y$05${salt}"], check=True,
                          capture_output=True, text=True).stdout


class RealRegistry:
    """Runs at once, on `address`; `close()` ends it. Its data stay in `folder` when it is killed and started again."""

    def __init__(self, folder: Path, authority: Authority | None = None, users: dict[str, str] | None = None, tokens: TokenServer | None = None):
        self.folder, self.authority = folder, authority
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.root = roots.obtain(fixtures.test_cache(), "bookworm", lambda text: print(text, file=sys.stderr))
        configuration: dict = {
            "version": "0.1", "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
            "http": {"addr": self.address, "secret": "of this test"}}
        if authority:
            configuration["http"]["tls"] = {"certificate": str(authority.certificate), "key": str(authority.key)}
        if users:
            (folder / "users").write_text("".join(f"{name}:{bcrypt(password)}\n" for name, password in users.items()))
            configuration["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "users")}}
        if tokens:
            configuration["auth"] = {"token": {"realm": tokens.realm, "service": "registry", "issuer": "test", "rootcertbundle": str(tokens.authority.ca)}}
        (folder / "registry.yml").write_text(json.dumps(configuration))
        self.start()

    def start(self) -> None:
        loader = next((self.root / "lib64").glob("ld-linux*"))
        libraries = next((self.root / "lib").glob("*-linux-gnu"))
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([loader, "--library-path", libraries, self.root / "usr/bin/docker-registry", "serve", self.folder / "registry.yml"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "OTEL_TRACES_EXPORTER": "none"})
        limit = time.monotonic() + STARTS_WITHIN
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError("docker-registry did not start:\n" + (self.folder / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            connection = self.connection()
            connection.request("GET", "/v2/")
            return connection.getresponse().status in (200, 401)
        except (OSError, http.client.HTTPException):
            return False

    def connection(self) -> http.client.HTTPConnection:
        if not self.authority:
            return http.client.HTTPConnection(self.address, timeout=20)
        return http.client.HTTPSConnection(self.address, timeout=20, context=ssl.create_default_context(cafile=self.authority.ca))

    def tag(self, repository: str, tag: str) -> str | None:
        """The digest of what the tag names, as it lies in the storage."""
        link = self.folder / f"data/docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link"
        return link.read_text() or None if link.exists() else None  # it is written in two steps

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def end(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGKILL)
