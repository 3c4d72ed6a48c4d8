// Byte code of Python files, made by the interpreter of the base: for equal sources, paths and interpreter the same
// bytes always, whatever else is compiled, in which order and by how many workers.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/base.hh"
#include "foundation/sandbox.hh"
#include "image/cache/layer_cache.hh"
#include "python/target.hh"
#include "tree/file_tree.hh"

namespace veneer::build {

class ByteCompiler {
 public:
  /// `base` and `cache` must outlive the compiler.
  ByteCompiler(const base::Base& base, const python::Target& target, Sandbox sandbox, const image::LayerCache& cache,
               std::filesystem::path cache_folder);

  /// What decides the bytes but for the sources and their paths: the interpreter's own files and the way of compiling.
  std::string identity() const;

  /// Adds __pycache__/NAME.TAG.pyc for every "*.py" of `layer` that compiles and has none, but for those in
  /// `without` (a folder). They are bound to no time: PEP 552, hash that is not checked. Mode 0644, owner 0:0, time
  /// `mtime`. Throws Error when the interpreter cannot be run, crashes or takes over a minute for a file. Thread-safe.
  void add_to(tree::FileTree& layer, const std::string& without, std::int64_t mtime) const;

 private:
  struct Source {
    std::string path;
    Bytes text;
  };
  void compile(const std::vector<Source>& sources, std::int64_t mtime, tree::FileTree& layer) const;
  const std::filesystem::path& root() const;

  const base::Base& base_;
  const python::Target& target_;
  Sandbox sandbox_;
  const image::LayerCache& cache_;
  std::filesystem::path cache_folder_;
  mutable std::mutex mutex_;
  mutable std::optional<std::filesystem::path> root_;
};

}  // namespace veneer::build
