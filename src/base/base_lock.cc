#include "base/base_lock.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/base_lock_rows.hh"
#include "base/lock_text.hh"
#include "foundation/error.hh"
#include "foundation/utf8.hh"

namespace veneer::base {

namespace {

constexpr std::size_t size_limit = 16 << 20;
constexpr std::size_t line_limit = 8 << 10;
constexpr std::string_view head =
    "# What images stand on, pinned. Written by veneer and to be committed; 'veneer base update' makes it anew.\n"
    "version = 1\n";
constexpr std::string_view anew = "delete veneer.lock, or run 'veneer base update', to have it made anew";

constexpr std::pair<LockedBase::Kind, std::string_view> kinds[] = {
    {LockedBase::Kind::debian, "debian"}, {LockedBase::Kind::image, "image"}, {LockedBase::Kind::registry, "registry"}};

std::string_view kind_name(LockedBase::Kind kind) {
  return std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& row) { return row.first == kind; })->second;
}

auto order_of(const LockedBase& base) { return std::tie(base.name, base.platform); }
auto order_of(const LockedPackage& package) { return std::tie(package.name, package.architecture); }
const std::string& order_of(const LockedFile& file) { return file.path; }

template <typename Row>
void sort_rows(std::vector<Row>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return order_of(a) < order_of(b); });
}

std::string not_empty(std::string text, std::string_view what) {
  if (text.empty()) throw Error(ErrorKind::refused, fmt::format("'{}' is empty", what));
  return text;
}

/// Reads line by line: what is wrong is named by its line, and a lock that was merged half is not guessed at.
class Reader {
 public:
  BaseLock read(std::string_view text) {
    if (text.size() > size_limit)
      throw Error(ErrorKind::refused, fmt::format("it is larger than {} bytes", size_limit));
    while (!text.empty()) {
      ++number_;
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      at_line(number_, [&] { read_line(line); });
    }
    at_line(number_, [&] { end_array(); });
    end_base();
    if (!has_version_) throw Error(ErrorKind::refused, "it names no version", std::string(anew));
    sort_rows(lock_.bases);
    const auto twice =
        std::adjacent_find(lock_.bases.begin(), lock_.bases.end(),
                           [](const LockedBase& a, const LockedBase& b) { return order_of(a) == order_of(b); });
    if (twice != lock_.bases.end()) {
      at_line(std::max(twice->line, std::next(twice)->line), [&] {
        throw Error(ErrorKind::refused,
                    fmt::format("{} for {} is there twice", printable(twice->name), printable(twice->platform)));
      });
    }
    return std::move(lock_);
  }

 private:
  enum class Array { none, packages, build_packages, folders, pythons, files };
  static constexpr std::pair<std::string_view, Array> arrays[] = {{"packages", Array::packages},
                                                                  {"build_packages", Array::build_packages},
                                                                  {"folders", Array::folders},
                                                                  {"pythons", Array::pythons},
                                                                  {"files", Array::files}};

