// Running programs of another root file system: an image's, a base's. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veneer {

/// How programs are started in another root on this machine: the words that stand in front of the new root.
struct Sandbox {
  std::vector<std::string> words;
  bool is_furnished = false;  // has proc, the usual devices and an empty tmp
  bool is_root = false;       // runs as root of a user namespace, whoever was asked for
};

/// As platform.machine() of Python names this machine: "x86_64".
std::string native_machine();

enum class Furniture {
  none,    // the root as it is, for programs that read and write their standard streams only
  wanted,  // proc, dev, tmp where that can be had: mounted in a mount namespace of its own, gone with it
};

struct SandboxUser {
  std::uint64_t uid = 65534;  // nobody
  std::uint64_t gid = 65534;
};

/// The best way that works here: without network, as `user`, in namespaces of its own, where that can be had; an
/// environment of PATH, LC_ALL and PYTHONHASHSEED alone. Nothing when the machine allows no way.
std::optional<Sandbox> find_sandbox(Furniture furniture = Furniture::none, const SandboxUser& user = {});

/// Words in front of: a root, an empty folder, absolute paths without links that are seen in it as they are here, "--",
/// the folder where the command starts, the command. It runs as who calls it (root of a user namespace, if need be)
/// with the root as its own, what it writes there is forgotten at its end; with the caller's environment, network and
/// processes, /proc, /dev and an empty /tmp. Nothing when the machine allows no way.
std::optional<std::vector<std::string>> find_open_sandbox();

}  // namespace veneer
