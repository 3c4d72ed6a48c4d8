#include "engine/engine_error.hh"

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"

namespace veneer::engine {

std::string_view essence_of(std::string_view problem) {
  constexpr std::string_view ours = "* oci-archive: ";
  const std::size_t start = problem.find(ours);
  if (start == std::string_view::npos) return problem;
  problem.remove_prefix(start + ours.size());
  return problem.substr(0, problem.find('\n'));
}

std::string read_error(std::string_view body) {
  try {
    const Value document = parse_json(body);
    const Value* message = document.is_table() ? document.find("message") : nullptr;
    if (message != nullptr && message->is_string() && !message->string().empty()) {
      return printable(trimmed(essence_of(message->string())));
    }
  } catch (const Error&) {
    // Not every engine answers in JSON when it fails: the text itself then has to do.
  }
  return printable(trimmed(body));
}

}  // namespace veneer::engine
