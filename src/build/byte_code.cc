#include "build/byte_code.hh"

#include <fmt/format.h>

#include "base/unpack.hh"
#include "foundation/error.hh"
#include "foundation/process.hh"
#include "tree/hashed_content.hh"

namespace veneer::build {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t batch_bytes = 16 << 20;       // of sources in one run of the interpreter
constexpr std::uint64_t largest_source = 64 << 20;  // a larger file is data with another name
constexpr std::uint64_t output_limit = 1ull << 30;

/// Reads framed sources and writes framed results. Each file is compiled in a process of its own, forked from this one,
/// which compiles nothing itself: what an interpreter has seen before (interned names, shared constants) shows in the
/// bytes that marshal writes.
constexpr std::string_view server = R"(
import sys
sys.path[:] = [place for place in sys.path if place]
import importlib.util, marshal, posix, signal, struct

def compiled(path, source):
    try:
        code = compile(source, path.decode("utf-8", "surrogateescape"), "exec", dont_inherit=True, optimize=0)
        head = importlib.util.MAGIC_NUMBER + struct.pack("<I", 1) + importlib.util.source_hash(source)
        return b"y" + head + marshal.dumps(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return b"n"

def in_child(path, source):
    reading, writing = posix.pipe()
    child = posix.fork()
    if child == 0:
        signal.alarm(60)
        posix.close(reading)
        result = memoryview(compiled(path, source))
        while result:
            result = result[posix.write(writing, result):]
        posix._exit(0)
    posix.close(writing)
    pieces = []
    while piece := posix.read(reading, 1 << 20):
        pieces.append(piece)
    posix.close(reading)
    _, status = posix.waitpid(child, 0)
    return b"".join(pieces) if status == 0 else b"x"

tag = sys.implementation.cache_tag.encode()
sys.stdout.buffer.write(struct.pack("<Q", len(tag)) + tag)
while head := sys.stdin.buffer.read(16):
    path_size, source_size = struct.unpack("<QQ", head)
    path = sys.stdin.buffer.read(path_size)
    result = in_child(path, sys.stdin.buffer.read(source_size))
    sys.stdout.buffer.write(struct.pack("<Q", len(result)) + result)
sys.stdout.buffer.flush()
)";

void append_frame(std::string& out, std::uint64_t value) {
  Bytes bytes;
  append_little_endian(bytes, value);
  out += as_text(bytes);
}

/// Takes a length and that many bytes off the front of `rest`.
std::string_view take_frame(std::string_view& rest) {
  if (rest.size() < 8) throw Error(ErrorKind::failed, "the interpreter of the base ended too early");
  const auto size = load_little_endian<std::uint64_t>(as_bytes(rest).data());
  if (rest.size() - 8 < size) throw Error(ErrorKind::failed, "the interpreter of the base ended too early");
  const std::string_view frame = rest.substr(8, size);
  rest.remove_prefix(8 + size);
  return frame;
}

/// As importlib.util.cache_from_source names it.
std::string cached_path(std::string_view source, std::string_view tag) {
  const std::string_view name = tree::base_name(source);
  return tree::join_path(tree::parent_path(source),
                         fmt::format("__pycache__/{}.{}.pyc", name.substr(0, name.rfind('.')), tag));
}

}  // namespace

ByteCompiler::ByteCompiler(const base::Base& base, const python::Target& target, Sandbox sandbox,
                           const image::LayerCache& cache, fs::path cache_folder)
    : base_(base),
      target_(target),
      sandbox_(std::move(sandbox)),
      cache_(cache),
      cache_folder_(std::move(cache_folder)) {}

std::string ByteCompiler::identity() const {
  Sha256 facts;
  facts.update("interpreter of " + target_.interpreter + "\n");
  for (const image::Layer& layer : base_.layers) facts.update(layer.diff_id.text() + "\n");
  const LayerKey key{facts.finish()};
  if (const auto known = cache_.note("interpreter", key)) return *known;
  // The executable, and the library that it may be a shell of.
  Sha256 hash;
  hash.update(server);
  const std::string library = fmt::format("libpython{}.{}", target_.major, target_.minor);
  for (const auto& [path, entry] : base_.tree().entries()) {
    if (entry.inode->type != archive::EntryType::file) continue;
    if ("/" + path != target_.interpreter && !tree::base_name(path).starts_with(library)) continue;
    hash.update(path + " " + tree::content_hash(*entry.inode->content).hex() + "\n");
  }
  const Hash identity = hash.finish();
  cache_.set_note("interpreter", key, identity.hex());
  return identity.hex();
}

const fs::path& ByteCompiler::root() const {
  const std::lock_guard lock(mutex_);
  if (!root_) root_ = base::unpacked_root(base_, cache_folder_, *cache_.files());
  return *root_;
}

void ByteCompiler::add_to(tree::FileTree& layer, const std::string& without, std::int64_t mtime) const {
  std::vector<std::string> paths;
  for (const auto& [path, entry] : layer.entries()) {
    if (entry.inode->type != archive::EntryType::file || !path.ends_with(".py")) continue;
    if (path.starts_with(without + "/") || entry.inode->content->size() > largest_source) continue;
    paths.push_back(path);
  }
  std::vector<Source> batch;
  std::size_t size = 0;
  const auto flush = [&] {
    if (!batch.empty()) compile(batch, mtime, layer);
    batch.clear();
    size = 0;
  };
  for (const std::string& path : paths) {
    const archive::Content& content = *layer.find(path)->content;
    batch.push_back({path, read_all(*content.open(), largest_source)});
    size += batch.back().text.size();
    if (size >= batch_bytes) flush();
  }
  flush();
}

void ByteCompiler::compile(const std::vector<Source>& sources, std::int64_t mtime, tree::FileTree& layer) const {
  Command command;
  command.arguments = sandbox_.words;
  command.arguments.insert(command.arguments.end(), {root().native(), target_.interpreter, "-s", "-S", "-B", "-W",
                                                     "ignore", "-c", std::string(server)});
  command.output_limit = output_limit;
  for (const Source& source : sources) {
    const std::string path = "/" + source.path;
    append_frame(command.input, path.size());
    append_frame(command.input, source.text.size());
    command.input += path;
    command.input += as_text(source.text);
  }
  const CommandResult result =
      in_context([&] { return "running " + target_.interpreter + " of the base"; }, [&] { return run(command); });
  if (result.exit_code != 0) {
    throw Error(ErrorKind::failed,
                fmt::format("{} of the base failed with exit code {}: {}", target_.interpreter, result.exit_code,
                            printable(result.errors)),
                "build without byte code: --no-byte-code");
  }
  std::string_view rest = result.output;
  const std::string tag(take_frame(rest));
  for (const Source& source : sources) {
    const std::string_view compiled = take_frame(rest);
    if (compiled.starts_with('n')) continue;  // no valid Python, such as a template
    if (!compiled.starts_with('y')) {
      throw Error(
          ErrorKind::failed,
          fmt::format("/{} cannot be compiled: the interpreter crashed, or took over a minute", printable(source.path)),
          "build without byte code: --no-byte-code");
    }
    const std::string path = cached_path(source.path, tag);
    if (layer.contains(path)) continue;
    const std::string folder(tree::parent_path(path));
    if (!layer.contains(folder)) layer.put(folder, tree::make_folder(0755, 0, 0, mtime));
    layer.put(path, tree::make_file(std::make_shared<archive::MemoryContent>(compiled.substr(1)), 0644, 0, 0, mtime));
  }
}

}  // namespace veneer::build
