#include "python/lock/requirements.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "foundation/user_info.hh"
#include "net/http.hh"
#include "python/lock/choose_file.hh"
#include "python/lock/location.hh"
#include "python/lock/needed.hh"
#include "python/name.hh"
#include "python/tag.hh"
#include "python/version.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {

namespace {

constexpr std::string_view space = " \t\r\f\v";

bool is_sha256(const std::string& hash) { return hash.starts_with("sha256:"); }

/// A "#" at the start of a line or after white space begins a comment.
std::string_view without_comment(std::string_view line) {
  for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    if (at == 0 || space.find(line[at - 1]) != std::string_view::npos) return line.substr(0, at);
  }
  return line;
}

struct LogicalLine {
  std::size_t number = 0;  // of its first line
  std::string text;
};

/// Lines joined where one ends with a backslash; comments gone. A line that is only a comment ends a joined one.
std::vector<LogicalLine> logical_lines(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::vector<LogicalLine> result;
  LogicalLine current;
  std::size_t number = 0;
  const auto finish = [&] {
    if (!trimmed(current.text).empty()) result.push_back({current.number, std::string(trimmed(current.text))});
    current = {};
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (current.text.empty()) current.number = number;
    if (trimmed(line).starts_with('#')) {
      finish();
    } else if (line.ends_with('\\')) {
      line.remove_suffix(1);
      current.text += line;
      current.text += ' ';
    } else {
      current.text += without_comment(line);
      finish();
    }
  }
  finish();
  return result;
}

/// "--hash=sha256:…" at the end of a line, taken off it.
std::vector<std::string> take_hashes(std::string& line) {
  std::vector<std::string> hashes;
  const std::size_t at = line.find(" --");
  if (at == std::string::npos) return hashes;
  std::string_view rest = trimmed(std::string_view(line).substr(at));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(space), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest = trimmed(rest.substr(end));
    if (word == "--hash" && !rest.empty()) {
      const std::size_t value_end = std::min(rest.find_first_of(space), rest.size());
      hashes.emplace_back(rest.substr(0, value_end));
      rest = trimmed(rest.substr(value_end));
    } else if (word.starts_with("--hash=")) {
      hashes.emplace_back(word.substr(7));
    } else if (word.starts_with('-')) {
      refuse(fmt::format("the option {} of a requirement is not supported", printable(word)));
    } else {
      refuse("behind the options of a requirement stands something that is none");
    }
  }
  struct Algorithm {
    std::string_view name;
    std::size_t digits;
  };
  constexpr std::array algorithms = {Algorithm{"sha256", 64}, Algorithm{"sha384", 96}, Algorithm{"sha512", 128}};
  for (std::string& hash : hashes) {
    std::transform(hash.begin(), hash.end(), hash.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const std::size_t colon = hash.find(':');
    const auto known = std::find_if(algorithms.begin(), algorithms.end(), [&](const Algorithm& algorithm) {
      return colon != std::string::npos && hash.substr(0, colon) == algorithm.name;
    });
    if (known == algorithms.end() || hash.size() - colon - 1 != known->digits ||
        hash.find_first_not_of("0123456789abcdef", colon + 1) != std::string::npos) {
      refuse(fmt::format("\"{}\" is no hash of SHA-256, SHA-384 or SHA-512", printable(hash)));
    }
  }
  line = trimmed(std::string_view(line).substr(0, at));
  return hashes;
}

std::string filled_in(std::string_view text, const Variables& variables) {
  constexpr std::string_view of_names = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  std::string result;
  for (std::size_t start = text.find("${"); start != std::string_view::npos; start = text.find("${")) {
    const std::string name(text.substr(start + 2, text.find_first_not_of(of_names, start + 2) - start - 2));
    const std::size_t end = start + 2 + name.size();
    const bool is_variable = !name.empty() && text.substr(end).starts_with('}');
    const auto value = is_variable && variables ? variables(name) : std::nullopt;
    if (value && value->find_first_of("\r\n") != std::string::npos) refuse("the variable " + name + " has a line end");
    result += text.substr(0, start);
    result += value ? *value : std::string(text.substr(start, end - start));
    text.remove_prefix(value ? end + 1 : end);
  }
  return result.append(text);
}

