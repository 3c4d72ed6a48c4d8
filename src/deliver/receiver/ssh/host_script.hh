// The scripts that run on a host, and its language: what is asked, and what comes back. docs/formats.md, "Talking to a
// host". Pure; a HostAnswer belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/stream.hh"

namespace veneer::deliver {

/// What a run of the script is for; each has its own part of it.
enum class HostTask {
  ship,     // host_ship.sh: inventory, parts, put
  rollout,  // host_rows.sh, host_services.sh, host_container.sh, host_health.sh, host_facts.sh and host_rollout.sh:
            // facts, deploy, history
};

/// The script as it is sent: without comments and indentation.
const std::string& host_script(HostTask task);

/// The command line for the host, whose login shell may be any: a shell that reads host_script() from its standard
/// input, exactly, and runs it on what follows there.
std::string host_command(HostTask task);

/// Any text as one word of a value: all but letters, digits and a few others as "%" and three octal digits.
std::string as_host_word(std::string_view text);

/// Any text as one word of a history and of what is told of who is at work: odd characters are "_", nothing is "-".
std::string as_name(std::string_view text);

/// One request: "key value" lines. A value has letters, digits and "._:/@+,=%&?- " only; Error (usage) that names the
/// key otherwise.
class HostRequest {
 public:
  /// `nonce` marks the answer's begin and end; letters and digits. "put" and "deploy" are acts, the others questions.
  HostRequest(HostTask task, std::string_view verb, std::string nonce);
  void add(std::string_view key, std::string_view value);
  /// Any text: what may not stand in a value travels as "%" and three octal digits.
  void add_text(std::string_view key, std::string_view text);
  const std::string& nonce() const { return nonce_; }
  /// What a shell that runs the script of the task is given; an act may have more after it.
  std::string text() const { return lines_ + "\n"; }
  HostTask task() const { return task_; }
  /// After a question the script waits for the next request, with an act it ends.
  bool is_question() const { return is_question_; }

 private:
  HostTask task_;
  bool is_question_;
  std::string nonce_;
  std::string lines_;
};

struct HostLine {
  std::string key;
  std::string value;  // unfiltered
};

/// Reads an answer as it comes: skips what stands before the marker, takes lines up to the end. Throws Error (refused)
/// when an answer is longer than one may be.
class HostAnswer : public ByteSink {
 public:
  HostAnswer(const std::string& nonce, std::function<void(const HostLine&)> on_line);
  void write(ByteView bytes) override;
  void commit() override {}

  bool has_begun() const { return state_ != State::before; }
  /// Whether the end came too: everything was said.
  bool has_ended() const { return state_ == State::after; }
  /// The end of what stood before the answer, printable: what login scripts say, or why there is no answer.
  std::string preamble() const;

 private:
  enum class State { before, within, after };
  void take_line();

  std::string begin_;
  std::string end_;
  std::function<void(const HostLine&)> on_line_;
  State state_ = State::before;
  std::string line_;
  std::string preamble_;
  std::uint64_t count_ = 0;
};

}  // namespace veneer::deliver
