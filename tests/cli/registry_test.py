#!/usr/bin/env python3
"""Images of registries: how they are named and read, who one is there, what a hostile one can do."""

import base64
import gzip
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import odd_registry  # noqa: E402
import real_registry  # noqa: E402
import tiny_image  # noqa: E402
from made_images import layer, make_image  # noqa: E402
from registry_images import DOCKER_INDEX, INDEX, encode, put_image  # noqa: E402

CANARY = "c4nary-of-a-password"
REPOSITORY = "team/app"
EVERYTHING = bool(os.environ.get("VENEER_TEST_ALL"))


class Registries(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.registry = odd_registry.OddRegistry()
        self.addCleanup(self.registry.close)
        self.name = f"{self.registry.address}/{REPOSITORY}:1"
        self.image = put_image(self.registry, REPOSITORY, "1", {"a": "one", "b": "two"})

    def home(self, name: str, text: str) -> None:
        path = self.folder / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def log_in(self, user: str = "ada", password: str = CANARY, **settings) -> None:
        entry = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        self.home(".docker/config.json", json.dumps({"auths": {self.registry.address: entry}} | settings))

    def manifest_of(self, name: str, code: int = 0, **environment: str):
        result = self.veneer("inspect", name, "--json", code=code, **environment)
        self.assertNotIn(CANARY, result.stdout + result.stderr)
        return json.loads(result.stdout)["manifest"] if code == 0 else result.stderr

    def fresh(self) -> None:
        """Nothing is cached and nothing was asked."""
        fixtures.shutil.rmtree(self.cache, ignore_errors=True)
        self.registry.requests.clear()

    def test_names(self):
        digest = self.image["digest"]
        for name in (self.name, f"registry:{self.name}", f"registry:{self.registry.address}/{REPOSITORY}@{digest}", f"{self.name}@{digest}"):
            with self.subTest(name):
                self.assertEqual(self.manifest_of(name), digest)
        said = self.veneer("inspect", self.name).stderr
        self.assertIn(f"{self.name} is registry:{self.name}", said)
        self.assertIn("has no image", self.manifest_of(self.name + "2", code=4))
        self.assertIn("has no image", self.manifest_of(f"registry:{self.registry.address}/none:1", code=4))

    def test_reading_is_lazy_and_kept(self):
        put_image(self.registry, REPOSITORY, "2", {"a": "one", "b": "new"})
        self.registry.requests.clear()
        self.veneer("compare", self.name, f"{self.registry.address}/{REPOSITORY}:2")
        fetched = [one.path for one in self.registry.sent("GET", kind="blobs")]
        self.assertEqual(len(fetched), 2, fetched)  # the configurations
        self.registry.requests.clear()
        self.manifest_of(self.name)
        self.registry.requests.clear()
        self.manifest_of(self.name)
        self.assertEqual([one.path for one in self.registry.besides_auth()], [f"/v2/{REPOSITORY}/manifests/1"])

    def test_platforms_and_attestations(self):
        # inspektor-gadget/inspektor-gadget#5494
        arm = put_image(self.registry, REPOSITORY, "arm", {"a": "arm"}, "arm64")
        attestation = dict(put_image(self.registry, REPOSITORY, "proof", {"a": "proof"}), platform={"os": "unknown", "architecture": "unknown"})
        for media_type in (INDEX, DOCKER_INDEX):
            index = encode({"schemaVersion": 2, "mediaType": media_type, "manifests": [attestation, arm, self.image]})
            self.registry.put_manifest(REPOSITORY, "all", index, media_type)
            alone = encode({"schemaVersion": 2, "mediaType": media_type, "manifests": [attestation, arm]})
            self.registry.put_manifest(REPOSITORY, "one", alone, media_type)
            self.assertEqual(self.manifest_of(f"{self.registry.address}/{REPOSITORY}:one"), arm["digest"])
            everything = f"{self.registry.address}/{REPOSITORY}:all"
            self.assertEqual(self.manifest_of(everything), self.image["digest"])  # this machine's
            self.assertEqual(self.json("inspect", everything, "--platform", "linux/arm64", "--json")["manifest"], arm["digest"])
            self.assertIn("linux/arm64", self.veneer("inspect", everything, "--platform", "linux/s390x", code=4).stderr)
        self.veneer("inspect", "--platform", "linux/arm64", code=2)
        docker = put_image(self.registry, REPOSITORY, "docker", {"a": "one"}, docker=True)
        self.assertEqual(self.manifest_of(f"{self.registry.address}/{REPOSITORY}:docker"), docker["digest"])
        self.registry.put_manifest(REPOSITORY, "old", encode({"schemaVersion": 1, "fsLayers": []}), "application/vnd.docker.distribution.manifest.v1+prettyjws")
        self.assertIn("schema 1", self.manifest_of(f"{self.registry.address}/{REPOSITORY}:old", code=3))

    def test_logins(self):
        quirks = self.registry.quirks
        quirks.users = {"ada": CANARY}
        for quirks.asks_for_tokens in (False, True):
            with self.subTest(tokens=quirks.asks_for_tokens):
                (self.folder / "home/.docker/config.json").unlink(missing_ok=True)
                self.fresh()
                self.assertIn(f"docker login {self.registry.address}", self.manifest_of(self.name, code=5))
                self.log_in(password="wr0ng-one")
                self.assertNotIn("wr0ng", self.manifest_of(self.name, code=5))
                self.log_in()
                self.fresh()
                self.assertEqual(self.manifest_of(self.name), self.image["digest"])
                self.assertEqual(len([one for one in self.registry.requests if one.path == "/token"]), int(quirks.asks_for_tokens))
                # podman's files, and the one that is named, which alone is read then
                (self.folder / "home/.docker/config.json").rename(self.folder / "named.json")
                self.assertEqual(self.manifest_of(self.name, REGISTRY_AUTH_FILE=str(self.folder / "named.json")), self.image["digest"])
                self.home(".config/containers/auth.json", (self.folder / "named.json").read_text())
                self.assertEqual(self.manifest_of(self.name), self.image["digest"])
                (self.folder / "home/.config/containers/auth.json").unlink()
        self.home(".docker/config.json", json.dumps({"auths": {self.registry.address: {"identitytoken": CANARY}}}))
        self.fresh()
        self.assertEqual(self.manifest_of(self.name), self.image["digest"])
        self.assertEqual([one.method for one in self.registry.requests if one.path == "/token"], ["POST"])

    def test_credential_helpers(self):
        # google/go-containerregistry#233, gardener/cc-utils#1677
        programs = self.folder / "bin"
        programs.mkdir()
        path = f"{programs}:{fixtures.os.environ['PATH']}"

        def helper(text: str) -> None:
            (programs / "docker-credential-try-1").write_text(f"#!/bin/sh\n{text}\n")
            (programs / "docker-credential-try-1").chmod(0o755)

        says = json.dumps({"ServerURL": "", "Username": "ada", "Secret": CANARY})
        for settings in ({"credsStore": "try-1"}, {"credHelpers": {self.registry.address: "try-1"}}):
            with self.subTest(settings):
                self.home(".docker/config.json", json.dumps(settings))
                quirks = self.registry.quirks
                quirks.asks_for_tokens, quirks.users = True, {}
                helper("cat >/dev/null; echo credentials not found in native keychain; exit 1")
                self.assertEqual(self.manifest_of(self.name, PATH=path), self.image["digest"])  # anonymous
                quirks.users = {"ada": CANARY}
                for text, said in ((f"echo '{says}' >&2; exit 3", "fails (exit code 3)"), (f"echo 'rubbish {CANARY}'", "prints something else than credentials"),
                                   (f"yes {CANARY}", "prints too much"), ("kill -9 $$", "fails")):
                    helper("cat >/dev/null; " + text)
                    error = self.manifest_of(self.name, code=1, PATH=path)
                    self.assertIn("docker-credential-try-1 " + said, error)
                    self.assertIn("hint:", error)
                helper(f"grep -qx '{self.registry.address}' && echo '{says}'")
                self.assertEqual(self.manifest_of(self.name, PATH=path), self.image["digest"])
                quirks.users = {}
                (programs / "docker-credential-try-1").unlink()
                self.assertIn("is not there", self.manifest_of(self.name, code=1, PATH=path))
        for name in ("../evil", "Upper", "a b", ""):
            self.home(".docker/config.json", json.dumps({"credHelpers": {self.registry.address: name}}))
            self.assertIn("no name of a credential helper", self.manifest_of(self.name, code=3, PATH=path))

    def test_tokens_that_end(self):
        # aws/containers-roadmap#2835
        quirks = self.registry.quirks
        quirks.asks_for_tokens = True
        quirks.refuses_tokens = True  # a fresh one is answered 400: not tried again
        self.manifest_of(self.name, code=5)
        self.assertEqual(len([one for one in self.registry.requests if one.path == "/token"]), 1)

    def elsewhere(self) -> odd_registry.OddRegistry:
        other = odd_registry.OddRegistry("127.0.0.2")
        self.addCleanup(other.close)
        return other

    def test_credentials_stay_with_the_registry(self):
        other = self.elsewhere()
        quirks = self.registry.quirks
        quirks.users = {"ada": CANARY}
        self.log_in()
        for name, data in list(self.registry.blobs.items()):
            other.put_blob(REPOSITORY, data)
        other.put_manifest(REPOSITORY, "1", self.registry.manifests[REPOSITORY]["1"][1])

        def away(asked, answer):
            if (asked.is_for("blobs") or asked.is_for("manifests")) and answer.status == 200:
                return odd_registry.Answer(307, {"Location": f"http://{other.address}{asked.path}"})
            return None

        for quirks.asks_for_tokens in (False, True):
            self.fresh()
            self.registry.alter = away
            self.assertEqual(self.manifest_of(self.name), self.image["digest"])
        self.assertEqual({kind for one in other.requests for kind in ("blobs", "manifests") if one.is_for(kind)}, {"blobs", "manifests"})
        for asked in other.requests:
            self.assertNotIn("authorization", asked.headers)
            self.assertNotIn(CANARY, str(asked))
        # A challenge of the other host is none of ours.
        other.quirks.users = {"ada": CANARY}
        other.requests.clear()
        self.fresh()
        self.manifest_of(self.name, code=5)
        for asked in other.requests:
            self.assertNotIn("authorization", asked.headers)

    def test_realms(self):
        quirks = self.registry.quirks
        quirks.users, quirks.asks_for_tokens = {"ada": CANARY}, True
        self.log_in()
        for realm, said in (("ftp://127.0.0.1/token", "which is no"), ("file:///etc/passwd", "no https address"),
                            ("http://me:too@127.0.0.1:1/token", "user of its own"), ("", "no address"), ("token", "")):
            quirks.realm = realm
            if realm:
                self.assertIn(said, self.manifest_of(self.name, code=None if realm == "token" else 3, ) if realm != "token" else said)
        # A realm that sends its users on does not send their secrets.
        other = self.elsewhere()
        quirks.realm = f"http://{self.registry.address}/token"
        self.registry.alter = lambda asked, answer: odd_registry.Answer(307, {"Location": f"http://{other.address}/token"}) if asked.path == "/token" else None
        self.manifest_of(self.name, code=5)
        self.assertEqual(other.requests, [])

    def test_a_realm_in_the_clear(self):
        """A registry elsewhere whose challenge, over TLS that holds, sends its users to http."""
        authority = real_registry.Authority(self.folder / "authority")
        registry = odd_registry.OddRegistry(real_registry.FAR_HOST, context=authority.context())
        self.addCleanup(registry.close)
        other = self.elsewhere()
        put_image(registry, REPOSITORY, "1", {"a": "one"})
        registry.quirks.users, registry.quirks.asks_for_tokens = {"ada": CANARY}, True
        registry.quirks.realm = f"http://{other.address}/token"
        entry = {"auth": base64.b64encode(f"ada:{CANARY}".encode()).decode()}
        self.home(".docker/config.json", json.dumps({"auths": {registry.address: entry}}))
        layout = make_image(self.folder / "image", [layer("a")])
        for words in (("inspect", f"{registry.address}/{REPOSITORY}:1"), ("push", f"oci:{layout}", f"{registry.address}/{REPOSITORY}:2")):
            with self.subTest(words[0]):
                refused = self.veneer(*words, "--ca", authority.ca, code=3)
                self.assertIn(f"{registry.address} sends its users to http://{other.address}/token, which is not encrypted", refused.stderr)
                self.assertNotIn(CANARY, refused.stdout + refused.stderr)
        self.assertEqual(other.requests, [])
        self.assertTrue(registry.requests)
        self.assertNotIn(CANARY, str(registry.requests))
        # The same registry with a service over TLS is answered.
        registry.quirks.realm = None
        self.veneer("inspect", f"{registry.address}/{REPOSITORY}:1", "--ca", authority.ca)

    def test_hostile_answers(self):
        """Each answer altered once: refused by name, and nothing of it is kept."""
        other = put_image(self.registry, REPOSITORY, "other", {"a": "other"})
        other_manifest = self.registry.manifests[REPOSITORY]["other"][1]
        good = self.registry.manifests[REPOSITORY]["1"][1]
        config = json.loads(good)["config"]

        def document(data: bytes, media_type: str = tiny_image.MANIFEST, **headers):
            return lambda asked, answer: odd_registry.Answer(200, {"Content-Type": media_type, **headers}, data) if asked.is_for("manifests") else None

        def blob(change):
            return lambda asked, answer: change(answer) if asked.is_for("blobs") else None

        def changed(**values) -> bytes:
            return encode(json.loads(good) | values)

        named = {"Docker-Content-Digest": self.image["digest"]}
        cases = [
            ("digest of the manifest", document(other_manifest, **named), 6, "content of"),
            ("another algorithm", document(good, **{"Docker-Content-Digest": "sha512:" + "0" * 128}), 3, "sha512"),
            ("media type", document(good, INDEX), 3, ""),
            ("not JSON", document(b"<html>"), 3, "JSON"),
            ("deep JSON", document(b"[" * 100_000 + b"]" * 100_000), 3, "64 levels"),
            ("two at once", document(changed(manifests=[])), 3, ""),
            ("size of the configuration", document(changed(config=config | {"size": config["size"] + 1})), 6, "promised"),
            ("huge configuration", document(changed(config=config | {"size": 1 << 40})), 3, "not accepted"),
            ("negative size", document(changed(config=config | {"size": -1})), 3, ""),
            ("gzip bomb of a manifest", document(gzip.compress(bytes(1 << 20)) * 400, **{"Content-Encoding": "gzip"}), 3, ""),
            ("endless manifest", document(odd_registry.endless()), 3, "more than"),
            ("blob of another digest", blob(lambda answer: odd_registry.Answer(200, {}, answer.body[:-1] + b"!")), 6, "instead of"),
            ("short blob", blob(lambda answer: odd_registry.Answer(200, {}, answer.body[:-1])), 6, "promised"),
            ("long blob", blob(lambda answer: odd_registry.Answer(200, {}, answer.body + b" ")), 6, "more than"),
            ("endless blob", blob(lambda answer: odd_registry.Answer(200, {}, odd_registry.endless(b" " * 65536))), 6, "more than"),
            ("gzip bomb", blob(lambda answer: odd_registry.Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(1 << 20)))), 6, ""),
            ("endless refusal", lambda asked, answer: odd_registry.Answer(404, {}, odd_registry.endless()) if asked.is_for("blobs") else None, 3, "more than"),
            ("no blob", blob(lambda answer: odd_registry.error(404, "BLOB_UNKNOWN")), 4, "no blob"),
            ("a loop of redirects", blob(lambda answer: odd_registry.Answer(302, {"Location": f"http://{self.registry.address}/v2/team/app/blobs/x"})), None, "redirects more than"),
            ("a redirect to a file", blob(lambda answer: odd_registry.Answer(302, {"Location": "file:///etc/passwd"})), 3, "not followed"),
        ]
        for what, self.registry.alter, code, said in cases:
            with self.subTest(what):
                self.fresh()
                error = self.manifest_of(self.name, code=code) if code else self.veneer("inspect", self.name, code=None).stderr
                self.assertIn("error:", error)
                self.assertIn(said, error)
                kept = self.cache / "veneer" / "registry-blobs"
                for path in kept.glob("[0-9a-f]*"):
                    self.assertEqual("sha256:" + path.name, odd_registry.digest_of(path.read_bytes()))
        self.assertNotEqual(other["digest"], self.image["digest"])

    def test_a_layer_that_is_cut_goes_on(self):
        text = "".join(f"{number:x}" for number in range(600_000))
        put_image(self.registry, REPOSITORY, "big", {"a": text})
        name = f"{self.registry.address}/{REPOSITORY}:big"
        layer = json.loads(self.registry.manifests[REPOSITORY]["big"][1])["layers"][0]

        def half(asked, answer):
            if not asked.path.endswith(layer["digest"]):
                return None
            return odd_registry.Answer(answer.status, answer.headers | {"Connection": "close"}, answer.body[:(len(answer.body) + 1) // 2], length=len(answer.body))

        self.registry.alter = half
        self.veneer("inspect", name, "--tree", code=None)
        asked = [one.headers.get("range") for one in self.registry.sent("GET", kind="blobs") if one.path.endswith(layer["digest"])]
        self.assertGreater(len(asked), 1)
        starts = [int(one.removeprefix("bytes=").rstrip("-")) if one else 0 for one in asked]
        self.assertEqual(starts, sorted(set(starts)), "nothing is fetched twice")
        self.registry.alter = lambda asked, answer: None
        self.registry.requests.clear()
        self.veneer("inspect", name, "--tree", "--json")
        asked = [one.headers.get("range") for one in self.registry.sent("GET", kind="blobs") if one.path.endswith(layer["digest"])]
        self.assertLessEqual(len(asked), 1)

    def test_mirrors(self):
        other = self.elsewhere()
        image = put_image(other, "library/python", "3.13-slim", {"a": "mirrored"})
        project = self.folder / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text(f'[tool.veneer.registries."docker.io"]\nmirror = ["http://127.0.0.1:1", "http://{other.address}"]\n')
        self.log_in()
        self.home(".docker/config.json", json.dumps({"auths": {name: {"auth": base64.b64encode(f"ada:{CANARY}".encode()).decode()}
                                                               for name in (other.address, "https://index.docker.io/v1/")}}))
        other.quirks.asks_for_tokens = True
        found = self.veneer("inspect", "registry:python:3.13-slim", "--json", cwd=project)
        self.assertEqual(json.loads(found.stdout)["manifest"], image["digest"])
        self.assertIn("the mirror 127.0.0.1:1 is passed over", found.stderr)
        for asked in other.requests:
            self.assertFalse(asked.headers.get("authorization", "").startswith("Basic"), "no credentials for a mirror")
        # podman's file; a prefix of its own
        image = put_image(other, "hub/library/python", "3.13-slim", {"a": "by podman's file"})
        self.home(".config/containers/registries.conf", f'[[registry]]\nprefix = "docker.io"\n[[registry.mirror]]\nlocation = "{other.address}/hub"\ninsecure = true\n')
        self.assertEqual(self.manifest_of("registry:python:3.13-slim"), image["digest"])
        self.home(".config/containers/registries.conf", '[[registry]]\nlocation = "docker.io"\nblocked = true\n')
        self.assertIn("registries.conf blocks", self.manifest_of("registry:python:3.13-slim", code=3))

    def test_a_base_by_name(self):
        """From behind a well-known name; its layers are its own blobs, and the image equals the one built on the layout."""
        layout = fixtures.debian_base()
        for path in (layout / "blobs" / "sha256").iterdir():
            self.registry.put_blob("library/python", path.read_bytes())
        entry = json.loads((layout / "index.json").read_text())["manifests"][0]
        manifest = (layout / "blobs" / "sha256" / entry["digest"].removeprefix("sha256:")).read_bytes()
        self.registry.put_manifest("library/python", "3.11-slim", manifest)
        project = self.folder / "project"
        project.mkdir()
        (project / "main.py").write_text("print('hi')\n")
        (project / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\n[tool.veneer]\nbase = "python:3.11-slim"\n'
            f'[tool.veneer.registries."docker.io"]\nmirror = ["{self.registry.address}"]\n')
        (project / "uv.lock").write_text('version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "shop"\nversion = "1.0"\n'
                                         'source = { virtual = "." }\n')

        def build(*options: str) -> dict:
            return self.json("build", *options, "-o", f"oci:{self.folder}/out", "--json", cwd=project, SOURCE_DATE_EPOCH=str(fixtures.FIRST_COMMIT_TIME), CI="")

        built = build()
        layer = json.loads(manifest)["layers"][0]["digest"]
        self.assertIn(layer, json.dumps(self.json("inspect", f"oci:{self.folder}/out", "--json")["layers"][0]))
        self.registry.requests.clear()
        self.assertEqual(build()["manifest"], built["manifest"])
        self.assertEqual(self.registry.requests, [], "it is pinned, and here")
        on_layout = build("--base", f"oci:{layout}")  # of another name, which its labels say
        self.assertEqual([one["digest"] for one in on_layout["layers"]], [one["digest"] for one in built["layers"]])

        # veneer.lock pins it: the tag moves, the build does not; `base update` does.
        lock = (project / "veneer.lock").read_text()
        self.assertIn('kind = "registry"', lock)
        self.assertIn(f'manifest = "{entry["digest"]}"', lock)
        moved = json.loads(manifest) | {"annotations": {"moved": "yes"}}
        index = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{
            "mediaType": tiny_image.MANIFEST, "digest": self.registry.put_manifest("library/python", "moved", encode(moved)), "size": len(encode(moved)),
            "platform": {"os": "linux", "architecture": "amd64"}}]})
        self.registry.put_manifest("library/python", "3.11-slim", index, INDEX)
        fixtures.shutil.rmtree(self.cache / "veneer" / "registry-blobs")  # the tree of the layers stays
        self.registry.requests.clear()
        self.assertEqual(build("--locked")["manifest"], built["manifest"])
        asked = [one.path for one in self.registry.besides_auth()]
        self.assertIn(f"/v2/library/python/manifests/{entry['digest']}", asked)
        self.assertNotIn("/v2/library/python/manifests/3.11-slim", asked)
        self.veneer("base", "update", cwd=project, CI="")
        changed = (project / "veneer.lock").read_text()
        self.assertIn(f'index = "{odd_registry.digest_of(index)}"', changed)
        self.assertIn(f'manifest = "{odd_registry.digest_of(encode(moved))}"', changed)
        # What is pinned and gone is refused where the lock is to hold.
        name = f"{self.registry.address}/library/python:3.11-slim"
        settings = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(settings.replace('"python:3.11-slim"', f'"{name}"').replace("[tool.veneer.registries", "[tool.other"))
        (project / "veneer.lock").write_text(lock.replace('"python:3.11-slim"', f'"{name}"'))
        self.registry.manifests["library/python"].pop(entry["digest"])
        fixtures.shutil.rmtree(self.cache / "veneer" / "registry-blobs")
        self.assertIn("image sha256:", self.veneer("build", "--locked", cwd=project, code=3, CI="").stderr)

    def test_certificates(self):
        authority = real_registry.Authority(self.folder / "authority")
        context = authority.context()
        context.load_verify_locations(authority.ca)
        context.verify_mode = real_registry.ssl.CERT_REQUIRED
        registry = odd_registry.OddRegistry(context=context)
        self.addCleanup(registry.close)
        image = put_image(registry, REPOSITORY, "1", {"a": "one"})
        name = f"{registry.address}/{REPOSITORY}:1"
        self.assertIn("--ca FILE", self.manifest_of(name, code=5))
        self.assertIn("there is no file", self.veneer("inspect", name, "--ca", self.folder / "none.crt", code=2).stderr)
        place = self.folder / "home/.config/containers/certs.d" / registry.address
        place.mkdir(parents=True)
        for source, target in ((authority.ca, "ca.crt"), (authority.certificate, "client.cert"), (authority.key, "client.key")):
            (place / target).write_bytes(source.read_bytes())
        self.assertEqual(self.manifest_of(name), image["digest"])

    def test_an_authority_that_is_named(self):
        authority = real_registry.Authority(self.folder / "authority")
        registry = odd_registry.OddRegistry(context=authority.context())
        self.addCleanup(registry.close)
        image = put_image(registry, REPOSITORY, "1", {"a": "one"})
        name = f"{registry.address}/{REPOSITORY}:1"
        other = real_registry.Authority(self.folder / "other").ca
        self.veneer("inspect", name, code=5)
        self.assertEqual(self.json("inspect", name, "--ca", authority.ca, "--json")["manifest"], image["digest"])
        project = self.folder / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text(f'[tool.veneer.registries."{registry.address}"]\nca = "../authority/{authority.ca.name}"\n')
        self.assertEqual(self.json("inspect", name, "--json", cwd=project)["manifest"], image["digest"])
        self.assertIn("--ca FILE", self.veneer("inspect", name, "--ca", other, cwd=project, code=5).stderr)
        authority.make_ended()
        registry = odd_registry.OddRegistry(context=authority.context())
        self.addCleanup(registry.close)
        self.assertIn("must renew its certificate", self.veneer("inspect", f"{registry.address}/a:1", "--ca", authority.ca, code=5).stderr)

    def test_what_does_not_answer(self):
        """Each is tried five times, which takes its time: all of them with --all."""
        layout = make_image(self.folder / "image", [layer("a")])
        plain = self.registry.address.replace("127.0.0.1", "0.0.0.0")  # not known to be this machine's
        cases = [(f"{plain}/{REPOSITORY}:1", f"--insecure {plain}"), ("127.0.0.1:1/team/app:1", "is the port right"), ("nobody.invalid/team/app:1", "is it written right")]
        for name, hint in cases if EVERYTHING else cases[:1]:
            with self.subTest(name):
                self.assertIn(hint, self.veneer("inspect", name, code=5).stderr)
                if EVERYTHING:
                    self.assertIn(hint, self.veneer("push", f"oci:{layout}", name, code=5).stderr)
        self.assertEqual(self.json("inspect", f"{plain}/{REPOSITORY}:1", "--insecure", plain, "--json")["manifest"], self.image["digest"])