/// Paths are let pass, and what uv will say has an unknown variable.
void check_index(const std::string& place) {
  const bool is_path =
      scheme_of(place).empty() && (place.find(':') == std::string::npos || url_without_user_info(place) == place);
  if (is_path || place.find("${") != std::string::npos) return;
  static_cast<void>(net::split_url(place));
}

/// Options that stand for themselves: those for the index are kept, those that change nothing here are let pass.
bool take_option(const std::string& line, const Variables& variables, RequirementsFile& file) {
  if (!line.starts_with('-')) return false;
  const std::size_t end = std::min(line.find_first_of(" \t="), line.size());
  const std::string name = line.substr(0, end);
  const std::string value(trimmed(std::string_view(line).substr(std::min(end + 1, line.size()))));
  if (name == "-e" || name == "--editable") return false;
  const auto add = [&](const std::string& full_name) {
    const std::string place = filled_in(value, variables);
    check_index(place);
    file.index_options.push_back(full_name + " " + place);
  };
  if (name == "-i" || name == "--index-url" || name == "--pypi-url") {
    add("--index-url");
  } else if (name == "--extra-index-url" || name == "--find-links" || name == "-f") {
    add(name == "-f" ? "--find-links" : name);
  } else if (name == "--no-index") {
    file.index_options.push_back(name);
  } else if (name == "-r" || name == "--requirement" || name == "-c" || name == "--constraint") {
    refuse(fmt::format("it includes another file, {}", printable(value)), "export one file that holds everything");
  } else if (name != "--require-hashes" && name != "--pre" && name != "--prefer-binary" && name != "--trusted-host") {
    refuse(fmt::format("the option {} is not supported", printable(name)));
  }
  return true;
}

/// "name @ https://host/file.whl", which ends like a path.
bool is_named_url(std::string_view text) {
  const std::string_view name = leading_name(text);
  if (name.empty()) return false;
  std::string_view rest = text.substr(name.size());
  if (rest.starts_with('[')) rest.remove_prefix(std::min(rest.find(']') + 1, rest.size()));
  return trimmed(rest).starts_with('@');
}

bool is_path(std::string_view text) {
  if (is_named_url(text)) return false;
  return text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") || text.starts_with('/') ||
         text.starts_with("file:") || text.starts_with("git+") || text.starts_with("http:") ||
         text.starts_with("https:") || !scheme_of(text).empty() || text.ends_with(".whl") ||
         text.ends_with(".tar.gz") || text.ends_with(".zip");
}

/// "path ; marker"; extras behind a path say nothing more, since all that is needed is in the file.
RequirementsLine read_path(std::string_view text) {
  RequirementsLine line;
  const std::size_t semicolon = std::min(text.find(" ;"), text.find("; "));
  if (semicolon != std::string_view::npos) {
    line.marker = Marker::parse(trimmed(text.substr(text.find(';') + 1)));
    text = trimmed(text.substr(0, semicolon));
  }
  if (text.ends_with(']')) text = text.substr(0, text.rfind('['));
  line.location = trimmed(text);
  return line;
}

RequirementsLine read_release(std::string_view text) {
  const Requirement requirement = Requirement::parse(text);
  RequirementsLine line;
  line.name = normalised_name(requirement.name);
  line.marker = requirement.marker;
  if (!requirement.url.empty()) {
    line.location = requirement.url;
    return line;
  }
  const std::string clause = requirement.specifier.text();
  const std::string_view equals = clause.starts_with("===") ? "===" : "==";
  const bool pins = clause.starts_with("==") && clause.find(',') == std::string::npos && !clause.ends_with('*');
  if (!pins) {
    refuse(fmt::format("{} is not pinned to one version", printable(line.name)),
           "export it from a lock: uv export --format requirements.txt");
  }
  line.version = clause.substr(equals.size());
  return line;
}

