// uv's interpreter as a layer of a base: an archive of CPython, made to be unpacked anywhere, in /usr/local.
// Thread-safe; several processes may share the cache. docs/formats.md, "The interpreter's layer".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/base.hh"
#include "foundation/digest.hh"
#include "image/cache/layer_cache.hh"
#include "tree/file_tree.hh"

namespace veneer::base {

/// Under which its layer is cached: the hash of its archive and the format. Base, version and URL do not belong to it.
LayerKey interpreter_key(const FileHash& archive);

/// The layer's tree: `unpacked`, the archive's files, whose only folder at the top ("python", or "python/install" in
/// it) becomes usr/local. Owners are root's, modes 0755 or 0644, times fixed. Left out: tests, static libraries, byte
/// code, manual pages. The prefix that it was built with is replaced in what tells it to builds: _sysconfigdata*.py,
/// _sysconfig_vars*.json, build-details.json, *.pc, Makefile, python3*-config. Throws Error (refused) when it holds no
/// bin/python3.*.
tree::FileTree interpreter_tree(const tree::FileTree& unpacked);

/// Makes the layer of the file `archive`, a tar of any compression, whose hash is `hash`. `temporary` is an existing
/// folder with room for it unpacked. Throws Error (refused) for what is no such archive.
image::CachedLayer make_interpreter_layer(const std::filesystem::path& archive, const FileHash& hash,
                                          const image::LayerCache& cache, const std::filesystem::path& temporary);

/// Puts the layer on top of a base whose blobs the cache has.
void add_interpreter(Base& base, const Interpreter& interpreter, const image::Layer& layer,
                     const image::LayerCache& cache);

/// `text` with every path that lies in `from`, or is it, in `to`. A path begins at a word's start or behind an option
/// without a slash ("-I", "-Wl,-rpath,") and ends `from` with a slash or the word.
std::string with_prefix(std::string_view text, std::string_view from, std::string_view to);

}  // namespace veneer::base
