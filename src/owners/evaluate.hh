// What a stage of a Dockerfile comes to: its variables replaced, with what it inherits of the stages that it stands on.
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "owners/dockerfile.hh"

namespace veneer::owners {

/// What CMD, ENTRYPOINT, HEALTHCHECK CMD and RUN say.
struct Invocation {
  std::vector<std::string> words;  // the exec form; empty for a shell's
  std::string script;              // of the shell form
  std::vector<std::string> shell;  // that runs `script`: "/bin/sh", "-c"

  bool operator==(const Invocation&) const = default;
};

struct HealthCheck {
  Invocation command;                          // none of both for NONE
  std::map<std::string, std::string> options;  // "interval": "30s"
};

/// COPY or ADD.
struct FileCopy {
  std::vector<std::string> sources;  // of the context or of the stage, as written but for variables
  std::string to;                    // absolute; ends with a slash where it was written with one or is a folder by "."
  std::string from;                  // the stage or image of --from; empty: the build context
  std::string mode;                  // of --chmod; may be empty
  std::size_t line = 0;
};

struct StageFacts {
  std::string file;
  std::size_t line = 0;       // of its FROM
  std::string name;           // of the stage, or its number
  Located<std::string> base;  // the image that the chain of stages ends with; "" when a variable is not known
  std::map<std::string, Located<std::string>> environment;
  std::optional<Located<Invocation>> entrypoint;
  std::optional<Located<Invocation>> cmd;
  std::optional<Located<std::string>> workdir;  // absolute
  std::optional<Located<std::string>> user;
  std::vector<Located<std::string>> expose;
  std::optional<Located<HealthCheck>> health;
  std::vector<FileCopy> copies;
  std::vector<Located<Invocation>> runs;
  std::vector<Located<std::string>> unread;  // sentences: what could not be read, and why
};

/// The stage `target` (its name or number; "" is the last one). ARGs have their defaults; one without a default, and
/// what a builder sets (TARGETARCH), is not known, and a value made of it is left out and said in `unread`. Throws
/// Error: not_found when there is no such stage.
StageFacts evaluate(const Dockerfile& file, std::string_view target = {});

/// "3.12" of the Python image that the stage stands on, be it by other stages: python:3.12-slim,
/// docker.io/library/python:3.12.4, ghcr.io/astral-sh/uv:python3.12-bookworm-slim, and their like; nothing when its
/// name does not say it.
std::optional<Located<std::string>> python_minor_of(const Dockerfile& file, std::string_view target = {});

/// The names that apt-get, apt and aptitude install in the stage and those that it stands on: without options, versions
/// and names with variables; each once, at its first line.
std::vector<Located<std::string>> apt_packages_of(const Dockerfile& file, std::string_view target = {});

}  // namespace veneer::owners
