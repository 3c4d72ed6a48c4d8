#include "python/wheel/describe.hh"

#include <fmt/format.h>

#include <set>

#include "foundation/digest.hh"

namespace veneer::python {
namespace {

/// Verifies the contents that are not among the installed ones, such as a script that an entry point hides.
void verify_rest(const Wheel& wheel, const tree::FileTree& installed) {
  std::set<const archive::Content*> known;
  for (const auto& [path, entry] : installed.entries()) known.insert(entry.inode->content.get());
  for (const WheelMember& member : wheel.members) {
    if (known.contains(member.content.get())) continue;
    CountingSink sink;
    copy(*member.content->open(), sink);
  }
}

}  // namespace

Value describe(const Wheel& wheel, const InstallPlace& place) {
  const tree::FileTree tree = install(wheel, place);
  Value::Array files;
  Value::Array scripts;
  for (const auto& [full_path, entry] : tree.entries()) {
    if (entry.inode->type != archive::EntryType::file) continue;
    const std::string path = path_below_prefix(place, full_path);
    const std::unique_ptr<ByteSource> source = entry.inode->content->open();
    Value file;
    file.set("path", path);
    file.set("mode", fmt::format("{:04o}", entry.inode->mode));
    file.set("size", entry.inode->content->size());
    file.set("sha256", sha256(*source).hex());
    files.push_back(std::move(file));
    if (path.starts_with("bin/") && path.find('/', 4) == std::string::npos) scripts.push_back(path.substr(4));
  }
  verify_rest(wheel, tree);
  Value::Array findings;
  for (const Finding& finding : wheel.findings) {
    Value one;
    one.set("code", finding.code);
    one.set("path", finding.path);
    one.set("message", finding.message);
    one.set("weight", weight_name(finding.weight));
    findings.push_back(std::move(one));
  }
  Value result;
  result.set("name", wheel.name);
  result.set("version", wheel.version);
  result.set("files", std::move(files));
  result.set("scripts", std::move(scripts));
  result.set("findings", std::move(findings));
  return result;
}

}  // namespace veneer::python
