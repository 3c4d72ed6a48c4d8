#include "deliver/receiver/ssh/host_session.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {
constexpr int connection_failed = 255;           // ssh's own exit code
constexpr std::chrono::seconds usual_pulse{10};  // of a script that works, between two signs of it
}  // namespace

std::string group_of(const EngineName& live_name) { return sha256(live_name.full()).hex().substr(0, 12); }

HostSession::HostSession(SshAddress address, SshOptions options)
    : connection_(std::move(address)), options_(std::move(options)) {}

HostRequest HostSession::request(HostTask task, std::string_view verb) const {
  std::random_device random;
  HostRequest request(task, verb, fmt::format("{:08x}{:08x}", random(), random()));
  if (!options_.program.empty()) request.add("program", options_.program);
  if (options_.elevation == Elevation::sudo) request.add("sudo", "yes");
  if (!options_.staging.empty()) request.add("staging", options_.staging);
  const auto pulse = std::max(options_.patience / 3, std::chrono::seconds(1));
  if (pulse < usual_pulse) request.add("pulse", std::to_string(pulse.count()));
  return request;
}

std::string HostSession::listed_name(const EngineName& name) const {
  return options_.program == "podman" ? name.full() : name.familiar();
}

void HostSession::close() {
  shells_.clear();
  connection_.close();
}

// The shell of the request's task, which was given it.
HostSession::Shell& HostSession::shell_with(const HostRequest& request) {
  Shell& shell = shells_[request.task()];
  if (shell.dialogue && shell.dialogue->has_ended()) shell = {};
  if (shell.dialogue && shell.ahead == request.nonce()) return shell;
  if (!shell.dialogue) {
    shell.dialogue = connection_.start_command(host_command(request.task()));
    shell.dialogue->give(host_script(request.task()));
  }
  shell.dialogue->give(request.text());
  shell.ahead.clear();  // what was asked before is noise now
  return shell;
}

void HostSession::ask_ahead(const HostRequest& request) { shell_with(request).ahead = request.nonce(); }

CommandResult HostSession::send(const HostRequest& request, ByteSource* body, HostAnswer& answer,
                                std::function<std::uint64_t()> progress) {
  ++round_trips_;
  Shell& shell = shell_with(request);
  std::unique_ptr<Dialogue> dialogue = std::move(shell.dialogue);  // which ends when something is thrown
  shell = {};
  const DialoguePatience patience{options_.patience, std::move(progress)};
  if (!request.is_question()) return dialogue->end(body, answer, patience);
  if (auto result = dialogue->hear(
          answer, [&] { return answer.has_ended(); }, patience))
    return std::move(*result);
  shells_[request.task()].dialogue = std::move(dialogue);
  return {};
}

void HostSession::ask(const HostRequest& request, const std::function<void(const HostLine&)>& on_line,
                      std::string_view body) {
  std::optional<std::string> refusal;
  std::string hint;
  HostAnswer answer(request.nonce(), [&](const HostLine& line) {
    if (line.key == "hint") hint = printable(trimmed(line.value), 600);
    if (line.key == "refused") refusal = printable(trimmed(line.value), 600);
    on_line(line);
  });
  const auto try_once = [&] {
    MemorySource source(as_bytes(body));
    return send(request, body.empty() ? nullptr : &source, answer);
  };
  CommandResult result = try_once();
  if (result.exit_code == connection_failed && !answer.has_begun()) {
    close();
    open();
    result = try_once();
  }
  if (refusal) throw Error(ErrorKind::refused, fmt::format("{}: {}", address().text(), *refusal), hint);
  if (answer.has_ended()) return;
  std::string said = answer.preamble();
  if (const std::string errors = printable(trimmed(result.errors), 1000); !errors.empty()) {
    said += (said.empty() ? "" : " ") + errors;
  }
  if (answer.has_begun()) said = "the answer stopped half way" + (said.empty() ? "" : ": " + said);
  if (result.ending == Ending::out_of_patience) {
    said = fmt::format("it said nothing for {} s{}", options_.patience.count(), said.empty() ? "" : ": " + said);
  }
  throw Error(ErrorKind::network,
              fmt::format("{} did not answer as a host should: {}", connection_.address().text(),
                          said.empty() ? "it said nothing" : said),
              "the account needs a login shell that runs commands (sh, bash, csh, fish)");
}

}  // namespace veneer::deliver