RequirementsLine read_line(std::string text, const Variables& variables) {
  bool is_editable = false;
  for (const std::string_view option : {"-e", "--editable"}) {
    if (text.starts_with(option) && text.size() > option.size() && text.find_first_of(" \t=") == option.size()) {
      text = trimmed(std::string_view(text).substr(option.size() + 1));
      is_editable = true;
    }
  }
  std::vector<std::string> hashes = take_hashes(text);
  RequirementsLine line = is_editable || is_path(text) ? read_path(text) : read_release(text);
  line.location = filled_in(line.location, variables);
  if (line.location.empty() && line.version.empty()) refuse("it names no folder");
  if (line.location.find("${") != std::string::npos) {
    refuse(fmt::format("a variable in {} is not set", net::display_url(line.location)));
  }
  line.hashes = std::move(hashes);
  line.editable = is_editable ? Editable::yes : Editable::no;
  return line;
}

/// "git+https://host/repo@<commit>#subdirectory=a"
void take_git(const std::string& location, SelectedPackage& package) {
  package.kind = PackageKind::git;
  std::string url = location.substr(4);
  const std::size_t fragment = url.find('#');
  if (fragment != std::string::npos) {
    constexpr std::string_view key = "subdirectory=";
    const std::size_t at = url.find(key, fragment);
    if (at != std::string::npos) {
      const std::size_t end = std::min(url.find('&', at), url.size());
      package.subdirectory = percent_decoded(url.substr(at + key.size(), end - at - key.size()));
    }
    url.resize(fragment);
  }
  const std::size_t at = url.rfind('@');
  package.git_commit = at == std::string::npos ? "" : url.substr(at + 1);
  if (package.git_commit.size() != 40 || package.git_commit.find_first_not_of("0123456789abcdef") != std::string::npos)
    refuse(fmt::format("{} is not pinned to a commit",
                       package.name.empty() ? net::display_url(url) : printable(package.name)));
  package.location = url.substr(0, at);
}

void take_file(const RequirementsLine& line, SelectedPackage& package) {
  package.kind = package.file.ends_with(".whl") ? PackageKind::wheel : PackageKind::archive;
  package.location = without_fragment(line.location);
  if (line.hashes.size() == 1 && line.hashes[0].starts_with("sha256:")) {
    package.hash = FileHash::parse(line.hashes[0]);
  } else {
    package.hashes = line.hashes;
  }
}

/// "file:///a" as "/a"; other locations as they are.
std::string as_path(const std::string& location) {
  return scheme_of(location) == "file" ? percent_decoded(location.substr(location.find("://") + 3)) : location;
}

SelectedPackage selected(const RequirementsLine& line, const NameOfFolder& name_of_folder) {
  SelectedPackage package;
  package.name = line.name;
  package.version = line.version;
  if (line.location.empty()) {
    package.kind = PackageKind::release;
    package.hashes = line.hashes;
    return package;
  }
  if (line.location.starts_with("git+")) {
    take_git(line.location, package);
    if (package.name.empty()) refuse("a git source needs a name: name @ git+https://…");
    return package;
  }
  package.file = file_name_of(without_fragment(line.location));
  const bool is_archive = package.file.ends_with(".tar.gz") || package.file.ends_with(".zip");
  if (package.file.ends_with(".whl") || is_archive) {
    if (package.file.ends_with(".whl")) {
      const WheelFileName file = parse_wheel_file_name(package.file);
      if (package.name.empty()) package.name = normalised_name(file.name);
      package.version = file.version;
    } else if (package.name.empty()) {
      const auto file = parse_sdist_file_name(package.file);
      if (!file) refuse(fmt::format("the name of {} does not tell its project", printable(package.file)));
      package.name = file->name;
      package.version = file->version;
    }
    take_file(line, package);
    return package;
  }
  if (line.location.find(":/") != std::string::npos && scheme_of(line.location) != "file") {
    refuse(fmt::format("{} is the URL of no wheel, .tar.gz or .zip", net::display_url(line.location)),
           "an index is named by --index-url, a repository by git+https://…");
  }
  package.file.clear();
  package.kind = PackageKind::tree;
  package.location = as_path(line.location);
  package.editable = line.editable;
  if (package.location.starts_with("./")) package.location.erase(0, 2);
  if (package.location.empty()) package.location = ".";
  if (package.name.empty()) package.name = name_of_folder(package.location);
  package.is_project = is_own_folder(package.location, package.editable);
  return package;
}

}  // namespace

