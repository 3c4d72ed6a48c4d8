// The program of a helper container: an engine reads its own old layers back, and loads them with what was sent. Built
// static, compiled into veneer, sent by deliver/receiver/api/helper.cc to hosts of which only the engine's API is
// reached. It has no network, only the engine's socket. docs/formats.md, "The helper container", tells its folder.
//
// Prints what the engine answers to the load. Exit code 0 when that was a good answer, 1 when not, 2 when a layer was
// not given back.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "archive/tar.hh"
#include "archive/tar_writer.hh"
#include "foundation/error.hh"
#include "foundation/stream.hh"
#include "splicer/engine_socket.hh"

namespace veneer::splicer {
namespace {

const std::string folder = "/veneer/";              // NOLINT(cert-err58-cpp)
const std::string engine = folder + "engine.sock";  // NOLINT(cert-err58-cpp)

struct Wanted {
  std::string image;         // "sha256:" and digits
  std::size_t position = 0;  // of the layer in it, from 0
  std::string diff_id;       // digits
};

class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::string& path) : file_(path, std::ios::binary) {
    if (!file_) throw Error(ErrorKind::failed, "opening " + path);
  }
  std::size_t read(std::span<std::byte> into) override {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters
    file_.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
    return static_cast<std::size_t>(file_.gcount());
  }

 private:
  std::ifstream file_;
};

class FileSink : public ByteSink {
 public:
  explicit FileSink(const std::string& path) : path_(path), file_(path, std::ios::binary) {}
  void write(ByteView bytes) override {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters
    file_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void commit() override {
    file_.close();
    if (!file_) throw Error(ErrorKind::failed, "writing " + path_);
  }

 private:
  std::string path_;
  std::ofstream file_;
};

class Output : public ByteSink {
 public:
  void write(ByteView bytes) override { std::fwrite(bytes.data(), 1, bytes.size(), stdout); }
  void commit() override { std::fflush(stdout); }
};

std::vector<Wanted> read_wanted() {
  std::ifstream list(folder + "splices");
  std::vector<Wanted> all;
  for (Wanted wanted; list >> wanted.image >> wanted.position >> wanted.diff_id;) all.push_back(wanted);
  return all;
}

// The paths of an image's layers, from what `docker save` lists: [{"Config":..,"Layers":["a","b"]}].
std::vector<std::string> layer_paths(const std::string& list) {
  std::vector<std::string> paths;
  const std::size_t begin = list.find("\"Layers\":[");
  if (begin == std::string::npos) return paths;
  const std::size_t end = list.find(']', begin);
  for (std::size_t at = list.find('"', begin + 9); at < end; at = list.find('"', at + 1)) {
    const std::size_t close = list.find('"', at + 1);
    if (close == std::string::npos || close > end) break;
    paths.push_back(list.substr(at + 1, close - at - 1));
    at = close;
  }
  return paths;
}

std::string place_of(const std::string& diff_id) { return folder + "layer-" + diff_id; }

// Keeps the layers of one image that are wanted, each as a file of its own.
void read_back(const std::string& image, const std::vector<Wanted>& wanted) {
  std::set<std::string> named_by_diff_id;  // from Docker 25 on
  for (const Wanted& layer : wanted) named_by_diff_id.insert("blobs/sha256/" + layer.diff_id);
  Download saved(engine, "/images/" + image + "/get");
  archive::TarReader reader(saved);
  std::map<std::string, std::string> files;
  std::string list;
  while (const auto entry = reader.next()) {
    if (entry->type != archive::EntryType::file) continue;
    if (entry->path == "manifest.json") {
      list = as_text(read_all(reader.data(), 16 * 1024 * 1024));
    } else if (entry->path.ends_with("/layer.tar") || named_by_diff_id.contains(entry->path)) {
      const std::string file = folder + "read-" + std::to_string(files.size());
      FileSink sink(file);
      copy(reader.data(), sink);
      sink.commit();
      files.emplace(entry->path, file);
    }
  }
  const std::vector<std::string> paths = layer_paths(list);
  for (const Wanted& layer : wanted) {
    auto found = files.find("blobs/sha256/" + layer.diff_id);
    if (found == files.end() && layer.position < paths.size()) found = files.find(paths[layer.position]);
    if (found == files.end()) continue;
    if (::link(found->second.c_str(), place_of(layer.diff_id).c_str()) != 0 && errno != EEXIST) {
      throw Error(ErrorKind::failed, "keeping a layer");
    }
  }
  for (const auto& [path, file] : files) ::unlink(file.c_str());
}

// What was sent, without the two blocks that end an archive.
void write_sent(ByteSink& sink) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; ::access((folder + "part-" + std::to_string(i)).c_str(), R_OK) == 0; ++i) {
    parts.push_back(folder + "part-" + std::to_string(i));
  }
  Bytes held;  // the last bytes seen
  std::vector<std::byte> buffer(256 * 1024);
  for (const std::string& part : parts) {
    FileSource source(part);
    while (const std::size_t count = source.read(buffer)) {
      append(held, ByteView(buffer).first(count));
      if (held.size() <= archive::tar_end_size) continue;
      const std::size_t ready = held.size() - archive::tar_end_size;
      sink.write(ByteView(held).first(ready));
      held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(ready));
    }
  }
}

void write_layer(ByteSink& sink, const std::string& diff_id) {
  struct stat status {};
  if (::stat(place_of(diff_id).c_str(), &status) != 0) throw Error(ErrorKind::not_found, diff_id);
  archive::TarEntry entry;
  entry.path = "blobs/sha256/" + diff_id;
  entry.mode = 0644;
  entry.size = static_cast<std::uint64_t>(status.st_size);
  sink.write(archive::tar_header(entry));
  FileSource source(place_of(diff_id));
  copy(source, sink);
  const Bytes padding(archive::tar_padding(entry.size));
  sink.write(padding);
}

int splice() {
  const std::vector<Wanted> all = read_wanted();
  std::map<std::string, std::vector<Wanted>> by_image;
  std::set<std::string> diff_ids;
  for (const Wanted& wanted : all) {
    by_image[wanted.image].push_back(wanted);
    diff_ids.insert(wanted.diff_id);
  }
  for (const auto& [image, wanted] : by_image) read_back(image, wanted);
  for (const std::string& diff_id : diff_ids) {
    if (::access(place_of(diff_id).c_str(), R_OK) == 0) continue;
    fmt::print("the engine did not give back the layer {}\n", diff_id);
    return 2;
  }
  Output output;
  const int status = upload(
      engine, "/images/load?quiet=1",
      [&](ByteSink& sink) {
        write_sent(sink);
        for (const std::string& diff_id : diff_ids) write_layer(sink, diff_id);
        sink.write(Bytes(archive::tar_end_size));
      },
      output);
  return status == 200 ? 0 : 1;
}

}  // namespace
}  // namespace veneer::splicer

int main() {
  try {
    return veneer::splicer::splice();
  } catch (const std::exception& error) {
    fmt::print("{}\n", error.what());
    return 1;
  }
}
