#include "python/project/python_request.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "python/python_version.hh"
#include "python/specifier.hh"
#include "python/version.hh"

namespace veneer::python {

namespace {

constexpr std::uint64_t version_file_limit = 64 * 1024;

struct Implementation {
  std::string_view word;
  std::string_view other;  // the name of what is not CPython
};
// A word that begins another one stands behind it.
constexpr std::array implementations = {Implementation{"cpython", ""},        Implementation{"cp", ""},
                                        Implementation{"python", ""},         Implementation{"any", ""},
                                        Implementation{"pypy", "PyPy"},       Implementation{"pp", "PyPy"},
                                        Implementation{"graalpy", "GraalPy"}, Implementation{"gp", "GraalPy"},
                                        Implementation{"pyodide", "Pyodide"}};

[[noreturn]] void refuse_request(std::string_view text, std::string_view why) {
  throw Error(ErrorKind::refused, fmt::format("the Python \"{}\" {}", printable(text), why),
              "a version such as 3.12 or 3.12.4 can be had, also by --python or python in [tool.veneer]");
}

/// "cpython-3.12.4-linux-x86_64-gnu" without its platform.
std::string_view without_platform(std::string_view version) {
  return version.substr(0, std::min(version.find('-'), version.size()));
}

void refuse_variants(std::string_view text, std::string_view version) {
  const std::string_view variant = version.substr(std::min(version.find('+'), version.size()));
  const bool ends_in_digit_and = version.size() > 1 && version.find_first_of("tdabc") == version.size() - 1;
  if (variant.starts_with("+freethreaded") || (ends_in_digit_and && version.ends_with('t')) ||
      version.ends_with("td")) {
    refuse_request(text,
                   "is free-threaded, which no image is built on unless its base has it (--base with --python 3.13t)");
  }
  if (variant.starts_with("+debug") || (ends_in_digit_and && version.ends_with('d'))) {
    refuse_request(text, "is a debug build, whose ABI is another");
  }
}

}  // namespace

PythonRequest parse_python_request(std::string_view text) {
  PythonRequest request;
  request.text = trimmed(text);
  const std::string lowered = lower(request.text);
  std::string_view rest = lowered;
  if (rest.find_first_of("/\\") != std::string_view::npos) refuse_request(request.text, "is a path of one machine");
  if (rest == "any" || rest == "default") return request;
  for (const Implementation& implementation : implementations) {
    if (!rest.starts_with(implementation.word)) continue;
    const std::string_view after = rest.substr(implementation.word.size());
    const bool is_it = after.empty() || after.find_first_of("@-0123456789<>=!~") == 0;
    if (!is_it) continue;
    if (!implementation.other.empty()) {
      refuse_request(request.text, fmt::format("is {}, but only CPython is supported", implementation.other));
    }
    rest = after;
    if (rest.starts_with('@') || rest.starts_with('-')) rest.remove_prefix(1);
    break;
  }
  if (rest.empty() && !lowered.empty()) return request;
  if (rest.find_first_of("<>=!~") == 0) {
    const auto set = SpecifierSet::parse(rest);
    if (!set) refuse_request(request.text, "holds no version specifiers (PEP 440)");
    request.specifiers = set->text();
    return request;
  }
  rest = without_platform(rest);
  if (rest.starts_with('v')) rest.remove_prefix(1);
  refuse_variants(request.text, rest);
  std::string spelled(rest);
  if (spelled.size() > 1 && std::all_of(spelled.begin(), spelled.end(), is_digit)) spelled.insert(1, ".");
  const std::optional<Version> version = Version::parse(spelled);
  const bool is_plain = version && is_digit(spelled[0]) && version->release.size() <= 3 && !version->post &&
                        version->local.empty() && version->text() == spelled && spelled.find('!') == std::string::npos;
  if (!is_plain) refuse_request(request.text, "is no version that can be had");
  if (version->release[0] != 3) refuse_request(request.text, "is not Python 3");
  if (version->release.size() < 3 && !version->is_prerelease()) {
    request.specifiers = fmt::format("=={}.*", spelled);
    return request;
  }
  if (version->release.size() < 3) {  // "3.15rc1"
    const std::size_t stage = spelled.find_first_not_of("0123456789.");
    spelled.insert(stage, version->release.size() == 2 ? ".0" : ".0.0");
  }
  if (!parse_python_version(spelled)) refuse_request(request.text, "is no version that can be had");
  request.exact = spelled;
  return request;
}

bool satisfies(const PythonRequest& request, const std::string& full_version) {
  if (request.exact.empty()) return allows_python(request.specifiers, full_version);
  return full_version == request.exact || full_version == request.exact + "+";
}

std::optional<VersionLine> read_version_file(std::string_view text) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.front() != '#') return VersionLine{std::string(line), number};
  }
  return std::nullopt;
}

std::optional<PlacedRequest> find_version_file(const std::filesystem::path& folder, const std::filesystem::path& root) {
  for (std::filesystem::path place = folder;; place = place.parent_path()) {
    for (const char* name : {".python-version", ".python-versions"}) {
      const auto text = read_text_file_if_exists(place / name, version_file_limit);
      const auto line = text ? read_version_file(*text) : std::nullopt;
      if (!line) continue;
      const std::string shown =
          fmt::format("{}:{}", printable((place / name).lexically_relative(root).native()), line->line);
      return in_context([&] { return std::string(shown); },
                        [&] {
                          return PlacedRequest{parse_python_request(line->text), shown};
                        });
    }
    if (place == root || !place.has_relative_path()) return std::nullopt;
  }
}

}  // namespace veneer::python
