#include "python/project/base_target.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "foundation/elf.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"
#include "python/project/program_text.hh"
#include "python/python_version.hh"
#include "python/specifier.hh"
#include "tree/read_text.hh"

namespace veneer::python {

namespace {

constexpr std::uint64_t program_limit = 512ull << 20;
constexpr std::uint64_t header_limit = 1 << 20;

std::string read_program(const tree::FileTree& base, const std::string& path) {
  const tree::Inode* inode = base.find(path);
  if (inode == nullptr || inode->content == nullptr) return {};
  return in_context([&] { return "reading /" + printable(path) + " of the base"; },
                    [&] {
                      const std::unique_ptr<ByteSource> data = inode->content->open();
                      return std::string(as_text(read_all(*data, program_limit)));
                    });
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// "python3", "python3.12", "python3.13t"; `minor` is -1 when the name has none.
struct InterpreterName {
  int minor = -1;
  Threading threading = Threading::with_gil;
};
std::optional<InterpreterName> parse_interpreter_name(std::string_view name) {
  if (!name.starts_with("python")) return std::nullopt;
  name.remove_prefix(6);
  InterpreterName result;
  if (name.empty() || name == "3") return result;
  if (!name.starts_with("3.")) return std::nullopt;
  name.remove_prefix(2);
  if (name.ends_with('t')) {
    result.threading = Threading::free_threaded;
    name.remove_suffix(1);
  }
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), result.minor);
  if (error != std::errc() || end != name.data() + name.size() || !is_digit(name[0])) return std::nullopt;
  return result;
}

std::vector<std::string> search_folders(const std::string& search_path) {
  std::vector<std::string> folders;
  const auto add = [&](std::string_view folder) {
    while (folder.ends_with('/')) folder.remove_suffix(1);
    if (!folder.starts_with('/')) return;
    folder.remove_prefix(1);
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.emplace_back(folder);
  };
  for (std::size_t start = 0; start <= search_path.size();) {
    const std::size_t end = std::min(search_path.find(':', start), search_path.size());
    add(std::string_view(search_path).substr(start, end - start));
    start = end + 1;
  }
  add("/usr/local/bin");
  add("/usr/bin");
  return folders;
}

/// Real paths of the files that are called `name`, those below `preferred` first.
std::vector<std::string> files_named(const tree::FileTree& base, std::string_view name, std::string_view preferred) {
  std::vector<std::string> found;
  for (const auto& [path, entry] : base.entries()) {
    if (file_name(path) != name || entry.inode->type == archive::EntryType::folder) continue;
    const std::optional<std::string> real = base.resolve(path);
    if (real && std::find(found.begin(), found.end(), *real) == found.end()) found.push_back(*real);
  }
  std::stable_partition(found.begin(), found.end(),
                        [&](const std::string& path) { return path.starts_with(preferred); });
  return found;
}

/// The folder that holds bin/ and lib/ of the program, with a slash at its end.
std::string prefix_of(const std::string& program) {
  const std::size_t folder = program.rfind('/');
  const std::size_t parent = folder == std::string::npos ? std::string::npos : program.rfind('/', folder - 1);
  return parent == std::string::npos ? "" : program.substr(0, parent + 1);
}

/// Minor version from texts like "lib/python3.12", for programs whose names do not tell.
int minor_in_text(std::string_view program) {
  constexpr std::string_view mark = "lib/python3.";
  for (std::size_t at = program.find(mark); at != std::string_view::npos; at = program.find(mark, at + 1)) {
    int minor = -1;
    const char* start = program.data() + at + mark.size();
    if (std::from_chars(start, program.data() + program.size(), minor).ec == std::errc()) return minor;
  }
  return -1;
}

std::optional<std::string> version_of_program(const tree::FileTree& base, const std::string& path,
                                              const std::string& program, int minor, Threading threading,
                                              const std::string& version_variable) {
  if (auto version = find_python_version(program, minor)) return version;
  const std::string library =
      fmt::format("libpython3.{}{}.so.1.0", minor, threading == Threading::free_threaded ? "t" : "");
  for (const std::string& candidate : files_named(base, library, prefix_of(path))) {
    if (auto version = find_python_version(read_program(base, candidate), minor)) return version;
  }
  // A prefix that ends in the version, as version managers have it, takes it in.
  const std::string header = fmt::format("{}include/python3.{}{}/patchlevel.h", prefix_of(path), minor,
                                         threading == Threading::free_threaded ? "t" : "");
  if (auto version = version_in_patchlevel(tree::read_text(base, header, header_limit), minor)) return version;
  if (is_full_version(version_variable, minor)) return version_variable;
  for (const std::string& candidate : files_named(base, library, prefix_of(path))) {
    if (auto version = find_python_version_at_end(read_program(base, candidate), minor)) return version;
  }
  return find_python_version_at_end(program, minor);
}

/// Reads "<major>.<minor>" at the start of `text`.
std::optional<Libc> parse_libc(LibcKind kind, std::string_view text) {
  Libc libc{kind, 0, 0};
  const char* end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, libc.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  if (std::from_chars(major.ptr + 1, end, libc.minor).ec != std::errc()) return std::nullopt;
  return libc;
}

std::optional<Libc> glibc_version(std::string_view library) {
  constexpr std::string_view mark = " version ";
  const auto text = find_text(library, "GNU C Library ", [](std::string_view) { return true; });
  const std::size_t at = text ? text->find(mark) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  return parse_libc(LibcKind::glibc, std::string_view(*text).substr(at + mark.size()));
}

std::optional<Libc> musl_version(std::string_view library) {
  if (library.find("musl libc") == std::string_view::npos) return std::nullopt;
  const auto text = find_text(library, "1.", [](std::string_view candidate) {
    return candidate.size() < 12 && std::count(candidate.begin(), candidate.end(), '.') == 2 &&
           candidate.find_first_not_of("0123456789.") == std::string_view::npos;
  });
  return text ? parse_libc(LibcKind::musl, *text) : std::nullopt;
}

/// Nothing for what is no ELF file.
std::optional<std::string> machine_of(const std::string& program) {
  const std::optional<ElfKind> kind = elf_kind(as_bytes(program));
  return kind ? std::optional(elf_machine_name(*kind)) : std::nullopt;
}

std::optional<Libc> find_libc(const tree::FileTree& base, const std::string& program, const std::string& machine) {
  const std::optional<bool> musl = uses_musl(program);
  if (!musl) return std::nullopt;
  std::vector<std::string> libraries;
  if (!*musl) {
    libraries = files_named(base, "libc.so.6", "usr/lib");
  } else {
    for (const auto& [path, entry] : base.entries()) {
      const std::string_view name = file_name(path);
      if (entry.inode->type == archive::EntryType::file &&
          (name.starts_with("ld-musl-") || name.starts_with("libc.musl-"))) {
        libraries.push_back(path);
      }
    }
  }
  for (const std::string& path : libraries) {
    const std::string library = read_program(base, path);
    if (machine_of(library) != machine) continue;
    if (const auto libc = *musl ? musl_version(library) : glibc_version(library)) return libc;
  }
  return std::nullopt;
}

std::string describe(const std::vector<FoundInterpreter>& found) {
  std::vector<std::string> texts;
  for (const FoundInterpreter& one : found) {
    texts.push_back(fmt::format("{} ({}{})", one.target.interpreter, one.target.full_version,
                                one.target.threading == Threading::free_threaded ? ", free-threaded" : ""));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool is_wanted(const Target& target, const std::string& wanted) {
  if (wanted.empty()) return target.threading == Threading::with_gil;
  const std::optional<PythonVersion> version = parse_python_version(wanted);
  return version && version->threading == target.threading && version->minor == target.minor &&
         (!version->has_patch() || version->text == target.full_version);
}

}  // namespace

std::vector<FoundInterpreter> find_interpreters(const tree::FileTree& base, const BaseVariables& variables) {
  std::vector<FoundInterpreter> found;
  std::vector<std::string> problems;
  std::set<std::string> seen;
  const auto look_at = [&](const std::string& path) {
    const std::string_view name = file_name(path);
    const bool is_other = name.starts_with("pypy3") || name.starts_with("graalpy");
    const auto parsed_link = parse_interpreter_name(name);
    for (const std::string_view end : {"d", "-dbg"}) {
      if (!name.ends_with(end)) continue;
      const auto release = parse_interpreter_name(name.substr(0, name.size() - end.size()));
      if (!release || release->minor < 0) continue;
      problems.push_back(fmt::format("/{} is a debug build, whose ABI is another", printable(path)));
    }
    if (!is_other && !parsed_link) return;
    const std::optional<std::string> real = base.resolve(path);
    if (!real || !seen.insert(*real).second) return;
    const tree::Inode* inode = base.find(*real);
    if (inode == nullptr || inode->type != archive::EntryType::file) return;
    const std::string_view real_name = file_name(*real);
    if (is_other || real_name.starts_with("pypy") || real_name.starts_with("graalpy")) {
      problems.push_back(fmt::format("/{} is {}, but only CPython is supported", printable(*real),
                                     real_name.starts_with("graal") || name.starts_with("graal") ? "GraalPy" : "PyPy"));
      return;
    }
    const std::string program = read_program(base, *real);
    const std::optional<std::string> machine = machine_of(program);
    if (!machine) {
      problems.push_back(fmt::format("/{} is no program for Linux but a script or something else", printable(*real)));
      return;
    }
    FoundInterpreter one;
    one.found_as = "/" + path;
    one.target.interpreter = "/" + *real;
    one.target.machine = *machine;
    const auto parsed_real = parse_interpreter_name(real_name);
    InterpreterName interpreter = parsed_real.value_or(*parsed_link);
    if (interpreter.minor < 0 && parsed_link->minor >= 0) interpreter = *parsed_link;
    if (interpreter.minor < 0) interpreter.minor = minor_in_text(program);
    if (interpreter.minor < 0) {
      problems.push_back(fmt::format("the version of /{} cannot be told", printable(*real)));
      return;
    }
    one.target.minor = interpreter.minor;
    one.target.threading = interpreter.threading;
    const auto version =
        version_of_program(base, *real, program, interpreter.minor, interpreter.threading, variables.python_version);
    if (!version) {
      problems.push_back(
          fmt::format("/{} does not hold the version of a CPython 3.{}", printable(*real), interpreter.minor));
      return;
    }
    one.target.full_version = *version;
    const auto libc = find_libc(base, program, *machine);
    if (!libc) {
      problems.push_back(fmt::format("the C library of /{} is neither glibc nor musl, or not there", printable(*real)));
      return;
    }
    one.target.libc = *libc;
    found.push_back(std::move(one));
  };
  for (const std::string& folder : search_folders(variables.search_path)) {
    const std::optional<std::string> real_folder = base.resolve(folder);
    if (!real_folder) continue;
    const std::string start = *real_folder + "/";
    std::vector<std::string> candidates;
    for (auto entry = base.entries().lower_bound(start);
         entry != base.entries().end() && entry->first.starts_with(start); ++entry) {
      if (entry->first.find('/', start.size()) == std::string::npos) candidates.push_back(entry->first);
    }
    for (const std::string& candidate : candidates) look_at(candidate);
  }
  if (found.empty() && !problems.empty()) {
    throw Error(ErrorKind::refused, fmt::format("the base has no usable Python: {}", fmt::join(problems, "; ")));
  }
  std::stable_sort(found.begin(), found.end(), [](const FoundInterpreter& a, const FoundInterpreter& b) {
    return a.target.minor > b.target.minor;
  });
  return found;
}

std::string interpreters_to_text(const std::vector<FoundInterpreter>& found) {
  Value::Array rows;
  for (const FoundInterpreter& one : found) {
    Value row;
    row.set("found_as", one.found_as);
    row.set("interpreter", one.target.interpreter);
    row.set("minor", one.target.minor);
    row.set("version", one.target.full_version);
    row.set("is_free_threaded", one.target.threading == Threading::free_threaded);
    row.set("machine", one.target.machine);
    row.set("is_musl", one.target.libc.kind == LibcKind::musl);
    row.set("libc", Value::Array{one.target.libc.major, one.target.libc.minor});
    rows.push_back(std::move(row));
  }
  return to_json(Value(std::move(rows)));
}

std::optional<std::vector<FoundInterpreter>> interpreters_from_text(const std::string& text) {
  std::vector<FoundInterpreter> found;
  try {
    const Value rows = parse_json(text);
    for (const Value& row : rows.array()) {
      FoundInterpreter one;
      one.found_as = row.at("found_as").string();
      one.target.interpreter = row.at("interpreter").string();
      one.target.minor = static_cast<int>(row.at("minor").integer());
      one.target.full_version = row.at("version").string();
      if (row.at("is_free_threaded").boolean()) one.target.threading = Threading::free_threaded;
      one.target.machine = row.at("machine").string();
      const Value::Array& libc = row.at("libc").array();
      if (libc.size() != 2) return std::nullopt;
      one.target.libc = {row.at("is_musl").boolean() ? LibcKind::musl : LibcKind::glibc,
                         static_cast<int>(libc[0].integer()), static_cast<int>(libc[1].integer())};
      found.push_back(std::move(one));
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  return found;
}

TargetChoice choose_target(const tree::FileTree& base, const BaseVariables& variables,
                           const std::string& requires_python, const std::string& wanted,
                           const std::optional<PythonRequest>& preferred) {
  return choose_target(find_interpreters(base, variables), requires_python, wanted, preferred);
}

TargetChoice choose_target(std::vector<FoundInterpreter> found, const std::string& requires_python,
                           const std::string& wanted, const std::optional<PythonRequest>& preferred) {
  TargetChoice choice;
  bool is_chosen = false;
  if (preferred) {
    std::stable_partition(found.begin(), found.end(),
                          [&](const FoundInterpreter& one) { return satisfies(*preferred, one.target.full_version); });
  }
  for (const FoundInterpreter& one : found) {
    if (!is_chosen && is_wanted(one.target, wanted) && allows_python(requires_python, one.target.full_version)) {
      choice.chosen = one;
      is_chosen = true;
    } else {
      choice.others.push_back(one);
    }
  }
  if (is_chosen) return choice;
  if (found.empty()) {
    throw Error(ErrorKind::refused, "the base has no Python",
                "take a base with one, such as debian:trixie, or an image of Python's in a file");
  }
  std::vector<std::string> wishes;
  if (!wanted.empty()) wishes.push_back(fmt::format("python = \"{}\"", printable(wanted)));
  if (!requires_python.empty()) wishes.push_back(fmt::format("requires-python \"{}\"", printable(requires_python)));
  throw Error(
      ErrorKind::refused,
      fmt::format("no Python of the base satisfies {}; it has {}",
                  wishes.empty() ? "the project" : fmt::format("{}", fmt::join(wishes, " and ")), describe(found)),
      "choose another base in [tool.veneer]");
}

}  // namespace veneer::python
