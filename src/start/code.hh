// The project's Python as the rules see it: which files count, where imports begin, what a name stands for, what serves
// an application object. One decision's; belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "start/command.hh"
#include "start/inputs.hh"

namespace veneer::start {

/// What an object or a factory is served by.
enum class Interface { asgi, wsgi, sanic, dash };

class Code {
 public:
  /// Parses what counts: not tests, documentation, examples, migrations; shallow files first, at most 1500.
  Code(const Inputs& inputs, const Places& places);

  bool is_readable() const { return is_readable_; }  // an interpreter was there
  const std::vector<ModuleFacts>& modules() const { return modules_; }
  const ModuleFacts* file(std::string_view path) const;
  /// The file of a module by its absolute name, wherever imports begin.
  const ModuleFacts* module(std::string_view name) const;

  /// The folder of the project below which the file's imports begin; "" is the project's.
  std::string root_of(const ModuleFacts& module) const;
  /// Where a file or folder of the project lies in the image: relative to the working directory where it is below it.
  std::string in_image(const std::string& path) const;
  /// The folder of the image, as in_image() has it, below which the module's name begins, and that name. A COPY may
  /// have brought it elsewhere than `root`, where its imports begin in the project.
  std::pair<std::string, std::string> module_in_image(const ModuleFacts& module, const std::string& root) const;
  /// Likewise, "." where the module is installed.
  std::pair<std::string, std::string> importable(const ModuleFacts& module) const;
  /// A wheel of the project does not bring this file, and no rule either.
  bool is_missing(const std::string& path) const;

  /// The words that run a file as a program, and PYTHONPATH where imports begin elsewhere ("" else).
  std::pair<std::vector<std::string>, std::string> run_file(const ModuleFacts& module) const;
  /// The words that serve `object` of the module by a server of the lock; nothing when none is there.
  std::optional<std::vector<std::string>> serve(const ModuleFacts& module, const std::string& object, bool is_factory,
                                                Interface interface, std::uint16_t port) const;
  /// The interface of what this call makes: a framework's class, or a function of the project that returns one.
  std::optional<Interface> interface_of(const std::string& call, int depth = 0) const;

  bool has(std::string_view distribution) const { return inputs_.distributions.contains(std::string(distribution)); }

 private:
  const Inputs& inputs_;
  const Places& places_;
  std::vector<ModuleFacts> modules_;
  bool is_readable_ = true;
};

std::size_t depth_of(std::string_view path);
std::string folder_of(std::string_view path);
/// "main" of "app/main.py".
std::string stem_of(std::string_view path);
bool is_loopback(std::string_view host);

}  // namespace veneer::start