  template <typename Action>
  static void at_line(std::size_t number, const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("line {}: {}", number, error.message()),
                  error.hint().empty() ? std::string(anew) : error.hint());
    }
  }

  void read_line(std::string_view text) {
    for (const std::string_view mark : {"<<<<<<<", "|||||||", "=======", ">>>>>>>"}) {
      if (!text.starts_with(mark)) continue;
      throw Error(ErrorKind::refused, fmt::format("a merge conflict: {}", printable(text, 60)),
                  "keep the lines of one side, then run 'veneer build', which adds what is missing; or run 'veneer "
                  "base update'");
    }
    if (text.size() > line_limit)
      throw Error(ErrorKind::refused, fmt::format("it is longer than {} bytes", line_limit));
    if (!is_utf8(text)) throw Error(ErrorKind::refused, "it is not UTF-8");
    if (std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 127; })) {
      throw Error(ErrorKind::refused, "it has a control character");
    }
    Line line(text);
    if (line.is_at_end()) return;
    if (array_ != Array::none) {
      read_row(line);
    } else if (line.take("[[base]]")) {
      line.expect_end();
      if (!has_version_) throw Error(ErrorKind::refused, "the version is expected first");
      end_base();
      lock_.bases.emplace_back().line = number_;
      is_open_ = true;
    } else {
      read_key(line);
      if (array_ == Array::none) line.expect_end();
    }
  }

  void read_key(Line& line) {
    const std::string key = line.key();
    if (!is_open_) {
      if (key != "version" || has_version_)
        throw Error(ErrorKind::refused, fmt::format("'{}' is not expected here", key));
      if (!line.take("1")) {
        throw Error(ErrorKind::refused, "it is of a version that this veneer does not know",
                    "use the veneer that wrote it, or a newer one");
      }
      has_version_ = true;
      return;
    }
    LockedBase& base = lock_.bases.back();
    if (!seen_.insert(key).second) throw Error(ErrorKind::refused, fmt::format("'{}' is there twice", key));
    const auto array =
        std::find_if(std::begin(arrays), std::end(arrays), [&](const auto& row) { return row.first == key; });
    if (array != std::end(arrays)) {
      line.expect("[");
      array_ = array->second;
      if (!line.is_at_end()) read_row(line);
    } else if (key == "interpreter") {
      base.interpreter = read_locked_row<Interpreter>(line.table());
    } else if (key == "target") {
      std::vector<std::string> folders = std::move(base.target.folders);
      base.target = read_locked_row<TargetFacts>(line.table());
      base.target.folders = std::move(folders);
    } else if (key == "image") {
      base.image = read_locked_row<LockedImage>(line.table());
    } else {
      fields_.add(key, line.string());
    }
  }

  /// A row of an array, or its end.
  void read_row(Line& line) {
    LockedBase& base = lock_.bases.back();
    if (!line.take("]")) {
      switch (array_) {
        case Array::packages: read_package(line, base.packages); break;
        case Array::build_packages: read_package(line, base.build_packages); break;
        case Array::pythons: base.pythons.push_back(read_locked_row<LockedPython>(line.table())); break;
        case Array::files: base.files.push_back(read_locked_row<LockedFile>(line.table())); break;
        case Array::folders:
        case Array::none: base.target.folders.push_back(line.string());
      }
      line.take(",");
    } else {
      array_ = Array::none;
    }
    line.expect_end();
  }

  void read_package(Line& line, std::vector<LockedPackage>& packages) const {
    packages.push_back(read_locked_row<LockedPackage>(line.table()));
    packages.back().line = number_;
  }

  void end_array() const {
    if (array_ != Array::none) throw Error(ErrorKind::refused, "an array does not end");
  }

  void end_base() {
    if (!is_open_) return;
    LockedBase& base = lock_.bases.back();
    at_line(base.line, [&] {
      base.name = not_empty(fields_.take("name"), "name");
      base.platform = not_empty(fields_.take("platform"), "platform");
      base.snapshot = fields_.take_if_there("snapshot").value_or("");
      const std::string kind = fields_.take("kind");
      const auto known =
          std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& row) { return row.second == kind; });
      if (known == std::end(kinds))
        throw Error(ErrorKind::refused, fmt::format("the kind '{}' is not known", printable(kind)));
      base.kind = known->first;
      fields_.end();
      for (const char* key : {"target", "packages"}) {
        if (!seen_.contains(key)) throw Error(ErrorKind::refused, fmt::format("'{}' is missing", key));
      }
      const bool has_image =
          base.kind == LockedBase::Kind::registry ? base.image.manifest.has_value() : base.image.config.has_value();
      if (base.kind != LockedBase::Kind::debian && !has_image)
        throw Error(ErrorKind::refused, "'image' lacks its digest");
    });
    sort_rows(base.files);
    const auto same = std::adjacent_find(base.files.begin(), base.files.end(),
                                         [](const LockedFile& a, const LockedFile& b) { return a.path == b.path; });
    if (same != base.files.end()) {
      at_line(base.line, [&] {
        throw Error(ErrorKind::refused, fmt::format("the file {} is there twice", printable(same->path)));
      });
    }
    for (std::vector<LockedPackage>* packages : {&base.packages, &base.build_packages}) {
      sort_rows(*packages);
      const auto twice =
          std::adjacent_find(packages->begin(), packages->end(),
                             [](const LockedPackage& a, const LockedPackage& b) { return order_of(a) == order_of(b); });
      if (twice == packages->end()) continue;
      at_line(std::max(twice->line, std::next(twice)->line),
              [&] { throw Error(ErrorKind::refused, fmt::format("the package {} is there twice", twice->name)); });
    }
    fields_ = {};
    seen_.clear();
    is_open_ = false;
  }

  BaseLock lock_;
  std::size_t number_ = 0;
  bool has_version_ = false;
  bool is_open_ = false;  // a base's table
  Array array_ = Array::none;
  Fields fields_;
  std::set<std::string> seen_;
};

template <typename Row>
std::string array_text(std::string_view key, const std::vector<Row>& rows) {
  std::string text = fmt::format("{} = [\n", key);
  for (const Row& row : rows) text += fmt::format("    {},\n", row_text(row));
  return text + "]\n";
}

std::string base_text(const LockedBase& base) {
  std::string text = fmt::format("\n[[base]]\nname = {}\nplatform = {}\nkind = {}\n", toml_string(base.name),
                                 toml_string(base.platform), toml_string(kind_name(base.kind)));
  if (!base.snapshot.empty()) text += fmt::format("snapshot = {}\n", toml_string(base.snapshot));
  if (base.kind != LockedBase::Kind::debian) text += fmt::format("image = {}\n", row_text(base.image));
  if (base.interpreter) text += fmt::format("interpreter = {}\n", row_text(*base.interpreter));
  text += fmt::format("target = {}\n", row_text(base.target));
  text += "folders = [\n";
  for (const std::string& folder : base.target.folders) text += fmt::format("    {},\n", toml_string(folder));
  text += "]\n";
  if (!base.pythons.empty()) text += array_text("pythons", base.pythons);
  if (!base.files.empty()) text += array_text("files", base.files);
  text += array_text("packages", base.packages);
  if (!base.build_packages.empty()) text += array_text("build_packages", base.build_packages);
  return text;
}

}  // namespace

const LockedBase* BaseLock::find(std::string_view name, std::string_view platform) const {
  const auto found = std::find_if(bases.begin(), bases.end(), [&](const LockedBase& base) {
    return base.name == name && base.platform == platform;
  });
  return found == bases.end() ? nullptr : &*found;
}

void BaseLock::set(LockedBase base) {
  std::erase_if(bases, [&](const LockedBase& other) { return order_of(other) == order_of(base); });
  bases.push_back(std::move(base));
  sort_rows(bases);
}

BaseLock parse_base_lock(std::string_view text) { return Reader().read(text); }

std::string write_base_lock(BaseLock lock) {
  sort_rows(lock.bases);
  std::string text(head);
  for (LockedBase& base : lock.bases) {
    sort_rows(base.packages);
    sort_rows(base.files);
    sort_rows(base.build_packages);
    text += base_text(base);
  }
  return text;
}

}  // namespace veneer::base
