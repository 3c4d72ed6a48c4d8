#!/usr/bin/env python3
"""Makes the git history of the example project: the releases listed in examples/greenhouse/history/releases.json.

    make_history.py TARGET_DIR [--uv PATH] [--reserved-hosts] [--verify]

TARGET_DIR must not exist, or be empty; it appears whole or not at all. Prints one line a release: commit, tag, subject.

The first release is examples/greenhouse as this checkout's git lists it (without its folder history/); each later one is
the patch history/<tag>.patch on top. Author, committer and dates are fixed and the user's git configuration is not read,
so the commit ids repeat. The committed locks name reserved hosts; here they get the hosts of the index that uv uses
(real_index.py), so that the checkout of every tag is clean and builds. The ids therefore repeat for one index;
--reserved-hosts keeps the reserved ones and needs no uv. --verify runs `uv lock --check` on every tag.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support" / "python"))
import real_index  # noqa: E402
import surroundings  # noqa: E402, F401  no settings of the user's git

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "greenhouse"
PERSON = ("Greta Haus", "greta@greenhouse.example")


class Failed(Exception):
    """A step that did not work; the text says which."""


def run(*command, cwd, env=None):
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def git_environment(date=None):
    """The environment with the author of the example's history."""
    env = dict(os.environ)
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": PERSON[0], f"GIT_{role}_EMAIL": PERSON[1]}
        if date:
            env[f"GIT_{role}_DATE"] = date
    return env


def tracked_files():
    """(path relative to the example, executable or not) of every file that git lists there."""
    listing = run("git", "ls-files", "--stage", "-z", ".", cwd=EXAMPLE, env=git_environment())
    for row in filter(None, listing.split("\0")):
        mode, path = row.split(" ", 1)[0], row.split("\t", 1)[1]
        if not path.startswith("history/"):
            yield path, mode == "100755"


def write(path, content, executable=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if executable else 0o644)


def copy_tree(source, target, index):
    """Makes target hold exactly what source holds (.git apart), with the lock's hosts put back."""
    for old in target.iterdir():
        if old.name != ".git":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.name == "uv.lock" and index is not None:
                content = real_index.to_real(content.decode(), index).encode()
            write(target / path.relative_to(source), content, os.access(path, os.X_OK))


def make(target, index):
    """Makes the history in the empty folder target; yields (commit, tag, subject), oldest first."""
    releases = json.loads((EXAMPLE / "history" / "releases.json").read_text("utf-8"))
    run("git", "init", "-q", "--template=", "--object-format=sha1", "-b", "main", cwd=target, env=git_environment())
    with tempfile.TemporaryDirectory(prefix="veneer-history-") as stage:
        stage = Path(stage)
        for path, executable in tracked_files():
            write(stage / path, (EXAMPLE / path).read_bytes(), executable)
        for number, release in enumerate(releases):
            tag, subject = release["tag"], release["subject"]
            if number > 0:
                patch = EXAMPLE / "history" / f"{tag}.patch"
                # outside any checkout, so that git applies to the files and looks for no repository
                env = git_environment() | {"GIT_CEILING_DIRECTORIES": str(stage.parent)}
                run("git", "apply", "--whitespace=nowarn", str(patch), cwd=stage, env=env)
            copy_tree(stage, target, index)
            env = git_environment(release["date"])
            run("git", "add", "--all", cwd=target, env=env)
            run("git", "commit", "-q", "-m", subject, cwd=target, env=env)
            run("git", "tag", "-a", "-m", f"greenhouse {tag[1:]}", tag, cwd=target, env=env)
            yield run("git", "rev-parse", "HEAD", cwd=target, env=env).strip(), tag, subject


def verify(target, uv):
    """Runs `uv lock --check` on a checkout of every tag, beside the target."""
    for tag in run("git", "tag", cwd=target, env=git_environment()).split():
        with tempfile.TemporaryDirectory(prefix="veneer-history-") as folder:
            run("git", "clone", "-q", "--branch", tag, str(target), "checkout", cwd=folder, env=git_environment())
            run(uv, "lock", "--check", cwd=Path(folder) / "checkout", env=git_environment())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--uv", help="the uv to ask for the index (default: $UV, else uv on PATH)")
    parser.add_argument("--reserved-hosts", action="store_true", help="leave index.example in the locks")
    parser.add_argument("--verify", action="store_true", help="check the lock of every release by uv")
    arguments = parser.parse_args()
    if arguments.reserved_hosts and arguments.verify:
        parser.error("reserved hosts cannot be verified: no uv can reach them")
    target = arguments.target.absolute()
    if target.exists() and any(target.iterdir()):
        sys.exit(f"make_history.py: {target} is not empty")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        index = None
        if not arguments.reserved_hosts:
            index = real_index.find(real_index.uv_path(arguments.uv))
        for line in list(make(unfinished, index)):
            print(*line)
        if arguments.verify:
            verify(unfinished, real_index.uv_path(arguments.uv))
        unfinished.chmod(0o755)
        unfinished.rename(target)
    except (Failed, real_index.IndexUnknown, OSError, ValueError, KeyError) as error:
        sys.exit(f"make_history.py: {error}")
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    main()