bool is_requirements_name(std::string_view file_name) { return file_name.ends_with(".txt"); }

std::string place_of_index(std::string_view option) {
  return std::string(option.substr(std::min(option.find(' '), option.size() - 1) + 1));
}

RequirementsFile parse_requirements(std::string_view text, const Variables& variables) {
  RequirementsFile file;
  for (const LogicalLine& line : logical_lines(text)) {
    in_context([&] { return fmt::format("line {}", line.number); },
               [&] {
                 if (!take_option(line.text, variables, file)) file.lines.push_back(read_line(line.text, variables));
               });
  }
  return file;
}

Selection select(const RequirementsFile& file, const Target& target, const SelectOptions& options,
                 const NameOfFolder& name_of_folder) {
  const auto is_given = [](const std::vector<std::string>& names) { return !names.empty(); };
  if (options.extra_choice == ExtraChoice::all || options.group_choice == GroupChoice::all ||
      options.member_choice == MemberChoice::all || is_given(options.extras) || is_given(options.groups) ||
      is_given(options.default_groups) || is_given(options.excluded_groups) || is_given(options.packages)) {
    refuse("a requirements file knows no extras, groups or members of a workspace: they were chosen when it was made",
           "choose them in: uv export");
  }
  const MarkerEnvironment environment = environment_of(target);
  Selection selection;
  std::set<std::string> taken;
  for (const RequirementsLine& line : file.lines) {
    if (!is_needed(line.marker, environment, line.name.empty() ? net::display_url(line.location) : line.name)) continue;
    SelectedPackage package = selected(line, name_of_folder);
    if (!taken.insert(package.name).second) {
      refuse(fmt::format("{} is there twice for this environment", printable(package.name)));
    }
    selection.packages.push_back(std::move(package));
  }
  sort_by_name(selection.packages);
  return selection;
}

Selection fill_in(const Selection& selection, const Pylock& available, const Target& target) {
  const TagRanks ranks(target);
  Selection result;
  result.unusable = selection.unusable;
  for (const SelectedPackage& wanted : selection.packages) {
    if (wanted.kind != PackageKind::release) {
      result.packages.push_back(wanted);
      continue;
    }
    const auto version = Version::parse(wanted.version);
    std::optional<SelectedPackage> chosen;
    for (const PylockPackage& entry : available.packages) {
      if (entry.package.name != wanted.name) continue;
      const auto found = Version::parse(entry.package.version);
      if (entry.package.version != wanted.version && (!version || !found || *version != *found)) continue;
      LockPackage package = entry.package;
      // By hashes of another kind than the index gives, a file can only be told once it is here.
      if (std::any_of(wanted.hashes.begin(), wanted.hashes.end(), is_sha256)) {
        const auto is_wrong = [&](const LockFile& file) {
          return std::find(wanted.hashes.begin(), wanted.hashes.end(), file.hash) == wanted.hashes.end();
        };
        std::vector<LockFile> wheels(package.wheels.begin(), package.wheels.end());
        std::erase_if(wheels, is_wrong);
        package.wheels = LockWheels(std::move(wheels));
        if (package.sdist && is_wrong(*package.sdist)) package.sdist.reset();
      }
      chosen = choose_file(package, ranks);
      break;
    }
    if (!chosen) {
      result.unusable.push_back(wanted.name);
      continue;
    }
    // What the index says of a file is no promise of the lock.
    if (std::none_of(wanted.hashes.begin(), wanted.hashes.end(), is_sha256)) {
      chosen->hash.reset();
      chosen->hashes = wanted.hashes;
    }
    result.packages.push_back(std::move(*chosen));
  }
  std::sort(result.unusable.begin(), result.unusable.end());
  return result;
}

}  // namespace veneer::python
