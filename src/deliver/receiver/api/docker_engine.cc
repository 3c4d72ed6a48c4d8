#include "deliver/receiver/api/docker_engine.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "deliver/receiver/api/helper.hh"
#include "deliver/receiver/api/ladder.hh"
#include "deliver/receiver/api/read_back.hh"
#include "deliver/receiver/engine_answers.hh"
#include "deliver/receiver/foreign_images.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/json.hh"
#include "net/http.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t most_images_asked = 500;
constexpr std::uint64_t bytes_a_rung = 8 * 1024 * 1024;  // that a cut line may cost
constexpr double fast_line = 50e6;                       // bytes a second: a cut costs less there than the steps do
std::string list_target(ReceiverKind kind, const Engine& engine) {
  return tells_availability(kind, engine) ? "/images/json?manifests=1" : "/images/json";
}

// An older containerd store leaves incomplete images out of its list, the others have none.
Completeness completeness_of(const ListedImage& listed, ReceiverKind kind, const Engine& engine) {
  if (!tells_availability(kind, engine)) return Completeness::whole;
  if (!listed.available) return Completeness::unknown;
  return *listed.available ? Completeness::whole : Completeness::incomplete;
}

bool is_of_repository(const ListedImage& image, const EngineName& repository) {
  const std::string prefix = repository.repository() + ":";
  return std::ranges::any_of(image.names, [&](const std::string& name) { return name.starts_with(prefix); });
}

const KnownImage* holder_of(const EngineName& name, const Inventory& inventory) {
  const std::string full = name.full();
  const auto found = std::ranges::find_if(inventory.images, [&](const KnownImage& image) {
    return std::ranges::find(image.names, full) != image.names.end();
  });
  return found == inventory.images.end() ? nullptr : &*found;
}

bool goes_in_steps(const Delivery& delivery) {
  return delivery.plan.work == Work::load && delivery.line.bytes_per_second < fast_line &&
         delivery.plan.bytes > bytes_a_rung;
}

Problem incomplete(std::string text) { return {Problem::Kind::incomplete, std::move(text), {}}; }

std::string image_target(std::string_view name) { return fmt::format("/images/{}", name); }

}  // namespace

engine::EngineAnswer DockerEngine::call(std::string_view method, const std::string& target, std::uint64_t answer_limit,
                                        const std::string& json) {
  ++requests_;
  return transport_->call({std::string(method), target, json, answer_limit});
}

std::string DockerEngine::get(const std::string& target, std::uint64_t answer_limit) {
  engine::EngineAnswer answer = call("GET", target, answer_limit);
  if (!answer.ok()) {
    throw Error(ErrorKind::network,
                fmt::format("the engine answered {} to GET {}: {}", answer.status, target, read_error(answer.body)));
  }
  return std::move(answer.body);
}

Inventory DockerEngine::inventory(const Question& question, const OnEvent& on_event) {
  tell(on_event, {Event::Kind::asking, {}, 0, 0});
  const int requests_before = requests_;
  const std::string version = get("/version", largest_small_answer);
  const std::string info = get("/info", largest_small_answer);
  const EngineFacts facts = read_engine(version, info);

  Inventory inventory;
  inventory.kind = facts.kind;
  inventory.engine = facts.engine;
  inventory.machine = facts.machine;
  inventory.limits = facts.limits;

  std::vector<ListedImage> listed =
      read_image_list(get(list_target(facts.kind, facts.engine), largest_answer), facts.machine);
  const auto rank = [&](const ListedImage& image) {
    return is_of_repository(image, question.live_name) ? 0 : image.labelled ? 1 : 2;
  };
  std::ranges::stable_sort(listed, [&](const ListedImage& left, const ListedImage& right) {
    return std::pair(rank(left), -std::max<std::int64_t>(left.created, 0)) <
           std::pair(rank(right), -std::max<std::int64_t>(right.created, 0));
  });
  std::vector<engine::EngineRequest> requests;
  std::vector<std::size_t> described;  // places in inventory.images that the requests are about
  for (const ListedImage& entry : listed) {
    KnownImage image;
    image.id = entry.id;
    image.names = entry.names;
    image.completeness = completeness_of(entry, facts.kind, facts.engine);
    // What blobs a foreign image has, a store of blobs does not tell; one that is near gives them.
    if (facts.kind != ReceiverKind::blobs || entry.labelled || read_back_) {
      if (requests.size() == most_images_asked) {
        ++inventory.images_not_asked;
        continue;
      }
      requests.push_back({"GET", image_target("sha256:" + entry.id.hex()) + "/json", {}, largest_small_answer});
      described.push_back(inventory.images.size());
    }
    inventory.images.push_back(std::move(image));
  }
  requests_ += transport_->call_all(requests, [&](std::size_t index, const engine::EngineAnswer& answer) {
    KnownImage& image = inventory.images[described[index]];
    std::optional<KnownImage> known = answer.ok() ? read_image(answer.body) : std::nullopt;
    if (known) {
      image.diff_ids = std::move(known->diff_ids);
      image.blobs = std::move(known->blobs);
    } else {
      image.completeness = Completeness::incomplete;  // or it went away meanwhile
    }
  });
  if (inventory.kind == ReceiverKind::blobs && read_back_) find_foreign_blobs(inventory, question);
  inventory.round_trips = requests_ - requests_before;
  if (inventory.kind == ReceiverKind::prefix) {
    const auto cost = helper_socket_ ? Helper::cost(inventory.machine) : std::nullopt;
    if (read_back_ || cost) inventory.splicing = Splicing::possible;
    if (!read_back_) inventory.splice_bytes = cost.value_or(0);
  }
  inventory.taking = {.to_load = 1, .to_verify = 4, .a_name = 1};
  return inventory;
}

