"""Debian roots that tests run programs in, with everything that building and running veneer needs; kept in the test cache."""

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import fixtures

PRIVATE_MOUNTS = fixtures.SOURCE / "tests" / "support" / "private_mounts"
BUILD_PACKAGES = ["g++", "cmake", "ninja-build", "ccache", "mold", "pkg-config", "git", "python3", "ca-certificates", "mmdebstrap",
            "libcli11-dev", "libfmt-dev", "nlohmann-json3-dev", "libtomlplusplus-dev", "libcurl4-openssl-dev", "libssl-dev",
            "libzstd-dev", "libisal-dev", "liblzma-dev", "zlib1g-dev", "libyaml-dev", "debian-archive-keyring"]


def build_root(suite: str) -> Path:
    """A root of `suite` ("bookworm") in which veneer can be built, made once."""
    return made_once(f"build-{suite}", suite, BUILD_PACKAGES)


def uv_root(suite: str) -> Path:
    """A root of `suite` in which uv, put there by run_inside, can install what needs no compiler; made once."""
    return made_once(f"uv-{suite}", suite, ["python3", "git", "ca-certificates"])


def made_once(kind: str, suite: str, packages: list[str]) -> Path:
    """Another list of packages is another root."""
    name = f"{kind}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"
    target = fixtures.test_cache() / "machines" / name
    target.parent.mkdir(exist_ok=True)
    with open(target.parent / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            scratch = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=target.parent))
            try:
                subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}",
                                "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
                                suite, str(scratch / "root"), *fixtures.mirror()], check=True)
                (scratch / "root").rename(target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return target


def run_inside(root: Path, places: dict[str, Path], script: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a shell script in `root` (chroot, mounts of its own), with folders of this machine at `places` (path in the
    root -> path here), an empty /tmp, and uv on PATH. The network is the machine's. Other tests may use `root` at the same
    time: what the machine gives is mounted, which only this run sees; what is left in the root is empty folders and files."""
    places = {**places, "/usr/local/bin/uv": Path(shutil.which("uv")), "/etc/resolv.conf": Path("/etc/resolv.conf")}
    passed = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    if certificates := os.environ.get("SSL_CERT_FILE"):  # of a proxy that looks into TLS, which only this machine knows
        places["/etc/certificates-of-the-machine.crt"] = Path(certificates)
        passed["SSL_CERT_FILE"] = "/etc/certificates-of-the-machine.crt"
    mounts = ""
    for name, place in places.items():
        target = root / name.lstrip("/")
        if place.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        mounts += f"mount --bind {shlex.quote(str(place))} {shlex.quote(str(target))}\n"
    for folder in ("proc", "dev", "sys", "tmp"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    inner = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8",
             "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    quoted = shlex.quote(str(root))
    return subprocess.run(
        [PRIVATE_MOUNTS, "sh", "-ec",
         f"{mounts}mount -t proc proc {quoted}/proc\nmount --rbind /dev {quoted}/dev\nmount --rbind /sys {quoted}/sys\n"
         f"mount -t tmpfs tmpfs {quoted}/tmp\nexec chroot {quoted} /bin/sh -ec \"$0\"", script],
        capture_output=True, text=True, env={**passed, **inner, **environment})
