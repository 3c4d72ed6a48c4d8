// What an image takes of a Dockerfile's stage, each value with its file, line and reason, and what it does not take,
// and why. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "owners/evaluate.hh"
#include "start/command.hh"
#include "start/inputs.hh"

namespace veneer::start {

/// Why a variable is not taken that only means something where it was written.
inline constexpr std::string_view own_variable = "the image has its own";
inline constexpr std::string_view tool_variable = "it is for the tool that installs";

struct TakenItem {
  std::string what;   // "WORKDIR /srv"
  std::string place;  // "Dockerfile:4"
  std::string why;    // of what is left: the reason; of what is taken: usually empty
};

/// "Dockerfile:4", safe to print.
std::string place_of(const std::string& file, std::size_t line);

/// HEALTHCHECK as an image's configuration says it.
struct Health {
  std::vector<std::string> test;                    // "CMD", words... or "NONE"
  std::map<std::string, std::int64_t> nanoseconds;  // "Interval", "Timeout", "StartPeriod", "StartInterval"
  std::optional<std::int64_t> retries;
};

struct StartCommand {
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string rule;                   // "CMD", "[project.scripts]"
  std::string place;                  // "Dockerfile:12"
  std::string script;                 // a file of the project that must be executable; may be empty
  std::optional<std::uint16_t> port;  // on which it listens, where that is known

  std::vector<std::string> words() const;
};

struct Taken {
  std::optional<std::string> workdir;
  std::map<std::string, std::string> environment;
  std::vector<std::string> expose;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> user;  // with its group
  std::optional<Health> health;
  std::vector<python::FileRule> files;  // what COPY brings of the project; empty when it brings nothing that is known
  std::vector<std::string> packages;    // that apt installs: to be proposed
  std::optional<StartCommand> start;
  std::vector<TakenItem> taken;
  std::vector<TakenItem> left;
};

/// `own_files` are the rules that bring the project's files where COPY does not say it, relative to the working
/// directory. What `inputs.project.image` gives itself (`given`) is not asked of the Dockerfile. `above` is where the
/// project lies in the build context, see copied_files().
Taken taken_from(const Inputs& inputs, const owners::Dockerfile& file, std::string_view target,
                 const std::vector<python::FileRule>& own_files, const std::string& above = {});

/// The start command of ENTRYPOINT and CMD (or `command` of a compose file in place of CMD); nothing, and the reason in
/// `left`, when it cannot run in this image.
std::optional<StartCommand> start_of(const Inputs& inputs, const Places& places,
                                     const std::optional<owners::Located<owners::Invocation>>& entrypoint,
                                     const std::optional<owners::Located<owners::Invocation>>& cmd,
                                     const std::string& file, std::vector<TakenItem>& left);

}  // namespace veneer::start
