#!/usr/bin/env python3
"""`veneer init`: what it writes into projects of different shapes, what it leaves alone, and that what it wrote does what it says:
targets, commands of the page and steps of the workflow are run as they stand there."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import layouts  # noqa: E402
import real_registry  # noqa: E402
from made_images import image_digest  # noqa: E402
from workflows import steps_of  # noqa: E402

PLAN = fixtures.SOURCE / "tests" / "support" / "owners_plan"
WORKFLOW = ".github/workflows/image.yml"
BUILD_SYSTEM = '[build-system]\nrequires = ["uv_build>=0.8,<2"]\nbuild-backend = "uv_build"\n'


def package(name: str, version: str, size: int) -> str:
    digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    return (f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "https://index.example/simple" }}\n'
            f'wheels = [{{ url = "https://files.index.example/{name}-{version}-py3-none-any.whl", hash = "sha256:{digest}", size = {size} }}]\n\n')


def lock(project: str, big: str = "1", small: str = "1") -> str:
    project = project.lower().replace(".", "-")
    return ('version = 1\nrevision = 2\nrequires-python = ">=3.11"\n\n' + package("big", big, 1_000_000) + package("small", small, 1_000)
            + f'[[package]]\nname = "{project}"\nversion = "1.0"\nsource = {{ virtual = "." }}\n'
            'dependencies = [{ name = "big" }, { name = "small" }]\n')


class InitTest(fixtures.SystemTest):
    def project(self, folder: str, name: str = "shop", more: str = "", commit: bool = True) -> Path:
        """A project in git, with a lock that nobody needs to fetch."""
        path = self.folder / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1.0"  # ours\nrequires-python = ">=3.11"\n'
                                             f'dependencies = ["big", "small"]\n{more}')
        (path / "uv.lock").write_text(lock(name))
        (path / "main.py").write_text("print('hi')\n")
        if commit:
            fixtures.git(self.folder / folder.split("/")[0], "init", "-q", "-b", "main")
            fixtures.commit_all(path, "First")
        return path

    def states(self, path: Path, *words: str) -> dict:
        said = self.json("init", "--dry-run", "--json", *words, cwd=path)
        return {row["name"]: row["state"] for row in said["files"]}


class Init(InitTest):
    def test_a_plain_project(self):
        path = self.project("shop")
        fixtures.git(path, "remote", "add", "origin", "git@github.com:Acme/Shop.git")
        (path / "uv.lock").unlink()
        fixtures.commit_all(path, "A release before there was a lock: not in the table")
        fixtures.git(path, "tag", "v0")
        for tag, versions in (("v1", ("1", "1")), ("v2", ("1", "2")), ("v3", ("2", "2"))):
            (path / "uv.lock").write_text(lock("shop", *versions))
            (path / "main.py").write_text(f"print('{tag}')\n")
            fixtures.commit_all(path, tag)
            fixtures.git(path, "tag", tag)
        before = (path / "pyproject.toml").read_text()
        shown = self.veneer("init", "--dry-run", cwd=path)
        self.assertEqual(fixtures.git(path, "status", "--short"), "")  # nothing was written
        self.assertIn("starts: python main.py", shown.stderr)
        for line in ("+++ b/pyproject.toml", "+++ b/veneer.mk", f"+++ b/{WORKFLOW}", "+++ b/docs/container-image.md"):
            self.assertIn(line, shown.stdout)
        self.assertIn("stale", self.veneer("init", "--check", cwd=path, code=10).stderr)

        said = self.veneer("init", cwd=path)
        self.assertNotIn("+++ b/veneer.mk", said.stdout)
        self.assertEqual((path / "pyproject.toml").read_text(), before +
                         '\n[tool.veneer.image]\nname = "ghcr.io/acme/shop"  # by the address of git\'s remote origin\n')
        for name in ("veneer.mk", WORKFLOW, "docs/container-image.md"):
            text = (path / name).read_text()
            first, body = text.split("\n", 1)
            self.assertIn(f"sha256:{hashlib.sha256(body.encode()).hexdigest()}", first)
            self.assertRegex(first, r"Made by veneer [0-9.]+ \(veneer init\)")
            self.assertNotIn(str(self.folder), text)
        page = (path / "docs/container-image.md").read_text()
        self.assertIn("| v2 | 1.00 MB | ", page)
        self.assertIn("| v3 | ", page)
        self.assertNotIn("| v1 | ", page)

        # Once more: nothing to do. What is new since (a tag) makes nothing stale, what is asked for (a release) renews the page.
        snapshot = {name: (path / name).read_bytes() for name in ("pyproject.toml", "veneer.mk", WORKFLOW, "docs/container-image.md")}
        self.veneer("init", cwd=path)
        self.veneer("init", "--check", cwd=path)
        self.assertEqual(snapshot, {name: (path / name).read_bytes() for name in snapshot})
        (path / "uv.lock").write_text(lock("shop", "3", "2"))
        fixtures.commit_all(path, "v4")
        fixtures.git(path, "tag", "-m", "annotated", "v4")
        self.veneer("init", "--check", cwd=path)
        self.veneer("init", cwd=path)
        self.assertIn("| v4 | ", (path / "docs/container-image.md").read_text())
        self.veneer("init", "--check", cwd=path)

        # Files of an older veneer are renewed; those that were changed by hand stay, and are stale only when what they were made of is.
        makefile = path / "veneer.mk"
        whole = makefile.read_text()
        makefile.write_text(re.sub("veneer [0-9.]+ ", "veneer 0.0.1 ", whole, count=1))
        self.assertEqual(self.states(path)["veneer.mk"], "renewed")
        self.veneer("init", "--check", cwd=path, code=10)
        self.veneer("init", cwd=path)
        self.assertEqual(makefile.read_text(), whole)
        makefile.write_text(whole + "mine:\n")
        edited = self.veneer("init", cwd=path)
        self.assertIn("veneer.mk was changed by hand and stays", edited.stderr)
        self.assertIn("-mine:\n", edited.stdout)
        self.assertTrue(makefile.read_text().endswith("mine:\n"))
        self.veneer("init", "--check", cwd=path)
        pyproject = path / "pyproject.toml"
        pyproject.write_text(pyproject.read_text().replace("ghcr.io/acme/shop", "ghcr.io/acme/other"))
        self.assertEqual(self.states(path)["veneer.mk"], "edited, stale")
        self.veneer("init", "--check", cwd=path, code=10)
        # Without its first line a file is the owners' own.
        makefile.write_text("image:\n\tdocker build .\n")
        self.veneer("init", cwd=path)
        self.assertEqual(makefile.read_text(), "image:\n\tdocker build .\n")
        self.veneer("init", "--check", cwd=path)

    def test_options_are_remembered(self):
        path = self.project("shop")
        self.veneer("init", "--rebuild", "weekly", "--no-make", cwd=path)
        self.assertIn('rebuild = "weekly"', (path / "pyproject.toml").read_text())
        self.assertIn("schedule:", (path / WORKFLOW).read_text())
        self.assertFalse((path / "veneer.mk").exists())
        self.veneer("init", "--check", cwd=path)
        self.assertEqual(self.states(path), {"docs/container-image.md": "up to date", WORKFLOW: "up to date"})
        self.assertIn("change rebuild in pyproject.toml", self.veneer("init", "--rebuild", "stale", cwd=path, code=3).stderr)
        self.veneer("init", "--rebuild", "daily", cwd=path, code=2)
        self.veneer("init", "--check", "--dry-run", cwd=path, code=2)

    def test_other_places(self):
        # A project in a sub-folder, whose name has capitals: the workflow lies at the top and works below.
        path = self.project("mono/services/Shop", "My.Shop")
        self.veneer("init", cwd=path)
        workflow = (self.folder / "mono/.github/workflows/image-my-shop.yml").read_text()
        self.assertIn("working-directory: services/Shop", workflow)
        self.assertIn("IMAGE: my-shop\n", workflow)
        self.assertNotIn("veneer push", workflow)  # no registry is known
        self.assertTrue((path / "veneer.mk").exists())
        self.veneer("init", "--check", cwd=path)

        # A member of a workspace, whose lock lies above; a file with line breaks of Windows and none at its end.
        root = self.project("work", "root", '[tool.uv.workspace]\nmembers = ["member"]\n')
        member = root / "member"
        member.mkdir()
        text = b'# ours\r\n[project]\r\nname = "member"\r\nversion = "1"\r\nrequires-python = ">=3.11"\r\n\r\n[tool.veneer.image]\r\ncmd = ["python"]  # x'
        (member / "pyproject.toml").write_bytes(text)
        (root / "uv.lock").write_text(lock("root").replace(
            "[[package]]\nname = \"root\"", '[[package]]\nname = "member"\nversion = "1"\nsource = { virtual = "member" }\n\n[[package]]\nname = "root"')
            .replace('requires-python = ">=3.11"\n', 'requires-python = ">=3.11"\n\n[manifest]\nmembers = ["member", "root"]\n', 1))
        fixtures.git(root, "remote", "add", "origin", "https://user:secret@gitlab.com/Acme/Shed.git")
        said = self.veneer("init", cwd=member)
        self.assertNotIn("secret", said.stdout + said.stderr)
        self.assertEqual((member / "pyproject.toml").read_bytes(), text +
                         b'\r\nname = "registry.gitlab.com/acme/shed/member"  # by the address of git\'s remote origin\r\n')
        self.assertIn("REGISTRY_PASSWORD", (root / ".github/workflows/image-member.yml").read_text())

        # The workspace's Dockerfile and compose file build it: what they say is taken.
        (root / "compose.yaml").write_text("services:\n  web:\n    build: .\n    image: ghcr.io/acme/shed:live\n")
        (member / "pyproject.toml").write_bytes(text.rpartition(b"[tool.veneer")[0])
        (member / "serve.py").write_text("print('serving')\n")
        (root / "Dockerfile").write_text('FROM python:3.12-slim\nWORKDIR /srv\nENV MODE=quiet\nCOPY member member\nEXPOSE 8080\nCMD ["python", "member/serve.py"]\n')
        fixtures.commit_all(root, "A Dockerfile for the member")
        said = self.veneer("init", "--dry-run", cwd=member)
        for taken in ("ENV MODE=quiet", "EXPOSE 8080", "starts: python member/serve.py  (CMD, ../Dockerfile:6)",
                      'name = "ghcr.io/acme/shed"  # ../compose.yaml:4', "`../compose.yaml` names `ghcr.io/acme/shed:live`"):
            self.assertIn(taken, said.stdout + said.stderr)

        # No git: no workflow, no table.
        path = self.project("bare", commit=False)
        said = self.veneer("init", cwd=path)
        self.assertIn("in no git repository", said.stderr)
        self.assertEqual(sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()),
                         ["docs/container-image.md", "main.py", "pyproject.toml", "uv.lock", "veneer.mk"])

        # No place for keys: they are said.
        path = self.project("inline", more='[tool]\nveneer = { image = { cmd = ["python"] } }\n')
        fixtures.git(path, "remote", "add", "origin", "ssh://git@github.com/acme/inline")
        before = (path / "pyproject.toml").read_text()
        self.assertIn('[tool.veneer.image] name = "ghcr.io/acme/inline"', self.veneer("init", cwd=path).stderr)
        self.assertEqual((path / "pyproject.toml").read_text(), before)
        (path / "uv.lock").unlink()
        self.assertIn("uv lock", self.veneer("init", cwd=path, code=4).stderr)
        self.veneer("init", cwd=self.folder / "home" if (self.folder / "home").exists() else self.folder, code=4)


class GeneratedSteps(InitTest):
    """The owners' plan, a project of ours: what becomes of it, and that what was generated runs."""

    def plan(self, without_packages: bool = True) -> Path:
        """The fixture in a repository; without its real dependency, which --all has."""
        path = self.folder / "plant"
        shutil.copytree(PLAN, path)
        if without_packages:
            text = (path / "pyproject.toml").read_text()
            (path / "pyproject.toml").write_text(text.replace('"weasyprint>=65"', "").replace('"pytest>=8"', ""))
        (path / ".gitignore").write_text(".veneer/\nignored.pem\n")
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "Without a lock")  # its version comes from git, for uv too
        subprocess.run(["uv", "lock", "--quiet"], cwd=path, check=True, env=self.environment())
        fixtures.commit_all(path, "As it was")
        fixtures.git(path, "tag", "v1.0")
        return path

    def here(self, path: Path, registry: str) -> None:
        """What differs on this machine: a base that is there already, no packages, the registry of the test."""
        pyproject = path / "pyproject.toml"
        text = pyproject.read_text().replace("debian:bookworm", f"oci:{fixtures.debian_base()}").replace("ghcr.io/acme", f"{registry}/acme")
        pyproject.write_text(re.sub(r"\n\[tool\.veneer\.system\].*?\n\n", "\n", text, flags=re.DOTALL))
        compose = path / "compose.yaml"
        compose.write_text(compose.read_text().replace("ghcr.io/acme", f"{registry}/acme"))
        self.veneer("init", cwd=path)

    def shell(self, path: Path, script: str, programs: Path, code: int = 0, **variables: str):
        environment = self.environment(**variables)
        environment["PATH"] = f"{programs}:{environment['PATH']}"
        result = subprocess.run(["bash", "-e", "-c", script], cwd=path, env=environment, capture_output=True, text=True)
        self.assertEqual(result.returncode, code, f"{script}\n{result.stdout}\n{result.stderr}")
        return result

    def test_the_plan_of_the_owners(self):
        path = self.plan()
        shown = self.veneer("init", cwd=path)
        diff = fixtures.git(path, "diff", "--", "pyproject.toml")
        added = [line for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
        self.assertFalse([line for line in diff.splitlines() if line.startswith("-") and not line.startswith("---")])
        page = (fixtures.SOURCE / "docs" / "init.md").read_text()
        self.assertIn("\n".join(added), page, "docs/init.md has another diff than this:\n" + "\n".join(added))
        table = shown.stdout.split("\nfile ")[0]
        for words in (("Dockerfile.base:3", "build-essential is left out: it is for compiling"), ("Dockerfile:3", "a stage that"),
                      ("Dockerfile:13", "empty_files; files"), ("Dockerfile:17", "entrypoint")):
            self.assertTrue([line for line in table.splitlines() if all(word in line for word in words)], f"{words}\n{table}")
        # Every instruction has a line, and each line says what becomes of it.
        instructions = sum(bool(re.match("[A-Z]+ ", line)) for name in ("Dockerfile", "Dockerfile.base") for line in (PLAN / name).read_text().splitlines())
        lines = self.json("init", "--dry-run", "--json", cwd=path)["dockerfile"]
        self.assertEqual(lines, [])  # it is not read any more
        self.assertEqual(len([line for line in table.splitlines() if line.startswith("Dockerfile")]), instructions)
        # The schema that GitHub checks workflows by.
        self.veneer("init", "--dry-run", "--rebuild", "weekly", cwd=path)
        checked = subprocess.run(["uvx", "--quiet", "check-jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW], cwd=path,
                                 env=self.environment(), capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

        # Then build, with a secret that git does not know, one that it ignores, and the steps as they stand in the workflow.
        registry = real_registry.RealRegistry(self.folder / "registry")
        self.addCleanup(registry.close)
        self.here(path, registry.address)
        programs = self.folder / "programs"
        programs.mkdir()
        for name, text in {"sudo": 'exec "$@"', "apt-get": 'echo "$@" >> "$HOME/asked"', "sysctl": 'echo "$@" >> "$HOME/asked"',
                           "pipx": 'echo "$@" >> "$HOME/asked"', "docker": 'cat > "$HOME/password"; echo "$@" >> "$HOME/asked"'}.items():
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        (self.folder / "home").mkdir(exist_ok=True)
        temporary = self.folder / "temporary"
        temporary.mkdir()
        fixtures.commit_all(path, "By veneer init")
        (path / ".env").write_text("TOKEN=c4nary-0017\n")
        (path / "src/plant/assets/ignored.pem").write_text("-----BEGIN PRIVATE KEY-----\nc4nary-0017\n")
        (path / "src/plant/assets/.env").write_text("TOKEN=c4nary-0017\n")
        workflow = (path / WORKFLOW).read_text()
        steps = steps_of(workflow)
        image = f"{registry.address}/acme/plant"
        self.assertIn(f"  IMAGE: {image}\n", workflow)
        github = {"GITHUB_PATH": str(self.folder / "path"), "RUNNER_TEMP": str(temporary), "IMAGE": image, "MAX_BYTES": "20MB",
                  "REGISTRY_USER": "me", "REGISTRY_PASSWORD": "c4nary-0017", "GITHUB_REF_NAME": "v1.0", "CI": "true",
                  "VENEER_URL": "", "VENEER_SHA256": "", "VENEER_GIT": "", "VENEER_COMMIT": ""}

        def run(name: str, code: int = 0, **more: str):
            return self.shell(path, steps[name]["run"], programs, code, **{**github, **more})

        self.assertIn("set the repository variable", run("Install veneer", 1).stderr)
        program = Path(fixtures.binary())
        url = {"VENEER_URL": program.as_uri(), "VENEER_SHA256": hashlib.sha256(b"another").hexdigest()}
        run("Install veneer", 1, **url)
        run("Install veneer", VENEER_URL=program.as_uri(), VENEER_SHA256=hashlib.sha256(program.read_bytes()).hexdigest())
        self.assertEqual((self.folder / "path").read_text().splitlines()[-1], str(temporary / "programs"))
        (programs / "veneer").symlink_to(temporary / "programs" / "veneer")
        run("Install what a build needs")
        self.assertIn("mmdebstrap debian-archive-keyring uidmap", (self.folder / "home/asked").read_text())
        run("Are the generated files up to date?")
        run("Build")
        run("Log in to the registry")
        self.assertEqual((self.folder / "home/password").read_text(), "c4nary-0017\n")
        self.assertIn("to compare with", run("What does a deploy cost?").stdout)
        run("Push")
        self.assertIn("from registry:", run("What does a deploy cost?").stdout)
        self.assertEqual(registry.tag("acme/plant", "v1.0"), registry.tag("acme/plant", "latest"))
        self.assertEqual(steps["Push"]["if"], "github.ref_type == 'tag'")

        # What is in the image: the wheel with its assets, made empty files, modes; no secret, nothing of git.
        layout = path / ".veneer"
        tree = {entry["path"]: entry for entry in self.json("inspect", "--tree", "--json", cwd=path)["entries"]}
        self.assertEqual(tree["app/docker-entrypoint.sh"]["mode"], "0755")
        self.assertEqual((tree["var/log/cron.log"]["size"], tree["var/log/webapp.log"]["size"]), (0, 0))
        self.assertIn("app/src/plant/assets/leaf.svg", tree)
        self.assertIn("app/.venv/lib/python3.11/site-packages/plant/web.py", tree)
        self.assertFalse([name for name in tree if re.search(r"(^|/)(\.env|ignored\.pem|\.git|veneer\.mk)(/|$)", name)])
        for blob in (layout / "blobs/sha256").iterdir():
            data = blob.read_bytes() if blob.stat().st_size < 5_000_000 else b""  # not the base
            self.assertFalse(b"c4nary-0017" in (fixtures.gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data), blob.name)

        # The targets of make.
        said = self.shell(path, "make -f veneer.mk help", programs).stdout
        for target in ("base", "image", "push", "deploy", "rollback"):
            self.assertRegex(said, rf"(?m)^make {target}\t")
        self.shell(path, "make -f veneer.mk image", programs)
        self.shell(path, "make -f veneer.mk push", programs)
        described = fixtures.git(path, "describe", "--tags", "--always", "--dirty").strip()
        self.assertEqual(registry.tag("acme/plant", described), registry.tag("acme/plant", "latest"))
        for target in ("deploy", "rollback"):
            self.assertIn("HOST=ssh://user@server", self.shell(path, f"make -f veneer.mk {target}", programs, 2).stderr)
        # Those of the page that ask no host.
        for block in re.findall(r"```sh\n(.*?)```", (path / "docs/container-image.md").read_text(), re.DOTALL):
            for line in block.splitlines():
                if line.startswith("veneer ") and "ssh://" not in line and "base update" not in line:
                    self.shell(path, line, programs)


class OtherJobs(InitTest):
    """What the workflow does besides building, run as it stands there: a pull request for the base, a deploy, and veneer itself from
    a commit. Of GitHub, ssh's other end and veneer's compilation there are stand-ins, which write down what they were asked."""

    def setUp(self):
        super().setUp()
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir()
        (self.folder / "home").mkdir()

    def stand_in(self, name: str, script: str) -> None:
        (self.programs / name).unlink(missing_ok=True)
        (self.programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.programs / name).chmod(0o755)

    def run_step(self, step: dict, cwd: Path, code: int = 0, **variables: str) -> str:
        """As GitHub does it. What is asked of GitHub in `env` has to be among `variables`."""
        self.assertLessEqual(set(step["env"]), set(variables))
        environment = self.environment(GITHUB_PATH=str(self.folder / "path"), RUNNER_TEMP=str(self.temporary), CI="true", **variables)
        environment["PATH"] = f"{self.programs}:{environment['PATH']}"
        done = subprocess.run(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]], cwd=cwd, env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, code, f"{step['run']}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def with_origin(self, base: str) -> Path:
        path = self.small_project()
        settings = (path / "pyproject.toml").read_text()
        (path / "pyproject.toml").write_text(settings.replace(f"oci:{fixtures.debian_base()}", base))
        self.veneer("init", "--rebuild", "weekly", cwd=path)
        fixtures.commit_all(path, "By veneer init")
        fixtures.git(self.folder, "clone", "-q", "--bare", str(path), str(self.folder / "origin.git"))
        fixtures.git(path, "remote", "add", "origin", str(self.folder / "origin.git"))
        return path

    def test_veneer_from_a_commit(self):
        """The clone is at the commit that is named, not at its newest."""
        source = self.folder / "veneer.git"
        source.mkdir()
        fixtures.git(source, "init", "-q", "-b", "main")
        (source / "dev").write_text("#!/bin/sh\n[ \"$*\" = build ] && mkdir -p build/release && echo '#!/bin/sh\necho of the commit' > build/release/veneer\n")
        (source / "dev").chmod(0o755)
        fixtures.commit_all(source, "Wanted")
        commit = fixtures.git(source, "rev-parse", "HEAD").strip()
        (source / "dev").write_text("#!/bin/sh\nexit 1\n")
        fixtures.commit_all(source, "Newer")
        path = self.project("shop")
        self.veneer("init", cwd=path)
        step = steps_of((path / WORKFLOW).read_text())["Install veneer"]
        none = {"VENEER_URL": "", "VENEER_SHA256": ""}
        self.assertIn("VENEER_URL, or VENEER_GIT and VENEER_COMMIT", self.run_step(step, path, 1, VENEER_GIT=str(source), VENEER_COMMIT="", **none))
        self.run_step(step, path, VENEER_GIT=str(source), VENEER_COMMIT=commit, **none)
        self.assertEqual(subprocess.run([self.temporary / "programs/veneer"], check=True, capture_output=True, text=True).stdout, "of the commit\n")
        self.assertEqual((self.folder / "path").read_text().splitlines()[-1], str(self.temporary / "programs"))
        # That is what this program's own `./dev build` makes.
        self.assertIn("build) # [TARGET...]: build/release/veneer", (fixtures.SOURCE / "dev").read_text())

    def test_a_pull_request_for_the_base(self):
        registry = real_registry.RealRegistry(self.folder / "registry")
        self.addCleanup(registry.close)
        base = f"{registry.address}/team/base:1"
        self.veneer("push", f"oci:{fixtures.debian_base()}", base)
        path = self.with_origin(base)
        (self.programs / "veneer").symlink_to(fixtures.binary())
        self.stand_in("gh", 'echo "$@" >> "$HOME/asked"; for word; do [ -f "$word" ] && cat "$word" >> "$HOME/asked"; done; true')
        asked = self.folder / "home/asked"
        step = steps_of((path / WORKFLOW).read_text(), "base")["Open a pull request with what moved in the base"]
        self.run_step(step, path, GH_TOKEN="token")
        self.assertIn("pr create --head veneer-base --title New base of shop", asked.read_text())
        branch = fixtures.git(path, "ls-remote", "origin", "veneer-base")
        self.assertEqual(fixtures.git(path, "diff", "--name-only", "main", branch.split()[0]), "veneer.lock\n")
        # Merged, and nothing moved since: no pull request.
        fixtures.git(path, "switch", "-q", "main")
        fixtures.git(path, "merge", "-q", "veneer-base")
        fixtures.git(path, "branch", "-q", "-D", "veneer-base")
        asked.unlink()
        self.run_step(step, path, GH_TOKEN="token")
        self.assertFalse(asked.exists())
        # Another base: the branch is the new one, the pull request says what moved; one that is open already is shown.
        other = layouts.with_layer(fixtures.debian_base(), self.folder / "other", {"etc/later": b"later"})
        self.veneer("push", f"oci:{other}", base)
        self.stand_in("gh", 'echo "$@" >> "$HOME/asked"; [ "$2" = view ] && exit; for word; do [ -f "$word" ] && cat "$word" >> "$HOME/asked"; done; exit 1')
        self.run_step(step, path, GH_TOKEN="token")
        self.assertIn("pr view veneer-base", asked.read_text())
        self.assertIn(image_digest(other), asked.read_text() + fixtures.git(path, "show", "veneer-base:veneer.lock"))
        self.assertNotEqual(fixtures.git(path, "ls-remote", "origin", "veneer-base"), branch)

    def test_a_deploy(self):
        path = self.project("shop", more='[tool.veneer.image]\nname = "registry.example/acme/shop"\n')
        self.veneer("init", cwd=path)
        steps = steps_of((path / WORKFLOW).read_text(), "deploy")
        self.assertEqual(list(steps), ["Install veneer", "Log in to the registry", "Deploy"])
        self.stand_in("veneer", 'printf "%s\\n" "$@" > "$HOME/asked"; ssh-add -L >> "$HOME/asked"; echo "$SSH_AGENT_PID" > "$HOME/agent"')
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.folder / "key")], check=True)
        try:
            self.run_step(steps["Deploy"], path, IMAGE="registry.example/acme/shop", GITHUB_REF_NAME="shop/v1.0+2", DEPLOY_HOST="ssh://user@server",
                          DEPLOY_KNOWN_HOSTS="server ssh-ed25519 AAAA", DEPLOY_KEY=(self.folder / "key").read_text())
        finally:
            if (self.folder / "home/agent").exists():
                os.kill(int((self.folder / "home/agent").read_text()), 15)
        asked = (self.folder / "home/asked").read_text().splitlines()
        self.assertEqual(asked[:-1], ["deploy", "registry.example/acme/shop:shop-v1.0-2", "ssh://user@server", "--as", "registry.example/acme/shop:latest"])
        self.assertEqual(asked[-1].split()[:2], (self.folder / "key.pub").read_text().split()[:2])
        self.assertEqual((self.folder / "home/.ssh/known_hosts").read_text(), "server ssh-ed25519 AAAA\n")
        self.veneer("deploy", *asked[1:-1], "--help", cwd=path)


if os.environ.get("VENEER_TEST_ALL"):

    @unittest.skipUnless(shutil.which("go"), "actionlint is made by Go, which is not here")
    class Actionlint(InitTest):
        def test_the_workflows(self):
            tools = fixtures.test_cache() / "go-tools"
            if not (tools / "actionlint").exists():
                subprocess.run(["go", "install", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"], check=True, capture_output=True,
                               env={**os.environ, "GOBIN": str(tools), "GOFLAGS": "-buildvcs=false"})
            name = '[tool.veneer.image]\nname = "registry.example/acme/shop"\n'
            for number, (options, more) in enumerate(((("--rebuild", "weekly"), name), ((), ""))):
                path = self.project(f"mono{number}/services/shop", more=more)
                self.veneer("init", *options, cwd=path)
                done = subprocess.run([tools / "actionlint", ".github/workflows/image-shop.yml"], cwd=path.parents[1], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    fixtures.main()
