"""An archive of the form that uv installs (python/bin, python/lib), made of the machine's own Debian CPython, and a list of
downloads for UV_PYTHON_DOWNLOADS_JSON_URL that names it."""

import io
import json
import platform
import sys
import tarfile
from pathlib import Path

DEBIAN_PYTHON = Path("/usr/bin/python3")
# What Debian's CPython wants of a system without it; an archive of uv's holds its own.
LIBRARIES = {"bookworm": ["libexpat1", "libffi8", "libsqlite3-0", "libssl3"], "trixie": ["libexpat1", "libffi8", "libsqlite3-0", "libssl3t64"]}


def make(target: Path) -> str:
    """Writes the archive and returns its version, "3.11.2"."""
    program = DEBIAN_PYTHON.resolve()
    name = program.name  # "python3.11"
    version = ".".join(str(part) for part in sys.version_info[:3])
    if Path(sys.executable).resolve() != program:
        import subprocess
        version = subprocess.run([program, "-c", "import platform; print(platform.python_version())"], check=True, capture_output=True, text=True).stdout.strip()
    library = Path("/usr/lib") / name

    def built(path: Path) -> bytes:
        data = path.read_bytes()
        if path.name.startswith("_sysconfigdata"):
            return data.replace(b"'/usr", b"'/install").replace(b"-I/usr/", b"-I/install/").replace(b"-L/usr/", b"-L/install/")
        return data

    files = {f"python/bin/{name}": program.read_bytes()}
    for path in sorted(library.rglob("*")):
        below = path.relative_to(library)
        if path.is_file() and "__pycache__" not in below.parts and not below.parts[0].startswith("config-") and below.parts[0] not in ("test", "idlelib"):
            files[f"python/lib/{name}/{below}"] = built(path)
    files[f"python/lib/{name}/test/test_made.py"] = b"raise SystemExit('a test')\n"
    files[f"python/lib/{name}/config-3/lib{name}.a"] = b"!<arch>\n"
    files[f"python/lib/{name}/site-packages/README.txt"] = b"Third-party packages come here.\n"
    files[f"python/lib/pkgconfig/{name}.pc"] = b"prefix=/install\nlibdir=${prefix}/lib\nCflags: -I/install/include\n"
    files["python/share/man/man1/python.1"] = b".TH PYTHON\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.uid, entry.mtime = len(data), 0o775 if "/bin/" in path else 0o664, 1001, 1_700_000_000
            archive.addfile(entry, io.BytesIO(data))
        for link in ("python", "python3"):
            entry = tarfile.TarInfo(f"python/bin/{link}")
            entry.type, entry.linkname = tarfile.SYMTYPE, name
            archive.addfile(entry)
    return version


def list_of(target: Path, version: str, url: str, **changes) -> None:
    """Writes the list of downloads: one CPython for this machine."""
    major, minor, patch = version.split(".")
    arch = platform.machine()
    row = {"name": "cpython", "arch": {"family": arch, "variant": None}, "os": "linux", "libc": "gnu", "major": int(major), "minor": int(minor),
           "patch": int(patch), "prerelease": "", "url": url, "sha256": None, "variant": None, "build": "20260101", **changes}
    target.write_text(json.dumps({f"cpython-{version}-linux-{arch}-gnu": row}))
