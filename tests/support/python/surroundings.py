"""The surroundings that tests, the demo and benches run in, the same for every user and machine. Importing this makes them.

What is run from then on sees git with an identity and without the settings of user and machine, and one locale, time zone
and umask. HOME stays: it leads to caches, and uv to the package index of this machine. fixtures.SystemTest has one of its own.
"""

import os

SETTINGS = {  # of git: files that it reads whatever the settings are, and folders that belong to someone else
    "core.excludesFile": os.devnull,
    "core.attributesFile": os.devnull,
    "init.defaultBranch": "main",
    "protocol.file.allow": "always",
    "safe.directory": "*",
}
NO_GIT_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
GIT = {
    **NO_GIT_SETTINGS,
    "GIT_CONFIG_COUNT": str(len(SETTINGS)),
    **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(SETTINGS.values())},
    **{f"GIT_{role}_NAME": "A" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "a@host.example" for role in ("AUTHOR", "COMMITTER")},
}

for _name in list(os.environ):
    if _name.startswith(("GIT_", "LC_")) or _name in ("LANG", "LANGUAGE", "VIRTUAL_ENV"):
        del os.environ[_name]
os.environ.update(GIT, LC_ALL="C.UTF-8", TZ="UTC")
os.umask(0o022)