class RealRegistry(fixtures.SystemTest):
    def test_tls_and_tokens_of_another_host(self):
        """Debian's docker-registry, which answers in HTTP/2; its content is put there before it asks for tokens."""
        authority = real_registry.Authority(self.folder / "authority")
        open_to_all = real_registry.RealRegistry(self.folder / "registry")
        made = odd_registry.OddRegistry()
        self.addCleanup(made.close)
        image = put_image(made, REPOSITORY, "1", {"a": "one", "b": "two"})
        for digest, data in made.blobs.items():
            connection = open_to_all.connection()
            connection.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/", headers={"Content-Length": "0"})
            answer = connection.getresponse()
            answer.read()
            location = answer.headers["Location"]
            connection.request("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", body=data)
            self.assertEqual(connection.getresponse().status, 201)
        connection = open_to_all.connection()
        connection.request("PUT", f"/v2/{REPOSITORY}/manifests/1", body=made.manifests[REPOSITORY]["1"][1], headers={"Content-Type": tiny_image.MANIFEST})
        self.assertEqual(connection.getresponse().status, 201)
        open_to_all.close()

        tokens = real_registry.TokenServer(authority, users={"ada": CANARY}, over_tls=True)
        self.addCleanup(tokens.close)
        registry = real_registry.RealRegistry(self.folder / "registry", authority, tokens=tokens)
        self.addCleanup(registry.close)
        name = f"{registry.address}/{REPOSITORY}:1"
        home = self.folder / "home/.docker/config.json"
        home.parent.mkdir(parents=True)
        home.write_text(json.dumps({"auths": {registry.address: {"auth": base64.b64encode(f"ada:{CANARY}".encode()).decode()}}}))
        found = self.veneer("inspect", name, "--tree", "--json", SSL_CERT_FILE=str(authority.ca))
        self.assertIn(image["digest"], self.veneer("inspect", name, "--json", SSL_CERT_FILE=str(authority.ca)).stdout)
        self.assertIn('"b"', found.stdout)
        self.assertEqual(tokens.asked[0], ("ada", [f"repository:{REPOSITORY}:pull"]))
        self.assertEqual(len(tokens.asked), 2, "one a run")
        log = (self.folder / "registry/log").read_text()
        self.assertIn("HTTP/2.0", log)
        self.assertNotIn(CANARY, log + found.stdout + found.stderr)


if __name__ == "__main__":
    fixtures.main()
