"""Which engines there are: suite, packages, configuration and command line of each. Pure data and text."""

import json
from collections import namedtuple

# What every root of a suite holds. Second opinions (skopeo, umoci, buildah) are in the oldest one only.
PACKAGES = {
    "bookworm": (
        "buildah", "busybox-static", "ca-certificates", "crun", "docker-registry", "docker.io", "podman", "skopeo", "umoci",
    ),
    "trixie": ("busybox-static", "ca-certificates", "crun", "docker-cli", "docker.io", "podman"),
    "forky": ("busybox-static", "ca-certificates", "crun", "docker-cli", "docker-compose", "docker.io", "podman"),
}  # fmt: skip

# A mirror may be a frozen copy, on which the index of a testing suite is past its Valid-Until date. Signatures are
# checked all the same.
FROZEN_MIRROR_OPTIONS = {"forky": ('Acquire::Check-Valid-Until "false"',)}


class CannotHave(Exception):
    """Why there is no such engine; the text is for people."""


class NoSuchEngine(CannotHave):
    """A name that is not in the catalogue."""


# kind: docker, podman or registry; store: how it keeps layers: overlay2, containerd, podman; empty for the registry
Engine = namedtuple("Engine", "name suite kind store note")


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("docker20", "bookworm", "docker", "overlay2", "Docker 20.10"),
        Engine("docker26", "trixie", "docker", "overlay2", "Docker 26.1"),
        Engine("docker26-c8d", "trixie", "docker", "containerd", "Docker 26.1, containerd image store"),
        Engine("docker28", "forky", "docker", "overlay2", "Docker 28.5"),
        Engine("docker28-c8d", "forky", "docker", "containerd", "Docker 28.5, containerd image store"),
        Engine("podman4", "bookworm", "podman", "podman", "podman 4.3 behind its Docker API"),
        Engine("podman5", "trixie", "podman", "podman", "podman 5.4 behind its Docker API"),
        Engine("registry", "bookworm", "registry", "", "docker-registry 2.8 on loopback"),
    )
}


def engine(name):
    """The engine of a name, which may have an instance behind an @."""
    kind, at, instance = name.partition("@")
    if kind not in ENGINES:
        raise NoSuchEngine(f"no engine is called '{kind}'; there are {', '.join(ENGINES)}")
    if at and not (instance.isascii() and instance.replace("-", "").isalnum()):
        raise NoSuchEngine(f"an instance is letters, digits and dashes, not '{instance}'")
    return ENGINES[kind]


# No limits above the machine's own and no cgroups of podman's: works with cgroup v1, v2 and hybrid, and without
# CAP_SYS_RESOURCE.
PODMAN_CONFIGURATION = """\
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "crun"
"""

# podman keeps its images below /state; the same options serve the daemon and its client.
PODMAN = (
    "podman", "--root", "/state/data", "--runroot", "/run/podman", "--cgroup-manager", "cgroupfs",
    "--events-backend", "file",
)  # fmt: skip


def files(engine, port=None):
    """Configuration files of an engine: name below its state folder -> text."""
    if engine.kind == "docker":
        configuration = {"insecure-registries": ["127.0.0.0/8"]}
        if engine.suite != "bookworm":  # Docker 20.10 knows no such feature and refuses the key
            configuration["features"] = {"containerd-snapshotter": engine.store == "containerd"}
        return {"daemon.json": json.dumps(configuration)}
    if engine.kind == "podman":
        return {"containers.conf": PODMAN_CONFIGURATION}
    configuration = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": "/state/data"}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    return {"registry.yml": json.dumps(configuration)}


def command(engine):
    """The daemon's command line inside its root. Its socket is /state/api.sock; the registry has none."""
    if engine.kind == "docker":
        return (
            "dockerd", "--config-file", "/state/daemon.json", "--data-root", "/state/data", "--exec-root", "/run/docker",
            "--pidfile", "/run/dockerd.pid", "--host", "unix:///state/api.sock",
            "--bridge=none", "--iptables=false", "--ip6tables=false",
        )  # fmt: skip
    if engine.kind == "podman":
        return (*PODMAN, "system", "service", "--time", "0", "unix:///state/api.sock")
    return ("docker-registry", "serve", "/state/registry.yml")


def client(engine, words):
    """The command line of a client inside the root: podman gets the options that lead it to the daemon's images."""
    if engine.kind == "podman" and words[0] == "podman":
        return (*PODMAN, *words[1:])
    return tuple(words)
