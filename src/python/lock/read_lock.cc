#include "python/lock/read_lock.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::python {

// Each in a file of its own.
extern const LockFormat pylock_format, requirements_format, uv_lock_format;

namespace {

constexpr std::uint64_t lock_limit = 64ull << 20;

constexpr std::array formats = {
    &pylock_format, &requirements_format,
    &uv_lock_format,  // takes every name
};

}  // namespace

std::string AnyLock::member_folder(const std::string&) const {
  throw Error(ErrorKind::usage,
              fmt::format("{} does not know the members of a workspace", printable(path_.filename().native())));
}

std::string members_hint(const std::vector<std::string>& names) {
  if (names.empty()) return "it has no members";
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
  return "its members are: " + text;
}

LockAge AnyLock::age(const std::string&, const std::vector<std::string>&) const { return {}; }

std::unique_ptr<const AnyLock> read_lock(const std::filesystem::path& path, const Variables& variables) {
  return parse_lock(read_text_file(path, lock_limit), path, variables);
}

std::unique_ptr<const AnyLock> parse_lock(std::string_view text, const std::filesystem::path& path,
                                          const Variables& variables, KnownPackages* known) {
  const std::string name = path.filename().native();
  const auto format =
      std::find_if(formats.begin(), formats.end(), [&](const LockFormat* one) { return one->takes(name); });
  return in_context([&] { return printable(path.native()); },
                    [&] { return (*format)->read(text, path, variables, known); });
}

Selection select(const AnyLock& lock, const SelectRequest& request) {
  return in_context([&] { return printable(lock.path().native()); }, [&] { return lock.select(request); });
}

}  // namespace veneer::python