void DockerEngine::find_foreign_blobs(Inventory& inventory, const Question& question) {
  std::set<BlobDigest> wanted;
  for (const image::Layer& layer : question.layers) wanted.insert(layer.blob);
  for (KnownImage* image : images_to_look_into(inventory, question, 1)) {
    ++requests_;
    image->found_blobs = find_blobs(*transport_, image->id, wanted);
  }
}

std::optional<Problem> DockerEngine::load(ByteSource& archive, std::uint64_t size) {
  ++requests_;
  LoadAnswer said;
  const engine::EngineAnswer answer = transport_->upload({"POST", "/images/load?quiet=1", {}, 0}, archive, size, said);
  if (!answer.ok()) return problem_in_words(fmt::format("{} ({})", read_error(answer.body), answer.status));
  if (said.problem()) return problem_in_words(*said.problem());
  return std::nullopt;
}

std::optional<Problem> DockerEngine::take(const Delivery& delivery, const OnEvent& on_event) {
  std::optional<Problem> problem;
  try {
    problem = load_and_verify(delivery, on_event);
    if (!problem) {
      fail_point("ship.verified");
      if (delivery.live_name) {
        tell(on_event, {Event::Kind::naming, delivery.live_name->familiar(), 0, 0});
        tag(delivery.unique_name.full(), *delivery.live_name);
      }
      fail_point("ship.named");
      remove_rungs(delivery);
      return std::nullopt;
    }
  } catch (const Error&) {
    clean_up(delivery, on_event);
    throw;
  }
  clean_up(delivery, on_event);
  return problem;
}

std::optional<Problem> DockerEngine::send(const SentArchive& sent, const OnEvent& on_event) {
  const std::uint64_t size = sent.size();
  const auto archive = sent.open();
  CountedSource counted(*archive, [&](std::uint64_t count) {
    tell(on_event, {Event::Kind::sending, {}, count, size});
    if (count == size) tell(on_event, {Event::Kind::working, {}, 0, 0});
  });
  std::optional<Problem> problem;
  try {
    problem = load(counted, size);
  } catch (...) {
    bytes_sent_ += counted.count();
    throw;
  }
  bytes_sent_ += counted.count();
  if (!problem && counted.count() != size) return other_problem("the engine did not read the whole archive");
  return problem;
}

// Step by step, so that another try finds the steps that were done.
std::optional<Problem> DockerEngine::climb(const Delivery& delivery, const OnEvent& on_event) {
  Inventory inventory = delivery.inventory;
  for (const image::SealedImage& rung : rungs_of(delivery.sealed, delivery.plan, bytes_a_rung)) {
    const EngineName name = delivery.unique_name.with_tag(rung_tag(rung));
    const DeliveryPlan plan = deliver(rung, inventory, delivery.line, {{name.reference()}, {}, SpliceChoice::never});
    if (plan.work == Work::load) {
      if (auto problem = send({rung, plan, delivery.blobs, {name.reference()}}, on_event)) return problem;
      fail_point("ship.rung");
    }
    inventory.images.push_back(known_rung(rung, inventory.kind));
  }
  const DeliveryPlan plan =
      deliver(delivery.sealed, inventory, delivery.line, {{delivery.unique_name.reference()}, {}, SpliceChoice::never});
  return send({delivery.sealed, plan, delivery.blobs, {delivery.unique_name.reference()}}, on_event);
}

