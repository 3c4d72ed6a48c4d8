#!/usr/bin/env python3
"""What veneer writes into a registry others read, and what they write veneer reads: skopeo, umoci, buildah, Docker, and with
VENEER_TEST_ALL=1 crane and oras, which are compiled where the machine has Go. The registry is Debian's docker-registry."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import real_registry  # noqa: E402
from made_images import image_digest, layer, make_image  # noqa: E402
from ssh_host import ENGINES, start_engine  # noqa: E402

PLAIN = "--tls-verify=false"


class Interop(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.real = real_registry.RealRegistry(self.folder / "registry")
        self.addCleanup(self.real.close)
        self.address = self.real.address
        self.image = make_image(self.folder / "image", [layer("one"), layer("two", 70_000)])
        self.digest = image_digest(self.image)
        self.veneer("push", f"oci:{self.image}", f"{self.address}/team/ours:1")

    def run_tool(self, *words, **environment: str) -> str:
        result = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=self.folder, env=self.environment(**environment))
        self.assertEqual(result.returncode, 0, f"{words}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def assert_read_and_passed_on(self, name: str, digest: str) -> dict:
        """veneer reads what another tool wrote as team/NAME, every byte of its layers, and passes it on as it is."""
        self.assertEqual(self.real.tag(f"team/{name}", "1"), digest)
        found = self.json("inspect", f"registry:{self.address}/team/{name}:1", "--contents", "--json")
        self.assertEqual(found["manifest"], digest)
        self.veneer("push", f"registry:{self.address}/team/{name}:1", f"{self.address}/passed-on/{name}:1")
        self.assertEqual(self.real.tag(f"passed-on/{name}", "1"), digest)
        return found

    def entries(self, reference: str) -> dict:
        listed = self.json("inspect", reference, "--tree", "--json")["entries"]
        return {entry["path"]: entry.get("sha256") for entry in listed}


class Layouts(Interop):
    """Tools that keep images in layouts."""

    def test_skopeo(self):
        ours = f"docker://{self.address}/team/ours:1"
        raw = self.run_tool("skopeo", "inspect", PLAIN, "--raw", ours)
        self.assertEqual("sha256:" + hashlib.sha256(raw.encode()).hexdigest(), self.digest)
        self.run_tool("skopeo", "copy", "-q", "--src-tls-verify=false", ours, f"oci:{self.folder}/read:1")
        self.assertEqual(image_digest(self.folder / "read"), self.digest)
        # In other forms: Docker's manifest, other compression.
        for name, form in (("v2s2", ("--format", "v2s2")), ("zstd", ("--dest-compress-format", "zstd", "--dest-force-compress-format"))):
            with self.subTest(name):
                if "force" in form[-1] and form[-1] not in self.run_tool("skopeo", "copy", "--help"):
                    form = form[:-1]  # older ones recompress only what is not compressed
                digest_file = self.folder / f"{name}.digest"
                self.run_tool("skopeo", "copy", "-q", "--dest-tls-verify=false", *form, f"--digestfile={digest_file}", f"oci:{self.image}:1", f"docker://{self.address}/team/{name}:1")
                self.assert_read_and_passed_on(name, digest_file.read_text())
                self.assertEqual(self.entries(f"registry:{self.address}/team/{name}:1"), self.entries(f"oci:{self.image}:1"))

    def test_umoci(self):
        self.run_tool("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{self.address}/team/ours:1", f"oci:{self.folder}/read:1")
        self.run_tool("umoci", "raw", "unpack", "--rootless", "--image", f"{self.folder}/read:1", self.folder / "unpacked")
        self.assertEqual({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (self.folder / "unpacked").iterdir() if path.is_file()},
                         self.entries(f"oci:{self.image}:1"))
        (self.folder / "more").write_text("more")
        self.run_tool("umoci", "insert", "--rootless", "--image", f"{self.folder}/read:1", self.folder / "more", "/etc/more")
        self.veneer("push", f"oci:{self.folder}/read:1", f"{self.address}/team/umoci:1")
        found = self.assert_read_and_passed_on("umoci", image_digest(self.folder / "read"))
        self.assertEqual(len(found["layers"]), 3)
        self.assertIn("etc/more", self.entries(f"registry:{self.address}/team/umoci:1"))


class Engines(Interop):
    """Docker, and buildah of the same root."""

    ENGINE = "docker20@interop"

    @classmethod
    def setUpClass(cls):
        cls.facts = start_engine(cls, cls.ENGINE)

    def engine(self, *words) -> str:
        result = subprocess.run([str(ENGINES), "exec", self.ENGINE, *map(str, words)], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(result.returncode, 0, f"{words}\n{result.stdout}\n{result.stderr}")
        return result.stdout.strip()

    def test_docker(self):
        ours = f"{self.address}/team/ours"
        self.engine("docker", "pull", "-q", f"{ours}:1")
        self.assertEqual(json.loads(self.engine("docker", "image", "inspect", f"{ours}:1"))[0]["RepoDigests"], [f"{ours}@{self.digest}"])
        theirs = f"{self.address}/team/docker:1"
        self.engine("docker", "tag", f"{ours}:1", theirs)
        pushed = self.engine("docker", "push", theirs)
        digest = next(word for word in pushed.split() if word.startswith("sha256:"))
        found = self.assert_read_and_passed_on("docker", digest)
        identity = json.loads(self.engine("docker", "image", "inspect", theirs))[0]["Id"]
        self.assertEqual(found["config"], identity)
        self.engine("docker", "rmi", "-f", identity)
        self.veneer("pull", theirs, "--as", "back:1", DOCKER_HOST=self.facts["DOCKER_HOST"])
        self.assertEqual(json.loads(self.engine("docker", "image", "inspect", "back:1"))[0]["Id"], identity)

    def test_buildah(self):
        storage = ("env", "-u", "CONTAINERS_CONF", "buildah", "--root", self.folder / "storage", "--runroot", self.folder / "run", "--storage-driver", "vfs")
        container = self.engine(*storage, "from", "-q", PLAIN, f"{self.address}/team/ours:1")
        image = json.loads(self.engine(*storage, "inspect", "--type", "image", f"{self.address}/team/ours:1"))
        self.assertEqual(image["FromImageDigest"], self.digest)
        (self.folder / "more").write_text("more")
        self.engine(*storage, "copy", "-q", container, self.folder / "more", "/etc/more")
        for form in ("oci", "docker"):
            with self.subTest(form):
                self.engine(*storage, "commit", "-q", "--format", form, container, f"made-{form}")
                self.engine(*storage, "push", "-q", PLAIN, "--digestfile", self.folder / form, f"made-{form}", f"docker://{self.address}/team/buildah-{form}:1")
                self.assert_read_and_passed_on(f"buildah-{form}", (self.folder / form).read_text())
                self.assertIn("etc/more", self.entries(f"registry:{self.address}/team/buildah-{form}:1"))


if os.environ.get("VENEER_TEST_ALL"):

    @fixtures.unittest.skipUnless(shutil.which("go"), "this machine has no Go to compile crane and oras with")
    class FromGo(Interop):
        """Tools that come from the Go module proxy, of these versions."""

        TOOLS = {"crane": "github.com/google/go-containerregistry/cmd/crane@v0.22.1", "oras": "oras.land/oras/cmd/oras@v1.3.6"}

        @classmethod
        def setUpClass(cls):
            cls.bin = fixtures.test_cache() / "go-tools"
            for name, package in cls.TOOLS.items():
                if not (cls.bin / name).exists():
                    subprocess.run(["go", "install", package], check=True, env={**os.environ, "GOBIN": str(cls.bin), "GOFLAGS": "-buildvcs=false"})

        def crane(self, *words) -> str:
            return self.run_tool(self.bin / "crane", "--insecure", *words).strip()

        def oras(self, *words) -> str:
            return self.run_tool(self.bin / "oras", *words, "--no-tty") if words[0] in ("push", "copy") else self.run_tool(self.bin / "oras", *words)

        def test_crane(self):
            ours = f"{self.address}/team/ours:1"
            self.assertEqual(self.crane("digest", ours), self.digest)
            self.assertIn("PASS", self.crane("validate", "--remote", ours))
            built = json.loads(self.veneer("build", "--push", f"{self.address}/team/shop:1", "--json", cwd=self.small_project()).stdout)
            self.assertEqual(self.crane("digest", f"{self.address}/team/shop:1"), built["manifest"])
            self.assertIn("PASS", self.crane("validate", "--remote", f"{self.address}/team/shop:1"))
            (self.folder / "layer.tar").write_bytes(layer("three"))
            self.crane("append", "--base", ours, "--new_layer", self.folder / "layer.tar", "--new_tag", f"{self.address}/team/crane:1")
            found = self.assert_read_and_passed_on("crane", self.crane("digest", f"{self.address}/team/crane:1"))
            self.assertEqual(len(found["layers"]), 3)
            self.crane("pull", "--format", "oci", f"{self.address}/team/shop:1", self.folder / "pulled")
            self.assertEqual(self.json("inspect", f"oci:{self.folder}/pulled", "--json")["manifest"], built["manifest"])

        def test_oras(self):
            ours = f"{self.address}/team/ours:1"
            self.assertEqual(json.loads(self.oras("manifest", "fetch", "--plain-http", "--descriptor", ours))["digest"], self.digest)
            self.oras("copy", "--from-plain-http", "--to-oci-layout", ours, f"{self.folder}/copied:1")
            self.assertEqual(image_digest(self.folder / "copied"), self.digest)
            self.oras("copy", "--from-oci-layout", "--to-plain-http", f"{self.folder}/copied:1", f"{self.address}/team/oras:1")
            self.assert_read_and_passed_on("oras", self.digest)
            # The document beside an image is found, by the tag of referrers that this registry needs.
            self.veneer("push", f"oci:{self.image}", ours, "--sbom")
            listed = json.loads(self.oras("discover", "--plain-http", "--format", "json", ours))
            documents = listed.get("referrers") or listed["manifests"]
            self.assertEqual([one["artifactType"] for one in documents], ["application/spdx+json"])
            self.oras("pull", "--plain-http", "--output", self.folder / "documents", f"{self.address}/team/ours@{documents[0]['digest']}")
            self.assertTrue(next((self.folder / "documents").glob("*.spdx.json")).read_text().startswith("{"))


if __name__ == "__main__":
    fixtures.main()
