#include "cli/rollout_report.hh"

#include <fmt/format.h>

#include "foundation/error.hh"

namespace veneer::cli {

std::string_view outcome_name(deliver::RolloutResult::Outcome outcome) {
  switch (outcome) {
    case deliver::RolloutResult::Outcome::well: return "well";
    case deliver::RolloutResult::Outcome::back: return "back";
    case deliver::RolloutResult::Outcome::failed: return "failed";
  }
  return "";
}

void show_phase(const std::string& phase, app::Messages& messages, const std::string& host) {
  if (phase == "before") messages.progress(host + "running the command before it");
  if (phase == "restart") messages.progress(host + "restarting the services");
  if (phase == "health") messages.progress(host + "waiting for the services to be well");
  if (phase == "waiting") messages.progress(host + "another rollout is at work there; waiting for its end");
  if (phase == "after") messages.progress(host + "running the command after it");
  if (phase == "stop") messages.progress(host + "stopping the old containers");
  if (phase == "engine") messages.progress(host + "the engine does not answer; waiting for it");
  if (phase == "back") messages.note(host + "not well: going back");
}

std::string outcome_text(const deliver::RolloutResult& result) {
  std::string text;
  switch (result.outcome) {
    case deliver::RolloutResult::Outcome::well: text = fmt::format("release {} is well", result.revision); break;
    case deliver::RolloutResult::Outcome::back:
      text = fmt::format("release {} went back, the one before serves: {}", result.revision, result.why);
      break;
    case deliver::RolloutResult::Outcome::failed:
      text = fmt::format("release {} failed: {}", result.revision, result.why);
      break;
  }
  if (!result.logs.empty()) text += "\n  log: " + result.logs;
  for (const std::string& note : result.notes) text += "\n  note: " + note;
  return text;
}

int exit_code_of(const deliver::RolloutResult& result) {
  switch (result.outcome) {
    case deliver::RolloutResult::Outcome::well: return 0;
    case deliver::RolloutResult::Outcome::back: return exit_code(ErrorKind::rolled_back);
    case deliver::RolloutResult::Outcome::failed: break;
  }
  return exit_code(ErrorKind::failed);
}

void add_to(Value& document, const deliver::RolloutResult& result) {
  document.set("outcome", outcome_name(result.outcome));
  document.set("revision", result.revision);
  document.set("why", result.why);
  document.set("logs", result.logs);
  document.set("notes", Value(Value::Array(result.notes.begin(), result.notes.end())));
}

}  // namespace veneer::cli
