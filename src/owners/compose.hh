// A compose file: which of its services are built of a folder, by which Dockerfile, and with which command (the Compose
// Specification, "build", "command", "entrypoint", "Interpolation"). Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "owners/evaluate.hh"

namespace veneer::owners {

struct BuiltService {
  std::string name;
  std::size_t line = 0;
  std::string context;                         // as written: ".", "./backend"
  std::string dockerfile;                      // relative to the context; empty: Dockerfile
  std::string target;                          // may be empty
  std::optional<Located<Invocation>> command;  // words only: compose runs no shell
  std::optional<Located<Invocation>> entrypoint;
  std::vector<Located<std::string>> unread;  // sentences
};

/// `image` of a service, with or without a `build`.
struct ServiceImage {
  std::string service;
  std::string image;  // as written but for variables; its tag is left off where a variable of it has no default
  std::size_t line = 0;
};

struct ComposeFile {
  std::string file;
  std::vector<BuiltService> services;  // those with a `build`, in the file's order
  std::vector<ServiceImage> images;    // in the file's order
};

/// Variables have their defaults ("${PORT:-8000}"); a command with one that has none is left out, and said in `unread`.
/// Throws Error (refused) that names the file for what is no YAML, and where a part has another type than it must.
ComposeFile parse_compose(std::string_view text, std::string file);

}  // namespace veneer::owners
