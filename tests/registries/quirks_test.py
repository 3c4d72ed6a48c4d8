#!/usr/bin/env python3
"""Pushes to a registry that has a quirk: one test each, against one odd registry."""

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import odd_registry  # noqa: E402
from made_images import digests, image_digest as manifest_digest, layer, make_image, manifest_of  # noqa: E402

MIB = 1 << 20
CANARY = "canary-c0ffee-secret"


class RegistryTest(fixtures.SystemTest):
    """One odd registry for all tests of a class, as new for each."""

    @classmethod
    def setUpClass(cls):
        cls.registry = odd_registry.OddRegistry()
        cls.addClassCleanup(cls.registry.close)

    def setUp(self):
        super().setUp()
        self.registry.reset()
        self.quirks = self.registry.quirks

    def image(self, *layers: bytes, name: str = "image", **options) -> Path:
        return make_image(self.folder / name, list(layers), **options)

    def push(self, layout: Path, *arguments, name: str = "team/app:1", code: int = 0, **environment):
        return self.veneer("push", f"oci:{layout}", f"{self.registry.address}/{name}", *arguments, code=code, **environment)

    def assert_pushed(self, layout: Path, repository: str = "team/app", tag: str = "1") -> None:
        digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
        self.assertEqual(self.registry.tag(repository, tag), digest)
        for blob in digests(layout):
            self.assertIn(blob, self.registry.held[repository])
            data = self.registry.blobs[blob]
            if isinstance(data, bytes):
                self.assertEqual(odd_registry.digest_of(data), blob)

    def log_in(self, user: str = "me", password: str = CANARY) -> None:
        self.quirks.users = {user: password}
        folder = self.folder / "home" / ".docker"
        folder.mkdir(parents=True, exist_ok=True)
        auth = odd_registry.base64.b64encode(f"{user}:{password}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {self.registry.address: {"auth": auth}}}))

    def methods(self) -> list[str]:
        return [one.method for one in self.registry.besides_auth()]


class Push(RegistryTest):
    def test_a_first_push(self):
        image = self.image(layer("a"), layer("b"))
        printed = self.push(image, "--also-tag", "latest").stdout
        self.assert_pushed(image)
        self.assert_pushed(image, tag="latest")
        self.assertIn("team/app:latest", printed)

    def test_the_same_image_again_sends_nothing(self):
        image = self.image(layer("a"))
        self.push(image)
        before = len(self.registry.requests)
        result = json.loads(self.push(image, "--json").stdout)
        self.assertEqual([one.method for one in self.registry.requests[before:] if one.path != "/v2/"], ["GET"])
        self.assertEqual(result["bytes_sent"], 0)

    def test_dry_run_sends_nothing_and_tells_the_plan(self):
        shared = layer("shared")
        self.push(self.image(shared, name="other"))
        self.push(self.image(layer("base"), name="base"), name="team/base:1")
        image = self.image(shared, layer("base"), layer("new"))
        before = len(self.registry.requests)
        plan = json.loads(self.push(image, "--dry-run", "--json", "--mount-from", "team/base").stdout)
        self.assertEqual([step["action"] for step in plan["steps"]], ["keep", "mount", "send"])
        self.assertEqual(plan["steps"][1]["repository"], "team/base")
        self.assertLessEqual({one.method for one in self.registry.requests[before:]}, {"GET", "HEAD"})
        sent = json.loads(self.push(image, "--json", "--mount-from", "team/base").stdout)["bytes_sent"]
        self.assertEqual(sent, plan["bytes"])
        self.assert_pushed(image)

    def test_more_than_allowed_is_not_sent(self):
        image = self.image(layer("a", MIB))
        for extra in ((), ("--dry-run",)):
            self.assertIn("are allowed", self.push(image, "--max-bytes", "500kB", *extra, code=10).stderr)
        self.assertEqual(self.registry.sent("POST", "PUT", "PATCH"), [])
        self.push(image, "--max-bytes", "2MB")

    def test_a_damaged_layer_is_not_pushed(self):
        image = self.image(layer("a"))
        blob = image / "blobs" / "sha256" / digests(image)[1].split(":")[1]
        blob.write_bytes(blob.read_bytes()[:-1] + b"x")
        self.push(image, code=6)
        self.assertIsNone(self.registry.tag("team/app", "1"))

    def test_a_registry_that_forgot_a_layer_gets_it(self):
        old = self.image(layer("a"), layer("b"), name="old")
        self.push(old)
        gone = digests(old)[1]
        self.registry.held["team/app"].discard(gone)
        image = self.image(layer("a"), layer("b"), layer("c"))
        self.push(image)
        self.assert_pushed(image)

    # GoogleContainerTools/kaniko#1680, podman-container-tools/skopeo#2525: many layers are asked for at once, and not read.
    def test_a_hundred_layers_that_are_there(self):
        image = self.image(*(layer(f"layer {number}") for number in range(100)))
        for digest in digests(image)[1:]:
            self.registry.put_blob("team/app", (image / "blobs" / "sha256" / digest.split(":")[1]).read_bytes())
            (image / "blobs" / "sha256" / digest.split(":")[1]).unlink()
        self.push(image)
        self.assertEqual(len(self.registry.sent("HEAD")), 100)
        self.assertLessEqual(len({one.connection for one in self.registry.sent("HEAD")}), 32)
        self.assert_pushed(image)

    # apple/container#1895: what a broken upload left is used.
    def test_cuts_cost_a_chunk_at_most(self):
        image = self.image(layer("a", 40 * MIB))
        size = manifest_of(image)["layers"][0]["size"]
        for forgets in (False, True):
            self.registry.reset()
            self.registry.quirks.forgets_cut_bytes = forgets
            self.registry.quirks.cuts = [5 * MIB, 21 * MIB, 33 * MIB]
            self.push(image)
            self.assert_pushed(image)
            self.assertEqual(len(self.registry.ended), 2)  # no upload was begun twice
            self.assertLessEqual(self.registry.uploaded, size + 3 * 16 * MIB)
            if not forgets:
                self.assertLess(self.registry.uploaded, size + MIB)

    def test_an_upload_that_the_registry_forgot_is_begun_again(self):
        image = self.image(layer("a", 3 * MIB))
        self.quirks.cuts, self.quirks.forgets_uploads = [MIB, 3 * MIB], True
        self.push(image)
        self.assert_pushed(image)

    def test_a_line_that_never_holds(self):
        image = self.image(layer("a", 3 * MIB))
        self.quirks.cuts, self.quirks.forgets_uploads = [MIB // 2 * number for number in range(1, 40)], True
        self.assertIn("connection lost", self.push(image, code=5).stderr)
        self.assertIsNone(self.registry.tag("team/app", "1"))

    # oras-project/rust-oci-client#35, ocx-sh/ocx#237
    def test_four_mebibytes_a_request(self):
        image = self.image(layer("a", 10 * MIB))
        self.quirks.most_per_request = 4 * MIB
        self.push(image)
        self.assert_pushed(image)
        refused = [one for one in self.registry.requests if one.status == 416]
        self.assertEqual(len(refused), 1)
        self.push(self.image(layer("b", 10 * MIB), name="second"))  # remembered
        self.assertEqual(len([one for one in self.registry.requests if one.status == 416]), 1)

    def test_a_body_that_is_too_large(self):
        image = self.image(layer("a", 10 * MIB))
        self.quirks.most_per_body = 5 * MIB
        self.push(image)
        self.assert_pushed(image)
        self.assertIn(413, [one.status for one in self.registry.requests])
        self.assertLessEqual(max(one.received for one in self.registry.sent("PATCH")), 5 * MIB)

    def test_a_registry_that_takes_less_of_a_chunk(self):
        image = self.image(layer("a", 20 * MIB))
        self.quirks.takes_at_most = 7 * MIB
        self.push(image)
        self.assert_pushed(image)

    def test_a_least_chunk(self):
        image = self.image(layer("a", 40 * MIB))
        self.quirks.least_chunk = 20 * MIB
        self.push(image)
        self.assertEqual([one.received >= 20 * MIB for one in self.registry.sent("PATCH")], [True, True, False][: len(self.registry.sent("PATCH"))])
        self.assert_pushed(image)

    # google/go-containerregistry#1393, moby/buildkit#3509, bazel-contrib/rules_img#712
    def test_mounts(self):
        base = self.image(layer("base"), name="base")
        self.push(base, name="team/base:1")
        self.registry.quirks.refuses_unknown_parameters = True
        image = self.image(layer("base"), layer("app"))
        for status in (None, 401, 403, 404, 202, 400, 405, 500):
            with self.subTest(status=status):
                self.registry.held.pop("team/app", None)
                self.registry.manifests.pop("team/app", None)
                self.registry.requests.clear()
                self.registry.quirks.mount = status
                self.push(image, "--mount-from", "team/base")
                self.assert_pushed(image)
                mounts = [one for one in self.registry.sent("POST") if "mount" in one.query]
                self.assertEqual([set(one.query) for one in mounts], [{"mount", "from"}])
                uploads = len(self.registry.sent("PUT", kind="blobs"))
                self.assertEqual(uploads, 2 if status is None else 3)
        self.registry.reset()
        self.push(image, "--no-mount")
        self.assertEqual([one for one in self.registry.sent("POST") if "mount" in one.query], [])

    # estesp/manifest-tool#53, moby/buildkit#2530: no rights where layers would come from.
    def test_a_mount_without_the_right(self):
        self.push(self.image(layer("base"), name="base"), name="team/base:1")
        image = self.image(layer("base"), layer("app"))
        self.quirks.asks_for_tokens = True
        self.log_in()
        for quirk in ({"last_scope_only": True}, {"unreadable": {"team/base"}}):
            with self.subTest(quirk=quirk):
                self.registry.held.pop("team/app", None)
                self.registry.manifests.pop("team/app", None)
                for name, value in quirk.items():
                    setattr(self.quirks, name, value)
                self.push(image, "--mount-from", "team/base")
                self.assert_pushed(image)

    # moby/moby#33558, docker/buildx#324
    def test_tokens_that_end(self):
        image = self.image(layer("a", 40 * MIB))
        self.quirks.asks_for_tokens = True
        self.log_in()
        for before in ("uploads", "manifests", "blobs"):
            with self.subTest(before=before):
                self.registry.held.clear()
                self.registry.manifests.clear()
                self.registry.ended.clear()
                self.quirks.expires_before = before
                self.push(image)
                self.assert_pushed(image)
                self.assertEqual(len(self.registry.ended), 2)

    def test_a_token_that_ends_in_an_upload(self):
        image = self.image(layer("a", 48 * MIB))
        self.quirks.asks_for_tokens = True
        self.log_in()
        chunks = []

        def expire(asked, answer):
            if asked.method == "PATCH" and answer.status == 202:
                chunks.append(asked)
                if len(chunks) == 2:  # the finished chunk is answered so
                    self.registry.tokens.clear()
                    return odd_registry.error(401, "UNAUTHORIZED", {"WWW-Authenticate": f'Bearer realm="http://{self.registry.address}/token",service="odd"'})
            return None

        self.registry.alter = expire
        self.push(image)
        self.assert_pushed(image)
        self.assertEqual(len(self.registry.ended), 2)

    # aws/containers-roadmap#2835
    def test_an_old_token_is_answered_400(self):
        image = self.image(layer("a"))
        self.quirks.asks_for_tokens = True
        self.log_in()
        self.quirks.refuses_tokens = True
        self.push(image, code=5)
        self.assertLessEqual(len(self.registry.sent("GET", kind="manifests")), 2)  # without a token, with a fresh one

    # docker/buildx#196
    def test_no_bodies_in_the_last_request(self):
        image = self.image(layer("a"), layer("b"))
        self.quirks.refuses_put_with_body = True
        self.push(image)
        self.assert_pushed(image)
        refused = len([one for one in self.registry.requests if one.method == "PUT" and one.status == 404])
        self.push(self.image(layer("c"), name="second"))
        self.assertEqual(len([one for one in self.registry.requests if one.method == "PUT" and one.status == 404]), refused)

    def test_no_chunks(self):
        image = self.image(layer("a", 40 * MIB))
        self.quirks.refuses_chunks = True
        self.push(image)
        self.assert_pushed(image)

    def test_busy(self):
        image = self.image(layer("a", MIB))
        self.quirks.busy = [(method, status, "0") for method in ("GET", "HEAD", "POST", "PUT") for status in (429, 503)]
        self.push(image)
        self.assert_pushed(image)

    def test_a_manifest_that_names_what_is_gone(self):
        self.push(self.image(layer("a"), layer("b"), name="old"))
        image = self.image(layer("a"), layer("c"))
        missing = digests(image)[1]
        told = []

        def lose(asked, answer):
            if asked.method == "PUT" and asked.is_for("manifests") and not told:
                told.append(asked)
                self.registry.held["team/app"].discard(missing)
                self.registry.manifests["team/app"].pop("1", None)
                return odd_registry.error(400, "MANIFEST_BLOB_UNKNOWN")
            return None

        self.registry.alter = lose
        self.push(image)
        self.assert_pushed(image)

    def test_a_repository_that_may_be_written_and_not_read(self):
        self.registry.alter = lambda asked, given: odd_registry.error(403, "DENIED") if asked.method in ("GET", "HEAD") and asked.path != "/v2/" else None
        image = self.image(layer("a"), layer("b"))
        self.push(image)
        self.assert_pushed(image)

    def test_kills_leave_the_old_image_or_the_new_one(self):
        old = self.image(layer("a"), name="old")
        self.push(old, "--also-tag", "latest")
        image = self.image(layer("a"), *(layer(f"new {number}") for number in range(3)))
        names = {json.loads((one / "index.json").read_text())["manifests"][0]["digest"] for one in (old, image)}
        for point in ("push-blob:1", "push-blob:2", "push-before-manifest", "push-tag:1", "push-tag:2"):
            self.push(image, "--also-tag", "latest", code=None, VENEER_FAIL_POINT=point)
            for tag in ("1", "latest"):
                self.assertIn(self.registry.tag("team/app", tag), names)
        self.push(image, "--also-tag", "latest")
        self.assert_pushed(image)
        self.assert_pushed(image, tag="latest")


if os.environ.get("VENEER_TEST_ALL"):

    class Slow(RegistryTest):
        # GoogleContainerTools/jib#4291
        def test_a_slow_answer_is_not_sent_into(self):
            image = self.image(layer("a", 20 * MIB))
            self.quirks.slow_patch = 10
            self.push(image, "--patience", "1")
            self.assert_pushed(image)
            self.assertEqual(self.registry.overlaps, 0)
            self.assertLessEqual(self.registry.uploaded, (20 + 16 + 1) * MIB)


        def test_thirty_cuts_of_one_layer(self):
            image = self.image(layer("a", 64 * MIB))
            size = manifest_of(image)["layers"][0]["size"]
            self.quirks.cuts = sorted(random.Random(16).sample(range(size), 30))
            self.push(image)
            self.assert_pushed(image)
            self.assertLess(self.registry.uploaded, size + 2 * MIB)

        # GoogleContainerTools/kaniko#1680, coder/envbuilder#459
        def test_a_layer_of_four_gibibytes(self):
            image = self.image(layer("a"))
            manifest = manifest_of(image)
            large = self.folder / "large"
            with open(large, "wb") as file:
                file.truncate(4 << 30)
            digest = subprocess.run(["sha256sum", large], check=True, capture_output=True, text=True).stdout.split()[0]
            blobs = image / "blobs" / "sha256"
            large.rename(blobs / digest)

            def write(document: dict) -> dict:
                data = json.dumps(document).encode()
                (blobs / odd_registry.digest_of(data).split(":")[1]).write_bytes(data)
                return {"digest": odd_registry.digest_of(data), "size": len(data)}

            config = json.loads((blobs / manifest["config"]["digest"].split(":")[1]).read_bytes())
            config["rootfs"]["diff_ids"] = [f"sha256:{digest}"]
            manifest["layers"] = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": f"sha256:{digest}", "size": 4 << 30}]
            manifest["config"] |= write(config)
            (image / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": odd_registry.MANIFEST, **write(manifest)}]}))
            self.quirks.keeps_bytes = False
            code, printed, memory = self.veneer_and_its_memory("push", f"oci:{image}", f"{self.registry.address}/team/app:1")
            self.assertEqual(code, 0, printed)
            self.assertLess(memory, 256 << 10)
            self.assertEqual(self.registry.blobs[f"sha256:{digest}"], 4 << 30)


class Hostile(RegistryTest):
    """Answers that are altered once."""

    def refused(self, alter, *words: str, code: tuple[int, ...] = (3, 5, 6), **options) -> str:
        self.registry.alter = alter
        image = self.image(layer("a"))
        result = self.push(image, code=None, **options)
        self.assertIn(result.returncode, code, result.stdout + result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertNotIn(CANARY, result.stdout + result.stderr)
        return result.stderr

    def on(self, method: str, kind: str, answer):
        return lambda asked, given: answer(asked, given) if asked.method == method and asked.is_for(kind) else None

    def test_another_digest(self):
        self.refused(self.on("PUT", "uploads", lambda _, given: odd_registry.Answer(given.status, given.headers | {"Docker-Content-Digest": "sha256:" + "0" * 64})), "0000", code=(6,))

    def test_a_range_beyond_what_was_sent(self):
        self.quirks.refuses_put_with_body = True
        self.refused(self.on("PATCH", "uploads", lambda _, given: odd_registry.Answer(given.status, given.headers | {"Range": "0-999999999"})), "were sent")

    def test_an_upload_without_a_place(self):
        self.refused(self.on("POST", "uploads", lambda _, given: odd_registry.Answer(202, {})), "does not say where")

    def test_an_upload_on_another_host(self):
        """It may be there, as cloud stores are, but no credential goes with it."""
        other = odd_registry.OddRegistry("127.0.0.2")
        self.addCleanup(other.close)
        self.log_in()
        self.refused(self.on("POST", "uploads", lambda _, given: odd_registry.Answer(202, given.headers | {"Location": f"http://{other.address}/v2/team/app/blobs/uploads/1"})), code=(4, 5))
        self.assertTrue(other.requests)
        self.assertEqual([one for one in other.requests if "authorization" in one.headers], [])

    def test_a_realm_elsewhere_in_the_clear(self):
        self.log_in()
        self.quirks.asks_for_tokens, self.quirks.realm = True, "http://192.0.2.1/token"
        environment = {"HTTP_PROXY": "", "http_proxy": f"http://{self.registry.address}"}
        self.push(self.image(layer("a")), code=None, **environment)
        for one in self.registry.requests:
            self.assertNotIn(CANARY, str(one))

    def test_an_endless_answer(self):
        for method, kind in (("GET", "manifests"), ("POST", "uploads"), ("PUT", "uploads")):
            with self.subTest(method=method):
                self.registry.alter = self.on(method, kind, lambda _, given: odd_registry.Answer(given.status if given.status < 300 else 200, given.headers, odd_registry.endless(), length=1 << 40))
                code, printed, memory = self.veneer_and_its_memory("push", f"oci:{self.image(layer('a'))}", f"{self.registry.address}/team/app:1")
                self.assertIn(code, (3, 5), printed)
                self.assertLess(memory, 120_000)

    def test_deep_json(self):
        self.refused(self.on("GET", "manifests", lambda *_: odd_registry.Answer(200, {"Content-Type": odd_registry.MANIFEST}, b"[" * 100_000)), code=(0, 3))

    def test_a_bomb_and_pages_without_end(self):
        """What says to be compressed is not inflated; what says that there is more is not asked for more."""
        bomb = gzip.compress(bytes(1 << 20)) * 400  # 400 MiB
        headers = {"Content-Type": odd_registry.MANIFEST, "Content-Encoding": "gzip"}
        for method, kind in (("GET", "manifests"), ("POST", "uploads"), ("PUT", "manifests")):
            with self.subTest(method=method):
                self.registry.alter = self.on(method, kind, lambda _, given: odd_registry.Answer(given.status if given.status < 300 else 200, given.headers | headers, bomb))
                code, printed, memory = self.veneer_and_its_memory("push", f"oci:{self.image(layer('a'))}", f"{self.registry.address}/team/app:{method.lower()}")
                self.assertIn(code, (0, 3, 5, 6), printed)
                self.assertLess(memory, 120_000)
        image = self.image(layer("a"), layer("b"))
        self.push(image, name="team/other:1")
        before = len(self.registry.besides_auth())
        self.registry.alter = lambda _, given: odd_registry.Answer(given.status, given.headers | {"Link": f'<{self.registry.scheme}://{self.registry.address}/v2/more>; rel="next"'}, given.body)
        self.push(image, name="team/other:2")
        self.veneer("inspect", f"{self.registry.address}/team/other:2", "--tree")
        self.assertLess(len(self.registry.besides_auth()) - before, 10)

    def test_a_registry_whose_disk_is_full(self):
        old = self.image(layer("a"), name="old")
        self.push(old)
        image = self.image(layer("a"), layer("b", 3 * MIB))
        self.quirks.busy = [("PUT", 507, None)] * 50
        self.assertIn("507", self.push(image, code=5).stderr)
        self.assertEqual(self.registry.tag("team/app", "1"), manifest_digest(old))
        self.quirks.busy = []
        self.push(image)
        self.assert_pushed(image)

    def test_no_digits_in_a_retry(self):
        self.quirks.busy = [("PUT", 503, "soon")]
        image = self.image(layer("a"))
        self.push(image)
        self.assert_pushed(image)


if __name__ == "__main__":
    fixtures.main()
