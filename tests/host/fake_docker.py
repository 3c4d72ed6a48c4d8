"""A made-up `docker` whose images and containers are values in a file, for what no real engine does when a test wants it.

FAKE_ENGINE names a folder: state.json with `images` (full name -> identifier), `containers` (a list; see `described`) and
`compose` (what `compose config` prints); `said` gets every command line. A file named after a command, `up` for one, is
read as Python in place of it, with `state` and `words` to look at and to change. What exits there is the exit code.
Run by fake_engine.py, which gives `folder` and `words`.
"""

import json
import os
import re
import subprocess
import sys

path = os.path.join(folder, "state.json")


def load():
    with open(path) as file:
        return json.load(file)


def described(container):
    compose = "com.docker.compose."
    labels = container.get("labels") or {
        compose + "project": container.get("project", ""), compose + "service": container.get("service", ""), compose + "oneoff": "False",
        compose + "project.working_dir": folder, compose + "project.config_files": os.path.join(folder, "compose.yaml")}
    return {"ID": container["id"], "Name": "/" + container.get("name", container["id"]), "Config.Image": container["image"],
            "Image": "sha256:" + container["image_id"], "RestartCount": str(container.get("restarts", 0)),
            "State.Status": container.get("status", "running"), "State.ExitCode": str(container.get("code", 0)),
            "HostConfig.NetworkMode": container.get("mode", "site_default"),
            "health": container.get("health", "none"), "labels": labels, "json": container.get("description", {"Id": container["id"]})}


def shown(template, facts):
    def value(match):
        word = match.group(1)
        if word.startswith("json ."):
            document = {**facts["json"], "ID": facts["ID"], "NetworkSettings.Networks": networks}
            return json.dumps(document.get(word[6:], facts.get(word[6:])))
        if word.startswith("index "):
            return facts["labels"].get(json.loads(word.split()[-1]), "")
        return facts[word.lstrip(".")]

    template = template.replace("{{with .State.Health}}{{.Status}}{{else}}none{{end}}", facts["health"])
    if "volume" in words:
        return re.sub(r'{{index .Labels "(.*?)"}}', lambda match: facts["labels"].get(match.group(1), ""), template)
    template = re.sub(r"{{if .State.Running}}(.*?){{end}}", r"\1" if facts["State.Status"] == "running" else "", template)
    template = template.replace('{{"\\n"}}', "\n").replace("{{json .}}", json.dumps(facts["json"]))
    networks = facts["json"].get("NetworkSettings", {}).get("Networks")
    template = re.sub(r"{{range \$name.*?{{end}}", lambda _: json.dumps(networks), template)
    return re.sub(r"{{([^{}]*)}}", value, template)


def option(name):
    return words[words.index(name) + 1]


def container_of(name):
    found = [c for c in state["containers"] if name in (c["id"], c.get("name", ""))]
    if not found:
        sys.exit(f"no such container: {name}")
    return found[0]


def image_of(name):
    name = name if "/" in name or name.startswith("sha256:") else "docker.io/library/" + name
    identifier = name.removeprefix("sha256:") if name.removeprefix("sha256:") in state["images"].values() else state["images"].get(name)
    if identifier is None:
        sys.exit(f"no such image: {name}")
    return identifier


with open(os.path.join(folder, "said"), "a") as log:
    log.write(json.dumps(words) + "\n")
state = load()
before = json.dumps(state)
command = words[0]
if command == "compose":
    command = next(word for word in words[1:] if word in ("version", "config", "ps", "up", "run", "rm"))
override = os.path.join(folder, command)
if os.path.exists(override):
    exec(open(override).read())
elif command == "--version":
    print("Docker version 28")
elif command == "version" and words[0] == "version":
    print('{"Version":"28.1.0","ApiVersion":"1.49","Os":"linux","Arch":"amd64"}')
elif command == "info":
    print('{"Driver":"overlay2","DriverStatus":[]}\n/')
elif command == "config":
    print(state["compose"])
elif command == "ps":
    listed = [c for c in state["containers"] if c.get("status", "running") != "running"] if "status=exited" in words else state["containers"]
    print("\n".join(re.sub(r"{{([^{}]*)}}", lambda match: {".ID": c["id"], ".Names": c.get("name", c["id"])}.get(match.group(1), c.get("service", "")),
                           option("--format") if "--format" in words else "{{.ID}}") for c in listed))
elif command == "inspect" and "--format" not in words:
    print(json.dumps([container_of(name)["id"] for name in words[1:]]))
elif command == "inspect" or words[:2] == ["container", "inspect"]:
    for name in words[words.index("--format") + 2:]:
        print(shown(option("--format"), described(container_of(name))))
elif words[:2] == ["image", "inspect"] and "range .RepoTags" in option("--format"):
    for name in words[4:]:
        print(" ".join([name] + [full for full, identifier in state["images"].items() if "sha256:" + identifier == name]))
elif words[:2] == ["image", "inspect"]:
    identifier = image_of(words[-1])
    print(json.dumps({"Id": "sha256:" + identifier}) if option("--format") == "{{json .}}" else "sha256:" + identifier, *["1"] * ("range .RootFS" in option("--format")))
elif words[:2] == ["volume", "create"]:
    with open(f"{path}.{os.getpid()}", "w") as file:
        json.dump(dict(word.split("=", 1) for word in words if "=" in word), file)
    if not os.path.exists(os.path.join(folder, words[-1])):
        subprocess.run(["/bin/ln", file.name, os.path.join(folder, words[-1])], stderr=subprocess.DEVNULL)  # the first one stays
elif words[:2] == ["volume", "inspect"]:
    if not os.path.exists(os.path.join(folder, words[-1])):
        sys.exit(f"no such volume: {words[-1]}")
    print(shown(option("--format"), {"labels": json.load(open(os.path.join(folder, words[-1]))), "health": ""}))
elif command == "tag":
    state["images"][words[2]] = image_of(words[1])
elif command == "up":
    for container in state["containers"]:  # makes them anew, with what their names stand for now
        if "full" in container and image_of(container["full"]) != container["image_id"]:
            container.update(id=container["id"][:-1] + "n", image_id=image_of(container["full"]), restarts=0)
elif command == "images" and "-aq" in words:
    print("\n".join(f"sha256:{identifier}" for identifier in sorted(set(state["images"].values()))))
elif command == "images" and "-q" in words and words[-1] != "--no-trunc":
    for full, identifier in state["images"].items():
        if words[-1] in (full.removeprefix("docker.io/library/"), full.removeprefix("docker.io/library/").rpartition(":")[0]):
            print("sha256:" + identifier)
elif command not in ("version", "images", "rmi", "create", "logs", "rm", "run", "up", "exec", "events"):
    sys.exit(f"the made-up engine does not know {words}")
if json.dumps(state) != before:
    with open(f"{path}.{os.getpid()}", "w") as file:
        json.dump(state, file)
    os.replace(file.name, path)