// Those of this run and those that an earlier one left.
void DockerEngine::remove_rungs(const Delivery& delivery) {
  const std::string prefix = delivery.unique_name.repository() + ":" + std::string(rung_tag_prefix);
  std::set<std::string> names;
  if (goes_in_steps(delivery)) {
    for (const image::SealedImage& rung : rungs_of(delivery.sealed, delivery.plan, bytes_a_rung)) {
      names.insert(delivery.unique_name.with_tag(rung_tag(rung)).full());
    }
  }
  for (const KnownImage& image : delivery.inventory.images) {
    for (const std::string& name : image.names) {
      if (name.starts_with(prefix)) names.insert(name);
    }
  }
  for (const std::string& name : names) {
    try {
      remove_name(parse_engine_name(name));
    } catch (const Error&) {
      // It stays until the next ship.
    }
  }
}

std::optional<Problem> DockerEngine::splice_by_helper(const Delivery& delivery, const OnEvent& on_event) {
  std::optional<Problem> problem;
  Helper helper(*transport_, helper_socket_.value());
  const auto take_costs = [&] {
    requests_ += helper.requests();
    bytes_sent_ += helper.bytes_sent();
  };
  try {
    problem = helper.take(delivery, on_event);
  } catch (...) {
    take_costs();
    throw;
  }
  take_costs();
  return problem;
}

std::optional<Problem> DockerEngine::bring(const Delivery& delivery, const OnEvent& on_event) {
  if (std::ranges::none_of(delivery.plan.steps, [](const Step& step) { return step.action == Action::splice; })) {
    return goes_in_steps(delivery) ? climb(delivery, on_event) : send(delivery.archive(), on_event);
  }
  if (!read_back_) return splice_by_helper(delivery, on_event);
  const ReadBack layers(*transport_, delivery.plan, delivery.blobs, *read_back_);
  const DeliveryPlan plan = layers.as_sent(delivery.plan);
  return send({delivery.sealed, plan, layers, {delivery.unique_name.reference()}}, on_event);
}

std::optional<Problem> DockerEngine::load_and_verify(const Delivery& delivery, const OnEvent& on_event) {
  if (delivery.plan.work == Work::load) {
    if (auto problem = bring(delivery, on_event)) return problem;
  } else if (holder_of(delivery.unique_name, delivery.inventory) == nullptr) {
    try {
      tag(delivery.image_id, delivery.unique_name);
    } catch (const Error& error) {
      return incomplete(error.message());
    }
  }
  fail_point("ship.loaded");
  tell(on_event, {Event::Kind::verifying, {}, 0, 0});
  return verify(delivery.unique_name, delivery.sealed, delivery.inventory);
}

// Only what this shipment made: a name that was there before stays, and so does an image that would go with its name.
void DockerEngine::clean_up(const Delivery& delivery, const OnEvent& on_event) {
  if (holder_of(delivery.unique_name, delivery.inventory) != nullptr) return;
  const KnownImage* before = find_same_image(delivery.inventory, delivery.sealed);
  if (before != nullptr && before->names.empty()) return;
  try {
    tell(on_event, {Event::Kind::cleaning_up, delivery.unique_name.familiar(), 0, 0});
    remove_name(delivery.unique_name);
  } catch (const Error&) {
    // What went wrong before is what matters; a name that is left is taken up by the next ship.
  }
}

