#include "owners/procfile.hh"

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::owners {

std::vector<Process> parse_procfile(std::string_view text) {
  if (text.size() > 64 << 10) throw Error(ErrorKind::refused, "the Procfile has more than 64 KiB");
  std::vector<Process> processes;
  std::size_t number = 0;
  for (const std::string& line : split_fields(text, '\n')) {
    ++number;
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string::npos) continue;
    const std::string kind = line.substr(0, colon);
    const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; };
    const std::string_view command = trimmed(std::string_view(line).substr(colon + 1));
    if (!std::all_of(kind.begin(), kind.end(), fits) || command.empty()) continue;
    processes.push_back({kind, {std::string(command), number}});
  }
  return processes;
}

}  // namespace veneer::owners
