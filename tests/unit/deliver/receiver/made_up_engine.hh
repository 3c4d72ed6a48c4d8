// An engine in memory behind engine::EngineTransport: it keeps names and images as a real one does, and a test decides
// what a load brings about. What real engines do is tried by tests/engines and tests/contract.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/engine_transport.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/image.hh"
#include "tests/unit/deliver/made_up_images.hh"

namespace veneer::deliver::made_up {

struct StoredImage {
  Value layers{Value::Array{}};
  std::string label;
  bool available = true;
  bool startable = true;
};

struct EngineState {
  ReceiverKind kind = ReceiverKind::prefix;
  std::string architecture = "amd64";
  std::map<std::string, StoredImage> images;      // by "sha256:<hex>"
  std::map<std::string, std::string> names;       // full name -> identifier
  std::map<std::string, std::string> containers;  // name -> value of the label
  std::vector<std::string> log;                   // "METHOD target"
  std::vector<std::uint64_t> uploads;             // sizes, as they were announced
  /// Called with the archive; returns the body of the answer.
  std::function<std::string(EngineState&, const std::string& archive)> on_load;
  int load_status = 200;

  void add(const image::SealedImage& sealed, const std::vector<std::string>& its_names) {
    StoredImage image;
    Value::Array label;
    for (const image::Layer& layer : sealed.image.layers) {
      image.layers.array().push_back(layer.diff_id.text());
      label.push_back(Value::Array{layer.blob.text(), layer.size, "gzip"});
    }
    image.label = to_json(label);
    const std::string id = "sha256:" + image_id_on(kind, sealed).hex();
    images[id] = image;
    for (const std::string& name : its_names) names[name] = id;
  }
  std::size_t count(const std::string& start) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(log, [&](const std::string& line) { return line.starts_with(start); }));
  }
};

class MadeUpEngine : public engine::EngineTransport {
 public:
  explicit MadeUpEngine(EngineState& state) : state_(state) {}

  engine::EngineAnswer call(const engine::EngineRequest& request) override {
    state_.log.push_back(request.method + " " + request.target);
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (path == "/version") {
      return {200, to_json(Value::Table{{"Version", "28.5.2"},
                                        {"ApiVersion", "1.51"},
                                        {"Os", "linux"},
                                        {"Arch", state_.architecture},
                                        {"Components", Value::Array{Value::Table{{"Name", component()}}}}})};
    }
    if (path == "/info") {
      Value::Array status;
      if (state_.kind == ReceiverKind::blobs) {
        status.push_back(Value::Array{"driver-type", "io.containerd.snapshotter.v1"});
      }
      return {200, to_json(Value::Table{{"DriverStatus", status}})};
    }
    if (path == "/images/json") return {200, list()};
    if (path == "/containers/create") return create(request);
    if (path.starts_with("/containers/")) return container(request, path.substr(12));
    if (path.starts_with("/images/")) return image(request, path.substr(8));
    return {404, R"({"message":"page not found"})"};
  }

  engine::EngineAnswer download(const std::string& target, ByteSink&) override {
    state_.log.push_back("GET " + target);
    return {404, R"({"message":"nothing is saved"})"};
  }

  engine::EngineAnswer upload(const engine::EngineRequest& request, ByteSource& archive, std::uint64_t size,
                              ByteSink& on_success) override {
    state_.log.push_back(request.method + " " + request.target);
    state_.uploads.push_back(size);
    const Bytes bytes = read_all(archive, no_limit);
    if (bytes.size() != size) throw Error(ErrorKind::failed, "the archive has another size than announced");
    const std::string body = state_.on_load(state_, std::string(as_text(bytes)));
    if (state_.load_status != 200) return {state_.load_status, body};
    on_success.write(as_bytes(body));
    on_success.commit();
    return {200, {}};
  }

 private:
  std::string component() const { return state_.kind == ReceiverKind::diff_ids ? "Podman Engine" : "Engine"; }

  std::string resolve(const std::string& name) const {
    if (state_.images.contains(name)) return name;
    const auto found = state_.names.find(name);
    return found == state_.names.end() ? std::string() : found->second;
  }

  std::string list() const {
    Value::Array entries;
    for (const auto& [id, image] : state_.images) {
      Value::Array tags;
      for (const auto& [name, holder] : state_.names) {
        if (holder == id) tags.push_back(name);
      }
      Value::Array manifests{Value::Table{{"Kind", "image"}, {"Available", image.available}}};
      entries.push_back(Value::Table{{"Id", id},
                                     {"RepoTags", tags},
                                     {"Created", 1},
                                     {"Labels", Value::Table{{std::string(image::layers_label), image.label}}},
                                     {"Manifests", manifests}});
    }
    return to_json(entries);
  }

  engine::EngineAnswer create(const engine::EngineRequest& request) {
    const Value wanted = parse_json(request.json);
    const std::string name = request.target.substr(request.target.find("name=") + 5);
    const std::string id = resolve(wanted.at("Image").string());
    if (id.empty()) return {404, R"({"message":"No such image"})"};
    if (state_.containers.contains(name)) return {409, R"({"message":"The name is already in use by container"})"};
    if (!state_.images.at(id).startable) return {500, R"({"message":"content digest sha256:0: not found"})"};
    state_.containers[name] = wanted.at("Labels").at("dev.veneer.check").string();
    return {201, to_json(Value::Table{{"Id", sha256(name).hex()}})};
  }

  engine::EngineAnswer container(const engine::EngineRequest& request, std::string name) {
    if (name.ends_with("/json")) name.resize(name.size() - 5);
    for (const auto& [known, label] : state_.containers) {
      if (name != known && name != sha256(known).hex()) continue;
      if (request.method == "GET") {
        return {200,
                to_json(Value::Table{{"Config", Value::Table{{"Labels", Value::Table{{"dev.veneer.check", label}}}}}})};
      }
      state_.containers.erase(known);
      return {204, {}};
    }
    return {404, R"({"message":"No such container"})"};
  }

  engine::EngineAnswer image(const engine::EngineRequest& request, std::string name) {
    if (request.method == "DELETE") {
      const std::string id = resolve(name);
      if (id.empty()) return {404, R"({"message":"No such image"})"};
      state_.names.erase(name);
      const bool named = std::ranges::any_of(state_.names, [&](const auto& entry) { return entry.second == id; });
      if (!named) state_.images.erase(id);
      return {200, "[]"};
    }
    const std::size_t slash = name.rfind('/');
    const std::string what = name.substr(slash + 1);
    const std::string id = resolve(name.substr(0, slash));
    if (id.empty()) return {404, R"({"message":"No such image"})"};
    if (what == "tag") {
      std::string query = request.target.substr(request.target.find("repo=") + 5);
      for (std::size_t at; (at = query.find("%2F")) != std::string::npos;) query.replace(at, 3, "/");
      query.replace(query.find("&tag="), 5, ":");
      state_.names[query] = id;
      return {201, {}};
    }
    const StoredImage& stored = state_.images.at(id);
    return {200,
            to_json(Value::Table{
                {"Id", id},
                {"RootFS", Value::Table{{"Layers", stored.layers}}},
                {"Config", Value::Table{{"Labels", Value::Table{{std::string(image::layers_label), stored.label}}}}}})};
  }

  EngineState& state_;
};

}  // namespace veneer::deliver::made_up