std::optional<Problem> DockerEngine::verify(const EngineName& name, const image::SealedImage& sealed,
                                            const Inventory& inventory) {
  const engine::EngineAnswer inspected = call("GET", image_target(name.full()) + "/json", largest_small_answer);
  if (!inspected.ok()) return incomplete(fmt::format("the engine does not show it: {}", read_error(inspected.body)));
  const std::optional<KnownImage> image = read_image(inspected.body);
  if (!image) return other_problem("the engine's description of it cannot be read");
  if (image->id != image_id_on(inventory.kind, sealed)) {
    return other_problem(fmt::format("its name stands for the image {}", image->id.hex()));
  }
  const auto& layers = sealed.image.layers;
  if (image->diff_ids.empty() && !layers.empty()) return incomplete("the engine does not show its layers");
  if (!std::ranges::equal(image->diff_ids, layers, {}, {}, &image::Layer::diff_id))
    return other_problem("it has other layers");

  const Availability availability =
      tells_availability(inventory.kind, inventory.engine) ? Availability::told : Availability::left_out;
  const engine::EngineAnswer answer = call("GET", list_target(name, availability), largest_answer);
  if (!answer.ok()) return other_problem(fmt::format("the engine does not list it: {}", read_error(answer.body)));
  const std::vector<ListedImage> listed = read_image_list(answer.body, inventory.machine);
  const auto entry = std::ranges::find(listed, image->id, &ListedImage::id);
  if (entry == listed.end()) return incomplete("the engine does not list it");
  if (completeness_of(*entry, inventory.kind, inventory.engine) != Completeness::whole) {
    return incomplete("parts of it are not there");
  }
  return try_container(name, sealed);
}

// To create a container the engine must lay all layers over each other: what is missing shows only then. A load that
// ended well and a name in the list do not tell (docs/receivers.md).
std::optional<Problem> DockerEngine::try_container(const EngineName& name, const image::SealedImage& sealed) {
  const std::string digest = sealed.manifest_digest.text();
  const std::string container = "veneer-check-" + sealed.manifest_digest.hex().substr(0, 12);
  Value wanted{Value::Table{}};
  wanted.set("Image", name.full());
  wanted.set("Entrypoint", Value(Value::Array{Value("veneer-check")}));  // never started; an image may have none
  Value labels{Value::Table{}};
  labels.set(check_label, digest);
  wanted.set("Labels", std::move(labels));
  Value host{Value::Table{}};
  host.set("NetworkMode", "none");
  wanted.set("HostConfig", std::move(host));

  const std::string target = "/containers/create?name=" + container;
  engine::EngineAnswer created = call("POST", target, largest_small_answer, to_json(wanted));
  if (!created.ok() && created.body.find("already in use") != std::string::npos) {
    // Left by a run that was killed here. Docker says 409, podman 500.
    if (!remove_own_container(container, sealed)) {
      return other_problem(fmt::format("a container on the host that is not ours is called {}", container));
    }
    created = call("POST", target, largest_small_answer, to_json(wanted));
  }
  if (!created.ok())
    return problem_in_words(fmt::format("no container can be created of it: {}", read_error(created.body)));
  const std::optional<std::string> id = read_container_id(created.body);
  if (!id) return other_problem("the engine does not say which container it created");
  const engine::EngineAnswer removed =
      call("DELETE", fmt::format("/containers/{}?force=1&v=1", *id), largest_small_answer);
  if (!removed.ok() && removed.status != 404) {
    return other_problem(fmt::format("the container made to try it cannot be removed: {}", read_error(removed.body)));
  }
  return std::nullopt;
}

bool DockerEngine::remove_own_container(const std::string& container, const image::SealedImage& sealed) {
  const engine::EngineAnswer answer = call("GET", fmt::format("/containers/{}/json", container), largest_small_answer);
  if (answer.status == 404) return true;
  if (!answer.ok() || read_container_label(answer.body, check_label) != sealed.manifest_digest.text()) return false;
  const engine::EngineAnswer removed =
      call("DELETE", fmt::format("/containers/{}?force=1&v=1", container), largest_small_answer);
  return removed.ok() || removed.status == 404;
}

void DockerEngine::tag(const std::string& source, const EngineName& name) {
  const engine::EngineAnswer answer =
      call("POST",
           fmt::format("{}/tag?repo={}&tag={}", image_target(source), net::percent_encode(name.repository()),
                       net::percent_encode(name.tag)),
           largest_small_answer);
  if (!answer.ok()) {
    throw Error(ErrorKind::network, fmt::format("the engine does not name the image {}: {} ({})", name.full(),
                                                read_error(answer.body), answer.status));
  }
}

bool DockerEngine::remove_name(const EngineName& name) {
  const engine::EngineAnswer answer = call("DELETE", image_target(name.full()) + "?noprune=1", largest_small_answer);
  if (answer.status == 404) return false;
  if (!answer.ok()) {
    throw Error(ErrorKind::network, fmt::format("the engine does not remove the name {}: {} ({})", name.full(),
                                                read_error(answer.body), answer.status));
  }
  return true;
}

}  // namespace veneer::deliver
