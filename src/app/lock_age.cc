#include "app/lock_age.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/toml.hh"
#include "python/project/project.hh"

namespace veneer::app {

namespace {

[[noreturn]] void refuse_lock(const python::AnyLock& lock, const std::vector<std::string>& differences,
                              const std::string& hint) {
  constexpr std::size_t most_shown = 5;
  std::string shown;
  for (std::size_t i = 0; i < std::min(most_shown, differences.size()); ++i)
    shown += (i == 0 ? "" : "; ") + differences[i];
  if (differences.size() > most_shown) shown += fmt::format("; and {} more", differences.size() - most_shown);
  throw Error(ErrorKind::refused, fmt::format("{} is out of date: {}", printable(lock.path().native()), shown),
              hint + "; --frozen takes it as it stands");
}

}  // namespace

void refuse_stale_lock(const python::AnyLock& lock, const std::string& project, const std::vector<std::string>& groups,
                       Messages& messages) {
  const python::LockAge age = lock.age(project, groups);
  if (!age.differences.empty()) refuse_lock(lock, age.differences, "run: uv lock");
  for (const std::string& text : age.not_compared) messages.note(text);
}

void refuse_stale_selection(const python::AnyLock& lock, const build::BuildInputs& inputs,
                            const std::vector<std::string>& extras) {
  if (lock.keeps_what_was_asked()) return;
  const std::filesystem::path path = inputs.project.folder / "pyproject.toml";
  const std::vector<std::string> unmet =
      in_context([&] { return printable(path.native()); },
                 [&] {
                   return python::unmet_requirements(parse_toml(read_text_file(path, python::largest_pyproject)),
                                                     inputs.selection, inputs.target, extras);
                 });
  if (!unmet.empty()) refuse_lock(lock, unmet, "make it anew, for example by uv export");
}

}  // namespace veneer::app
