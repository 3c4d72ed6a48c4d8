#!/usr/bin/env python3
"""Images on a Debian base that veneer makes, and on others, run as their user: certificates, a name, a home. The base is
made twice and is equal, although another file system and another user's settings had a hand in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import layouts  # noqa: E402

ASK = """\
import grp, json, os, pathlib, pwd, ssl
home = pathlib.Path.home()
try:
    (home / "note").write_text("x")
    writable = True
except OSError:
    writable = False
print(json.dumps({
    "certificates": ssl.create_default_context().cert_store_stats()["x509_ca"], "home": str(home), "writable": writable,
    "name": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name,
    "passwd": pwd.getpwuid(os.getuid()).pw_dir}))
"""


class Bases(fixtures.SystemTest):
    def project(self, base: str, table: str = "") -> Path:
        path = self.folder / f"shop-{len(list(self.folder.iterdir()))}"
        path.mkdir()
        mirror = f'[tool.veneer.system]\nmirror = "{fixtures.mirror()[0]}"\n' if fixtures.mirror() and base.startswith("debian:") else ""
        (path / "pyproject.toml").write_text(
            f'[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\n\n[tool.veneer]\nbase = "{base}"\n{mirror}[tool.veneer.image]\n{table}\n')
        (path / "main.py").write_text(ASK)
        subprocess.run(["uv", "lock", "--quiet"], cwd=path, check=True, env=self.environment())
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "First")
        return path

    def run_image(self, path: Path) -> dict:
        """What the program of the image that was built last says of itself, run as the image's user in its files."""
        layout = path / ".veneer"
        index = json.loads((layout / "index.json").read_text())

        def blob(digest: str) -> Path:
            return layout / "blobs" / "sha256" / digest.split(":")[1]

        manifest = json.loads(blob(index["manifests"][-1]["digest"]).read_text())
        config = json.loads(blob(manifest["config"]["digest"]).read_text())["config"]
        root = self.folder / f"root-of-{path.name}"
        root.mkdir()
        for layer in manifest["layers"]:
            subprocess.run(["tar", "--extract", "--gzip", "--numeric-owner", "--same-permissions", "--exclude=dev/*",
                            "--file", blob(layer["digest"]), "--directory", root], check=True)
            for mark in root.rglob(".wh.*"):
                gone = mark.with_name(mark.name.removeprefix(".wh."))
                shutil.rmtree(gone) if gone.is_dir() and not gone.is_symlink() else gone.unlink(missing_ok=True)
                mark.unlink()
        os.chmod(self.folder, 0o755)
        result = subprocess.run([shutil.which("chroot"), f"--userspec={config['User']}", "--groups=", root, *config["Entrypoint"]],
                                env=dict(entry.split("=", 1) for entry in config["Env"]), capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_a_debian_base_has_certificates_and_the_user_a_home(self):
        path = self.project("debian:bookworm")
        first = self.json("build", "--json", cwd=path)
        said = self.run_image(path)
        self.assertGreater(said.pop("certificates"), 50)
        self.assertEqual(said, {"home": "/home/app", "passwd": "/home/app", "writable": True, "name": "app", "group": "app"})
        # Once more with nothing kept, on another file system if there is one, in another order of time and with another umask.
        elsewhere = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else self.folder
        temporary = Path(fixtures.tempfile.mkdtemp(prefix="veneer-test-", dir=elsewhere))
        self.addCleanup(shutil.rmtree, temporary, ignore_errors=True)
        other = subprocess.run([fixtures.binary(), "build", "--json"], cwd=path, umask=0o077, capture_output=True, text=True,
                               env=self.environment(XDG_CACHE_HOME=str(self.folder / "other"), TMPDIR=str(temporary), TZ="Asia/Kathmandu"))
        self.assertEqual(other.returncode, 0, other.stderr)
        again = json.loads(other.stdout)
        self.assertEqual([layer["diff_id"] for layer in again["layers"]], [layer["diff_id"] for layer in first["layers"]])
        self.assertEqual(again["manifest"], first["manifest"])

    def test_the_user_of_another_base(self):
        base = f"oci:{fixtures.debian_base()}"
        unknown = self.run_image(self.built(self.project(base, 'user = "1234:100"\nwritable = ["/home/app/.cache"]')))
        self.assertEqual((unknown["name"], unknown["group"], unknown["home"], unknown["writable"]), ("app", "users", "/home/app", True))
        known = self.run_image(self.built(self.project(base, 'user = "33"')))
        self.assertEqual((known["name"], known["group"], known["home"], known["writable"]), ("www-data", "www-data", "/var/www", True))
        root = self.run_image(self.built(self.project(base, 'user = "0"')))
        self.assertEqual((root["name"], root["home"], root["writable"]), ("root", "/root", True))

    def test_what_base_and_project_say_goes_before(self):
        lines = {"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nshopkeeper:x:1000:7:,,,:/srv/shop:/bin/sh\n",
                 "etc/group": b"root:x:0:\nlp:x:7:\n"}
        base = layouts.with_layer(fixtures.debian_base(), self.folder / "with-user", lines)
        said = self.run_image(self.built(self.project(f"oci:{base}")))
        self.assertEqual((said["name"], said["group"], said["home"], said["writable"]), ("shopkeeper", "shopkeeper", "/srv/shop", True))
        said = self.run_image(self.built(self.project(f"oci:{base}", 'env = { HOME = "/tmp" }')))
        self.assertEqual((said["home"], said["passwd"]), ("/tmp", "/srv/shop"))

    def test_a_home_that_the_base_sets_stays(self):
        lower = self.project(f"oci:{fixtures.debian_base()}", 'env = { HOME = "/data" }\nwritable = ["/data"]')
        self.assertEqual(self.json("build", "--json", cwd=lower)["findings"], [])
        said = self.run_image(self.built(self.project(f"oci:{lower / '.veneer'}")))
        self.assertEqual((said["home"], said["passwd"], said["writable"]), ("/data", "/home/app", True))
        said = self.run_image(self.built(self.project(f"oci:{lower / '.veneer'}", 'env = { HOME = "/tmp" }')))
        self.assertEqual(said["home"], "/tmp")
        # What was only the home of the base's user is not another one's.
        lower = self.built(self.project(f"oci:{fixtures.debian_base()}"))
        said = self.run_image(self.built(self.project(f"oci:{lower / '.veneer'}", 'user = "0"')))
        self.assertEqual(said["home"], "/root")

    def test_a_home_that_its_user_cannot_write_to_is_said(self):
        base = f"oci:{fixtures.debian_base()}"
        for user, home, what in (("65534:65534", "/nonexistent", "is not in the image"), ("1:1", "/usr/sbin", "is not writable for it")):
            path = self.project(base, f'user = "{user}"')
            for command in ("build", "plan"):
                findings = self.json(command, "--json", cwd=path)["findings"]
                self.assertEqual([finding.split(";")[0] for finding in findings], [f"the home of the user {user}, {home}, {what}"])
            self.assertIn("name another user", self.veneer("build", cwd=path).stderr)
            said = self.run_image(path)
            self.assertEqual((said["home"], said["writable"]), (home, False))
            # The cure that is named.
            cured = self.project(base, f'user = "{user}"\nenv = {{ HOME = "/data" }}\nwritable = ["/data"]')
            self.assertEqual(self.json("build", "--json", cwd=cured)["findings"], [])
            said = self.run_image(cured)
            self.assertEqual((said["home"], said["writable"]), ("/data", True))

    def test_the_account_is_part_of_its_layers_key(self):
        """Another passwd of the base makes another layer of ours, with one cache."""
        one = self.project(f"oci:{fixtures.debian_base()}")
        self.veneer("build", cwd=one)
        lines = {"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n", "etc/group": b"root:x:0:\napp:x:5:\n"}
        base = layouts.with_layer(fixtures.debian_base(), self.folder / "other-base", lines)
        said = self.run_image(self.built(self.project(f"oci:{base}")))
        self.assertEqual((said["name"], said["group"], said["home"]), ("app1000", "app1000", "/home/app1000"))

    def built(self, path: Path) -> Path:
        self.veneer("build", cwd=path)
        return path


if __name__ == "__main__":
    fixtures.main()
