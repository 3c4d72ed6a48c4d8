#!/usr/bin/env python3
"""What belongs to the application: what git and .dockerignore leave out, secrets, locks that are stale."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import fixtures  # noqa: E402
import projects_test  # noqa: E402

BUILD_SYSTEM = projects_test.BUILD_SYSTEM
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n"


class Files(fixtures.SystemTest):
    project, lock, paths = projects_test.Projects.project, projects_test.Projects.lock, projects_test.Projects.paths
    metadata, veneer_table = projects_test.Projects.metadata, projects_test.Projects.veneer_table

    def application(self, path: Path) -> list[str]:
        """The files below /app that are no environment."""
        tree = self.json("inspect", "--tree", "--json", cwd=path)["entries"]
        return [entry["path"][4:] for entry in tree
                if entry["path"].startswith("app/") and entry["type"] == "file" and not entry["path"].startswith("app/.venv")]

    def commit(self, path: Path, *tracked: str) -> None:
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.git(path, "add", "--force", *tracked)
        fixtures.commit_all(path, "First")

    def test_git_and_dockerignore_choose_and_secrets_stay_out(self):
        path = self.project("shop", self.metadata("shop") + self.veneer_table() +
                            'image = { files = [{ from = ".", to = "/app" }, { from = "deploy/prod.key", to = "/run/prod.key" }] }\n', {
            "main.py": "print('hi')\n", "notes/a.md": "x", "notes/keep.md": "x", "data/a.csv": "x", ".env": "PASSWORD=1", ".env.example": "PASSWORD=",
            "certs/server.pem": KEY, "certs/ca.pem": CERTIFICATE, "certs/tracked.key": KEY, "deploy/prod.key": KEY, "id_rsa": "x", "secret.json": '{"a": 1}',
            ".dockerignore": "notes\n!notes/keep.md\nDockerfile\nuv.lock\n**/*.csv\n", "Dockerfile": 'FROM python:3.11\nCOPY . .\nCMD ["python", "main.py"]\n',
            ".gitignore": ".env\nlocal/\n.veneer/\n", "local/big.bin": "x"})
        self.lock(path)
        self.commit(path, "certs/tracked.key", "main.py", ".gitignore")
        fixtures.git(path, "rm", "-q", "--cached", "certs/server.pem", "deploy/prod.key", "id_rsa")
        built = self.veneer("build", cwd=path)
        self.assertEqual(self.application(path), [".dockerignore", ".env.example", ".gitignore", "certs/ca.pem", "certs/tracked.key", "main.py", "notes/keep.md",
                                                  "pyproject.toml", "secret.json"])
        self.assertIn("run/prod.key", self.paths(path))  # a rule names it
        self.assertIn("left out of the project's folder: 1 that git ignores, 4 by .dockerignore, certs/server.pem (a private key), "
                      "deploy/prod.key (a private key), id_rsa (a key of ssh), .env (an environment file)", built.stderr)
        self.assertIn("warning: certs/tracked.key is a private key and in the image, since git tracks it", built.stderr)
        self.assertEqual(self.json("plan", "--json", cwd=path)["left_out"],
                         {"git": 1, "dockerignore": 4, "secrets": ["certs/server.pem", "deploy/prod.key", "id_rsa", ".env"]})

        # The Dockerfile's own goes before it. What Docker refuses is refused.
        (path / "Dockerfile.dockerignore").write_text("**\n!main.py\n")
        self.veneer("build", cwd=path)
        self.assertEqual(self.application(path), ["main.py"])
        (path / "Dockerfile.dockerignore").write_text("ok\n[a\n")
        self.assertIn("Dockerfile.dockerignore: line 2: the pattern", self.veneer("plan", cwd=path, code=3).stderr)

    def test_without_a_repository(self):
        path = self.project("plain", self.metadata("plain") + self.veneer_table(), {
            "main.py": "print('hi')\n", "pages/a.html": "a", "pages/.env.local": "PASSWORD=1", "pages/draft.html": "x", ".dockerignore": "**/draft.*\n",
            "server.key": KEY})
        self.lock(path)
        built = self.veneer("build", cwd=path)
        self.assertEqual(self.application(path), ["main.py", "pages/a.html", "pyproject.toml"])
        self.assertIn("1 by .dockerignore, pages/.env.local (an environment file), server.key (a private key)", built.stderr)

    def test_a_wheel_has_what_its_back_end_takes_but_secrets(self):
        path = self.project("shop", self.metadata("shop", 'readme = "README.md"\n[project.scripts]\nshop = "shop:main"\n') + BUILD_SYSTEM + self.veneer_table(), {
            "README.md": "x", ".dockerignore": "*.md\n", ".gitignore": ".env\n_version.py\ndist/\n.veneer/\n", "src/shop/__init__.py": "def main(): pass\n",
            "src/shop/test.key": KEY, "src/shop/.env": "PASSWORD=1", "src/shop/_version.py": "version = 1\n", "src/shop/static/dist/app.js": "x"})
        self.lock(path)
        self.commit(path, "src/shop/__init__.py")
        built = self.json("build", "--json", cwd=path)
        of_shop = [name.split("site-packages/")[1] for name in self.paths(path) if "site-packages/shop/" in name]
        self.assertEqual(of_shop, ["shop/__init__.py", "shop/_version.py", "shop/static", "shop/static/dist", "shop/static/dist/app.js", "shop/test.key"])
        self.assertEqual(built["findings"], [
            "2 of the files that git ignores are in the wheel of shop: src/shop/_version.py, src/shop/static/dist/app.js",
            "shop/test.key in the wheel of shop is a private key, so it is in the image",
            "src/shop/.env is an environment file that git does not track, so the wheel of shop was built without it"])

    def test_a_stale_lock_is_refused(self):
        path = self.project("shop", self.metadata("shop", 'dependencies = ["lib"]\n') + self.veneer_table() +
                            '[tool.uv]\nenvironments = ["sys_platform == \'linux\'"]\n[tool.uv.sources]\nlib = { path = "lib" }\n', {"main.py": "print('hi')\n"})
        self.project("shop/lib", self.metadata("lib") + BUILD_SYSTEM, {"src/lib/__init__.py": ""})
        self.lock(path)
        pyproject = (path / "pyproject.toml").read_text()
        (path / "pyproject.toml").write_text(pyproject.replace('["lib"]', '["lib", "idna>=3"]').replace('version = "1.0"', 'version = "1.1"'))
        for command in ("build", "plan"):
            refused = self.veneer(command, cwd=path, code=3).stderr
            self.assertIn("uv.lock is out of date: 'idna >=3' is not in the lock", refused)
            self.assertIn("uv lock; --frozen takes it as it stands", refused)
        self.assertEqual(self.json("plan", "--json", "--frozen", cwd=path)["image"], "shop:1.1")
        # The project's own version may be another one.
        (path / "pyproject.toml").write_text(pyproject.replace('version = "1.0"', 'version = "1.1"'))
        self.assertEqual(self.json("plan", "--json", cwd=path)["image"], "shop:1.1")
        # An export does not say what it was made of: what it lacks is known all the same.
        (path / "requirements.txt").write_text("./lib\n")
        self.veneer("plan", "--lock", "requirements.txt", cwd=path)
        (path / "requirements.txt").write_text("")
        self.assertIn("requirements.txt is out of date: 'lib' is not in the lock", self.veneer("plan", "--lock", "requirements.txt", cwd=path, code=3).stderr)

    def test_what_a_checkout_lacks_is_named(self):
        """Changes that no commit has, pointers of LFS, an extension beside the project."""
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
        path = self.project("shop", self.metadata("shop") + self.veneer_table(), {
            "main.py": "print('hi')\n", "model.bin": pointer, ".gitignore": ".veneer/\n",
            "fast/pyproject.toml": '[project]\nname = "fast"\nversion = "1"\n[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"\n',
            "Dockerfile": 'FROM python:3.11\nCOPY . .\nRUN cd fast && maturin develop\nCMD ["python", "main.py"]\n'})
        self.lock(path)
        self.commit(path, "main.py")
        findings = ["1 path in the image is not the file but a pointer of Git LFS: app/model.bin; run: git lfs pull",
                    "Dockerfile:3: `maturin develop` is not run, so what it builds is not in the image",
                    "fast is an extension to compile (maturin) that the lock does not have, so it is not built; to have it: uv add ./fast"]
        self.assertEqual(self.json("plan", "--json", cwd=path)["findings"], findings)
        (path / "main.py").write_text("print('ho')\n")
        commit = fixtures.git(path, "rev-parse", "--short=12", "HEAD").strip()
        self.assertEqual(self.json("plan", "--json", cwd=path)["findings"], [*findings, f"the work tree differs from commit {commit}; the version is 1.0"])

    def test_a_workspace_lists_its_members(self):
        path = self.project("space", '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
        for name in ("api", "worker"):
            self.project(f"space/packages/{name}", self.metadata(name), {"main.py": "print()\n"})
        self.lock(path)
        self.assertIn("name a member of the workspace with --package, or run veneer in its folder; its members are: api, worker",
                      self.veneer("plan", cwd=path, code=3).stderr)
        self.assertIn("its members are: api, worker", self.veneer("plan", "--package", "web", cwd=path, code=4).stderr)


if __name__ == "__main__":
    fixtures.main()
