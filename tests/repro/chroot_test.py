#!/usr/bin/env python3
"""The same project built by veneer on Debian 12 and on Debian 13, each with its own compiler, libraries and mmdebstrap:
equal diff IDs, blobs, configuration and manifest. The roots and object files are kept in the test cache."""

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

PACKAGES = ["g++", "cmake", "ninja-build", "ccache", "mold", "pkg-config", "git", "python3", "ca-certificates", "mmdebstrap",
            "libcli11-dev", "libfmt-dev", "nlohmann-json3-dev", "libtomlplusplus-dev", "libcurl4-openssl-dev", "libssl-dev",
            "libzstd-dev", "libisal-dev", "zlib1g-dev", "debian-archive-keyring"]


def root(suite: str) -> Path:
    """A root with everything that building and running veneer needs; made once."""
    target = fixtures.test_cache() / "build-roots" / f"{suite}-1"
    target.parent.mkdir(exist_ok=True)
    with open(target.parent / f"{suite}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            scratch = Path(tempfile.mkdtemp(prefix=f"{suite}-", dir=target.parent))
            try:
                subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}",
                                "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
                                suite, str(scratch / "root"), *fixtures.mirror()], check=True)
                (scratch / "root").rename(target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return target


class Chroots(fixtures.SystemTest):
    def inside(self, suite: str, script: str) -> str:
        """Runs a shell script in the root of `suite`: the sources at /source (read only), this test's folder at /test, the
        test cache at /keep."""
        target = root(suite)
        places = {"source": fixtures.SOURCE, "test": self.folder, "keep": fixtures.test_cache()}
        mounts = ""
        for name, place in places.items():
            (target / name).mkdir(exist_ok=True)
            mounts += f"mount --bind {shlex.quote(str(place))} {shlex.quote(str(target / name))}\n"
        (target / "usr" / "local" / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copy(shutil.which("uv"), target / "usr" / "local" / "bin" / "uv")
        shutil.copy("/etc/resolv.conf", target / "etc" / "resolv.conf")
        extra = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy") or name == "SSL_CERT_FILE"}
        result = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
             f"{mounts}mount -t proc proc {target}/proc\nmount --rbind /dev {target}/dev\nmount --rbind /sys {target}/sys\n"
             f"mount -t tmpfs tmpfs {target}/tmp\n"
             f"exec chroot {target} /bin/sh -ec \"$0\"", script],
            capture_output=True, text=True,
            env={**extra, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8",
                 "CCACHE_DIR": f"/keep/ccache-{suite}", "XDG_CACHE_HOME": f"/test/cache-{suite}", "UV_CACHE_DIR": f"/test/uv-{suite}",
                 "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"})
        self.assertEqual(result.returncode, 0, f"{suite}:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
        return result.stdout

    def test_debian_12_and_13_make_the_same_image(self):
        project = self.small_project()
        text = (project / "pyproject.toml").read_text()
        self.assertIn(str(fixtures.debian_base()), text)
        mirror = fixtures.mirror()
        system = f'[tool.veneer.system]\npackages = ["zlib1g-dev"]\n' + (f'mirror = "{mirror[0]}"\n' if mirror else "")
        text = text.replace(f'base = "oci:{fixtures.debian_base()}"\n', f'base = "debian:bookworm"\n\n{system}')
        (project / "pyproject.toml").write_text(text)
        fixtures.commit_all(project, "Debian by name")
        images = {}
        for suite in ("bookworm", "trixie"):
            self.inside(suite, f"""\
                cmake -S /source -B /keep/build-{suite} -G Ninja -DCMAKE_BUILD_TYPE=Release -DVENEER_TESTS=OFF >/dev/null
                cmake --build /keep/build-{suite} --target veneer
                cp -r /test/shop /tmp/shop
                cd /tmp/shop
                /keep/build-{suite}/veneer build --json >/test/{suite}.json
                cp -r .veneer /test/layout-{suite}""")
            images[suite] = json.loads((self.folder / f"{suite}.json").read_text())
        old, new = images["bookworm"], images["trixie"]
        for left, right in zip(old["layers"], new["layers"], strict=True):
            with self.subTest(left["title"]):
                self.assertEqual((left["diff_id"], left["digest"]), (right["diff_id"], right["digest"]))
        self.assertEqual((old["config"], old["manifest"]), (new["config"], new["manifest"]))
        listed = {suite: sorted(path.name for path in (self.folder / f"layout-{suite}" / "blobs" / "sha256").iterdir()) for suite in images}
        self.assertEqual(listed["bookworm"], listed["trixie"])


if __name__ == "__main__":
    fixtures.main()
