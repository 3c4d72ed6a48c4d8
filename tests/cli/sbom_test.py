#!/usr/bin/env python3
"""What an image holds, written down: the document judged by a validator that others made, its digests by the wheels; the labels of
an image; documents beside images in registries; lists of Debian packages explained, with VENEER_TEST_ALL=1 on Debian's own archive."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import made_images  # noqa: E402
import odd_registry  # noqa: E402
import tiny_image  # noqa: E402

CANARY = "c4nary-of-a-token"
VALIDATOR = "spdx-tools==0.8.5"
INDEX = "application/vnd.oci.image.index.v1+json"


def validator() -> Path:
    """A folder of modules from the package index; cached."""
    target = fixtures.test_cache() / VALIDATOR.replace("==", "-")
    if not target.exists():
        scratch = target.with_name(f"{target.name}.{os.getpid()}")
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", scratch, VALIDATOR], check=True)
        if target.exists():
            shutil.rmtree(scratch)
        else:
            scratch.rename(target)
    return target


class Sbom(fixtures.SystemTest):
    def validate(self, document: str) -> dict:
        path = self.folder / "check.spdx.json"
        path.write_text(document)
        result = subprocess.run([sys.executable, "-m", "spdx_tools.spdx.clitools.pyspdxtools", "-i", path], capture_output=True, text=True,
                                env=self.environment(PYTHONPATH=str(validator())))
        self.assertEqual(result.returncode, 0, result.stdout[-3000:] + result.stderr[-3000:])
        return json.loads(document)

    def config(self, project: Path) -> dict:
        layout = project / ".veneer"
        return json.loads((layout / "blobs/sha256" / made_images.manifest_of(layout)["config"]["digest"].split(":")[1]).read_text())

    def test_of_a_build(self):
        project = self.small_project()
        told = ('description = "Sells things"\nlicense = "Apache-2.0 OR MIT"\n\n[project.urls]\nHomepage = "https://ada:' + CANARY +
                '@shop.example/"\nDocumentation = "https://docs.shop.example"\n\n[project.scripts]')
        text = (project / "pyproject.toml").read_text().replace("[project.scripts]", told, 1)
        # No package: nothing is built for it.
        text = text[:text.index("[project.scripts]")] + text[text.index("[tool.uv.sources]"):]
        text = text.replace("[tool.veneer.image]", '[tool.veneer.image]\ncmd = ["python", "/app/run.py"]')
        subprocess.run(["git", "rm", "-qr", "src"], cwd=project, check=True)
        (project / "run.py").write_text("print()\n")
        (project / "pyproject.toml").write_text(text + '\n[tool.veneer.image.labels]\n"org.opencontainers.image.title" = "The shop"\n')
        subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=self.environment())
        fixtures.commit_all(project, "Told")
        fixtures.git(project, "remote", "add", "origin", f"https://x-access-token:{CANARY}@forge.example/team/shop.git")
        self.veneer("build", "--no-lock-file", "--sbom", "shop.spdx.json", cwd=project)
        written = (project / "shop.spdx.json").read_text()
        self.assertEqual(self.veneer("sbom", cwd=project).stdout, written)

        registry = odd_registry.OddRegistry()
        self.addCleanup(registry.close)
        self.veneer("push", f"{registry.address}/team/shop:1", cwd=project)
        self.veneer("sbom", f"{registry.address}/team/shop:1", "-o", "again.json")
        self.assertEqual((self.folder / "again.json").read_text(), written, "the same image from another place")

        document = self.validate(written)
        self.assertEqual(document["creationInfo"]["created"], "2026-01-01T00:00:00Z")
        self.assertTrue(document["creationInfo"]["creators"][0].startswith("Tool: veneer-"))
        packages = {(entry["name"], entry["externalRefs"][0]["referenceLocator"].split("/")[0] if "externalRefs" in entry else ""): entry
                    for entry in document["packages"]}
        for wheel in sorted((project / "wheels").glob("*.whl")):
            entry = packages[wheel.name.split("-")[0], "pkg:pypi"]
            self.assertEqual(entry["checksums"], [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(wheel.read_bytes()).hexdigest()}])
        base = packages["The shop", ""]
        self.assertEqual((base["licenseDeclared"], base["primaryPackagePurpose"]), ("Apache-2.0 OR MIT", "CONTAINER"))
        contained = {entry["relatedSpdxElement"] for entry in document["relationships"] if entry["relationshipType"] == "CONTAINS"}
        self.assertEqual(contained, {entry["SPDXID"] for entry in document["packages"]} - {"SPDXRef-image"})

        status = gzip.decompress(next((fixtures.debian_base() / "blobs/sha256").glob(
            made_images.manifest_of(fixtures.debian_base())["layers"][0]["digest"].split(":")[1])).read_bytes())
        self.assertEqual(sorted(entry["externalRefs"][0]["referenceLocator"] for (_, kind), entry in packages.items() if kind == "pkg:deb"),
                         sorted(debian_urls(status)))

        config = self.config(project)
        self.assertNotIn(CANARY, json.dumps(config) + written)
        labels = config["config"]["Labels"]
        oci = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items() if name.startswith("org.")}
        self.assertEqual(oci, {"title": "The shop", "description": "Sells things", "licenses": "Apache-2.0 OR MIT", "version": "1.0.0",
                               "created": config["created"], "revision": fixtures.git(project, "rev-parse", "HEAD").strip(),
                               "source": "https://forge.example/team/shop", "url": "https://shop.example/",
                               "documentation": "https://docs.shop.example"})
        self.assertEqual([entry.split(":")[0] for entry in json.loads(labels["dev.veneer.files"])["Files"].split(" ")], ["part0", "part1", "part2"])

    def test_of_what_others_built(self):
        dist = "usr/lib/python3.12/site-packages/"
        status = ("Package: odd\"name\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
                  "Package: tool\nStatus: install ok installed\nVersion: 1:2.0~rc1+b1\nArchitecture: amd64\n")
        hostile = b"Name: bad\nVersion: " + b"9" * 100_000 + b"\n"
        layer = tiny_image.tar([("etc/os-release", b"ID=debian\nVERSION_CODENAME=sid\n", 0o644), ("var/lib/dpkg/status", status.encode(), 0o644),
                                (dist + "bad-9.dist-info/METADATA", hostile, 0o644),
                                (dist + "fine-1.dist-info/METADATA", b"Name: fine\nVersion: 1\nLicense-Expression: MIT AND LicenseRef-Own\n\xff", 0o644),
                                (dist + "wild-1.dist-info/METADATA", b"Name: wild\nVersion: 1\nLicense-Expression: Wild-West\n", 0o644)])
        image = made_images.make_image(self.folder / "image", [layer])
        result = self.veneer("sbom", f"oci:{image}:1")
        self.assertIn("2 packages whose metadata do not name them properly are left out", result.stderr)
        document = self.validate(result.stdout)
        self.assertEqual({entry["name"]: (entry.get("versionInfo"), entry["licenseDeclared"]) for entry in document["packages"]},
                         {"image": (None, "NOASSERTION"), "debian": ("sid", "NOASSERTION"), "tool": ("1:2.0~rc1+b1", "NOASSERTION"),
                          "fine": ("1", "MIT AND LicenseRef-Own"), "wild": ("1", "NOASSERTION")})
        self.assertEqual(document["creationInfo"]["created"], "1970-01-01T00:00:00Z")

    def test_beside_what_a_build_pushes(self):
        registry = odd_registry.OddRegistry()
        self.addCleanup(registry.close)
        project = self.small_project()
        built = self.json("build", "--push", f"{registry.address}/team/shop:1", "--sbom", "shop.spdx.json", "--json", cwd=project)
        manifest = json.loads(registry.manifests["team/shop"][built["push"]["sbom"]][1])
        self.assertEqual(manifest["subject"]["digest"], built["manifest"])
        self.assertEqual(registry.blobs[manifest["layers"][0]["digest"]], (project / "shop.spdx.json").read_bytes())
        self.assertIn("its SBOM is sha256:", self.veneer("build", "--push", f"{registry.address}/team/shop:1", "--sbom", "again.json", cwd=project).stderr)

    def test_beside_the_image_in_a_registry(self):
        registry = odd_registry.OddRegistry()
        self.addCleanup(registry.close)
        image = made_images.make_image(self.folder / "image", [made_images.layer("a")])
        subject = made_images.image_digest(image)
        name = f"{registry.address}/team/app:1"

        def push() -> dict:
            pushed = self.json("push", f"oci:{image}:1", name, "--sbom", "--json")
            kind, stored = registry.manifests["team/app"][pushed["sbom"]]
            manifest = json.loads(stored)
            self.assertEqual((kind, manifest["mediaType"], manifest["artifactType"], manifest["subject"]["digest"]),
                             (made_images.MANIFEST, made_images.MANIFEST, "application/spdx+json", subject))
            self.assertEqual(registry.blobs[manifest["config"]["digest"]], b"{}")
            document = registry.blobs[manifest["layers"][0]["digest"]]
            self.assertEqual(document.decode(), self.veneer("sbom", f"oci:{image}:1").stdout)
            return pushed

        def listed() -> list:
            return json.loads(registry.manifests["team/app"][subject.replace(":", "-")][1])["manifests"]

        # Without the referrers API: by the tag, once, and whatever is listed there already stays.
        other = {"mediaType": made_images.MANIFEST, "digest": "sha256:" + "0" * 64, "size": 7, "artifactType": "of/others"}
        registry.put_manifest("team/app", subject.replace(":", "-"), json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [other]}).encode(), INDEX)
        pushed = push()
        self.assertEqual(push()["sbom"], pushed["sbom"])
        self.assertEqual([entry["digest"] for entry in listed()], [other["digest"], pushed["sbom"]])
        self.assertEqual(listed()[1]["artifactType"], "application/spdx+json")

        # Someone else takes the entry away once.
        tag, rival = subject.replace(":", "-"), [True]
        registry.put_manifest("team/app", tag, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode(), INDEX)

        def lose(request, answer):
            if request.method == "PUT" and request.path.endswith(tag) and rival:
                rival.clear()
                registry.put_manifest("team/app", tag, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [other]}).encode(), INDEX)

        registry.alter = lose
        push()
        self.assertEqual([entry["digest"] for entry in listed()], [other["digest"], pushed["sbom"]])

        # With it the tag is left alone.
        registry.reset()

        def say_so(request, answer):
            if request.method == "PUT" and request.is_for("manifests") and answer.status == 201:
                answer.headers["OCI-Subject"] = subject
            return answer

        registry.alter = say_so
        push()
        self.assertNotIn(tag, registry.manifests["team/app"])

        # A tag that stands for something else is not overwritten.
        registry.reset()
        registry.put_manifest("team/app", tag, b'{"schemaVersion": 2}')
        failed = self.veneer("push", f"oci:{image}:1", name, "--sbom", code=3)
        self.assertIn("does not stand for an index", failed.stderr)


PACKAGES = {
    "base-files": "Essential: yes\nInstalled-Size: 300\nSize: 1000", "apt": "Installed-Size: 4000\nSize: 2000\nDepends: libapt",
    "libapt": "Installed-Size: 100\nSize: 10", "python3": "Installed-Size: 90\nSize: 30", "ca-certificates": "", "netbase": "", "tzdata": "",
    "build-essential": "Installed-Size: 20\nSize: 5\nDepends: gcc, make", "gcc": "Installed-Size: 50000\nSize: 9000\nDepends: libc-dev",
    "make": "Installed-Size: 1600\nSize: 500", "libc-dev": "Installed-Size: 10000\nSize: 1000\nSection: libdevel",
    "libpango-1.0-0": "Installed-Size: 500\nSize: 200\nSection: libs\nDepends: libglib (>= 2), fonts-any",
    "libglib": "Installed-Size: 4000\nSize: 1400\nSection: libs", "shared-mime-info": "Installed-Size: 2000\nSize: 700\nDepends: libglib",
    "libpango-dev": "Installed-Size: 900\nSize: 150\nSection: libdevel\nDepends: libpango-1.0-0 (= 1), libglib-dev",
    "libglib-dev": "Installed-Size: 9000\nSize: 1500\nSection: libdevel\nDepends: libglib (= 1), python3:any",
    "fonts-dejavu-core": "Installed-Size: 3000\nSize: 1000\nSection: fonts",
}


class PackageLists(fixtures.SystemTest):
    def archive(self, packages: dict[str, str]) -> str:
        for suite in ("bookworm", "bookworm-updates"):
            place = self.folder / "archive/dists" / suite / "main/binary-amd64"
            place.mkdir(parents=True, exist_ok=True)
            text = "".join(f"Package: {name}\nVersion: 1\nArchitecture: amd64\n{more}\n\n".replace("\n\n\n", "\n\n") for name, more in packages.items())
            (place / "Packages.gz").write_bytes(gzip.compress((text if suite == "bookworm" else "").encode(), mtime=0))
        return f"file://{self.folder}/archive"

    def project(self, names: list[str]) -> None:
        (self.folder / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n[tool.veneer]\nbase = "debian:bookworm"\n'
            f'[tool.veneer.system]\nmirror = "{self.archive(PACKAGES)}"\npackages = {json.dumps(sorted(names))}\n')
        (self.folder / "uv.lock").write_text('version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\n')

    def test_of_a_project(self):
        self.project(["build-essential", "libpango-dev", "shared-mime-info", "libpango-1.0-0", "tzdata"])
        answer = self.json("packages", "--platform", "linux/amd64", "--json")
        rows = {row["name"]: row for row in answer["packages"]}
        self.assertEqual({name: row["verdict"] for name, row in rows.items()},
                         {"build-essential": "builds", "libpango-dev": "builds", "shared-mime-info": "runs", "libpango-1.0-0": "runs", "tzdata": "present"})
        self.assertEqual(rows["build-essential"]["brings"], ["gcc", "libc-dev", "make"])
        self.assertEqual(rows["build-essential"]["own"], {"packages": 4, "installed": 61620 * 1024, "download": 10505})
        self.assertEqual(rows["shared-mime-info"]["all"], {"packages": 2, "installed": 6000 * 1024, "download": 2100})
        self.assertEqual(rows["shared-mime-info"]["own"]["packages"], 1, "libglib is shared")
        self.assertEqual(rows["libpango-dev"]["instead"], ["libpango-1.0-0"])
        self.assertEqual(answer["proposal"], ["libpango-1.0-0", "shared-mime-info"])
        self.assertEqual(answer["kept"]["installed"], 6500 * 1024)
        self.assertIn("libpango-1.0-0 draws text, and no package of the list has a font", answer["findings"][0])
        text = self.veneer("packages", "--platform", "linux/amd64").stdout
        self.assertIn("it is for compiling", text)
        self.assertIn('packages = ["libpango-1.0-0", "shared-mime-info"]', text)

    def test_of_names(self):
        self.project(["tzdata"])
        answer = json.loads(self.veneer("packages", "libpango-1.0-0", "fonts-dejavu-core", "share-mime-info", "--platform", "linux/amd64", "--json", code=4).stdout)
        self.assertEqual(answer["findings"], [])
        self.assertEqual([(row["verdict"], row["instead"]) for row in answer["packages"]], [("runs", []), ("runs", []), ("unknown", ["shared-mime-info"])])
        self.assertIn("did you mean shared-mime-info?", self.veneer("packages", "share-mime-info", "--platform", "linux/amd64", code=4).stdout)
        self.assertIn("no suite sid for", self.veneer("packages", "apt", "--suite", "sid", code=4).stderr)
        self.veneer("packages", "a;b", code=2)

    def test_what_there_is_not(self):
        self.assertIn("no pyproject.toml here", self.veneer("packages", code=2).stderr)


OWNERS_LIST = ["build-essential", "git", "gnupg2", "pkg-config", "curl", "cron", "libcairo2", "libcairo2-dev", "libpango-1.0-0", "libpangocairo-1.0-0",
               "libpangoft2-1.0-0", "libpango1.0-dev", "libgdk-pixbuf-2.0-0", "libgdk-pixbuf-2.0-dev", "shared-mime-info", "fonts-liberation",
               "fonts-dejavu", "postgresql-client", "libpq-dev", "libffi-dev", "libssl-dev"]

if os.environ.get("VENEER_TEST_ALL"):
    class DebiansOwnArchive(fixtures.SystemTest):
        def simulated(self, names: list[str]) -> set[str]:
            """What apt itself would install into an empty root."""
            apt = self.folder / "apt"
            for place in ("state/lists/partial", "cache/archives/partial", "etc/sources.list.d", "etc/preferences.d", "etc/apt.conf.d", "etc/trusted.gpg.d"):
                (apt / place).mkdir(parents=True, exist_ok=True)
            (apt / "status").touch()
            mirror = (fixtures.mirror() or ["http://deb.debian.org/debian"])[0]
            lines = [f"deb [trusted=yes] {mirror} bookworm main", f"deb [trusted=yes] {mirror} bookworm-updates main"]
            if not fixtures.mirror():
                lines.append("deb [trusted=yes] http://deb.debian.org/debian-security bookworm-security main")
            (apt / "etc/sources.list").write_text("\n".join(lines) + "\n")
            options = [f"-oDir::State={apt}/state", f"-oDir::State::status={apt}/status", f"-oDir::Cache={apt}/cache", f"-oDir::Etc={apt}/etc",
                       "-oAPT::Architecture=amd64", "-oAPT::Architectures=amd64", "-oAPT::Sandbox::User=root", "-oAPT::Install-Recommends=false"]
            subprocess.run(["apt-get", *options, "-qq", "update"], check=True, capture_output=True)
            required = [line.split()[1] for line in subprocess.run(["apt-cache", *options, "dumpavail"], check=True, capture_output=True, text=True).stdout.split("\n\n")
                        if "\nPriority: required" in line or "\nEssential: yes" in line]
            wanted = sorted({*required, "apt", "ca-certificates", "netbase", "python3", "tzdata", *names} - {"usrmerge"})
            said = subprocess.run(["apt-get", *options, "-s", "-y", "install", *wanted, "usrmerge-"], check=True, capture_output=True, text=True).stdout
            return {line.split()[1].split(":")[0] for line in said.splitlines() if line.startswith("Inst ")}

        def test_it_is_what_apt_takes(self):
            answer = self.json("packages", *OWNERS_LIST, "--suite", "bookworm", "--platform", "linux/amd64", "--json")
            root = self.simulated([])
            told = {name for row in answer["packages"] for name in [row["name"], *row["brings"]] if row["verdict"] in ("runs", "builds")}
            self.assertEqual(told, self.simulated(OWNERS_LIST) - root)
            self.assertEqual(answer["base"]["packages"], len(root))
            before, after = (answer["base"]["installed"] + answer[part]["installed"] for part in ("list", "kept"))
            print(f"the owners' list: {before / 1e6:.0f} MB, {answer['list']['packages']} packages; after: {after / 1e6:.0f} MB, {answer['proposal']}", flush=True)
            self.image_of(answer["proposal"])

        def image_of(self, packages: list[str]) -> None:
            """With Python, as its files are: documentation and translations, which their makers count, stay out of it."""
            project = self.folder / "owners"
            project.mkdir()
            mirror = f'mirror = "{fixtures.mirror()[0]}"\n' if fixtures.mirror() else ""
            (project / "main.py").write_text("print()\n")
            (project / "pyproject.toml").write_text(
                '[project]\nname = "owners"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n[tool.veneer]\nbase = "debian:bookworm"\n'
                f'[tool.veneer.image]\ncmd = ["python", "main.py"]\n[tool.veneer.system]\n{mirror}packages = {json.dumps(sorted(packages))}\n')
            subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=self.environment())
            self.veneer("build", "--no-lock-file", cwd=project)
            layers = [layer["contents"] for layer in self.json("inspect", "--contents", "--json", cwd=project)["layers"]]
            size = sum(layer["file_bytes"] for layer in layers)
            print(f"an image of them, with Python: {size / 1e6:.0f} MB", flush=True)
            self.assertLessEqual(size, 250e6)
            for layer in layers[:3]:
                self.assertEqual(sum(row["bytes"] for row in layer["packages"]), layer["file_bytes"])
                ownerless = sum(row["bytes"] for row in layer["packages"] if row["package"] is None)
                self.assertLess(ownerless, layer["file_bytes"] / 20)


def debian_urls(layer_tar: bytes) -> list[str]:
    import io
    import tarfile
    from urllib.parse import quote
    with tarfile.open(fileobj=io.BytesIO(layer_tar)) as tar:
        members = {member.name.removeprefix("./"): member for member in tar}
        text = tar.extractfile(members["var/lib/dpkg/status"]).read().decode()
        release = tar.extractfile(members["usr/lib/os-release"]).read().decode()
    version = next(line.split("=")[1].strip('"') for line in release.splitlines() if line.startswith("VERSION_ID="))
    urls = []
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Status", "").endswith(" installed"):
            urls.append(f"pkg:deb/debian/{quote(fields['Package'], safe='~')}@{quote(fields['Version'], safe=':~')}?arch={fields['Architecture']}&distro=debian-{version}")
    return urls


if __name__ == "__main__":
    fixtures.main()
