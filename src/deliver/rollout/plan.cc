#include "deliver/rollout/plan.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "deliver/rollout/described.hh"
#include "deliver/rollout/settings.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/shell_word.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

using Ports = std::set<std::uint16_t>;

constexpr std::uint64_t settle_of_a_new_one = 5;    // seconds
constexpr std::uint64_t settle_of_a_known_one = 2;  // it was well before

std::optional<std::uint16_t> read_port(std::string_view text, int base) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::vector<std::string> words_of(const Value* list) {
  std::vector<std::string> words;
  if (list == nullptr || !list->is_array()) return words;
  for (const Value& word : list->array()) {
    if (word.is_string()) words.push_back(word.string());
  }
  return words;
}

std::string string_of(const Value* value) { return value == nullptr || !value->is_string() ? "" : value->string(); }

// TCP ports among the keys "80/tcp", "53/udp".
Ports ports_of(const Value* table) {
  Ports ports;
  if (table == nullptr || !table->is_table()) return ports;
  for (const auto& [key, value] : table->table()) {
    const std::size_t slash = std::min(key.find('/'), key.size());
    if (slash != key.size() && key.substr(slash) != "/tcp") continue;
    if (const auto port = read_port(std::string_view(key).substr(0, slash), 10)) ports.insert(*port);
  }
  return ports;
}

// What an image gives to the containers that are made of it.
struct ImageFacts {
  explicit ImageFacts(const Value* image)
      : config(member(image, "Config")),
        exposed(ports_of(member(config, "ExposedPorts"))),
        test(words_of(member(member(config, "Healthcheck"), "Test"))),
        shell(words_of(member(config, "Shell"))) {
    if (test.empty()) test = words_of(member(member(image, "Healthcheck"), "Test"));  // podman
  }
  const Value* config;
  Ports exposed;
  std::vector<std::string> test;
  std::vector<std::string> shell;
};

const Value* image_of(const RolloutFacts& facts, const std::string& id) {
  const auto image = facts.images.find(without_algorithm(id));
  return image == facts.images.end() ? nullptr : &image->second;
}

const Value* description_of(const RolloutFacts& facts, const std::string& id) {
  for (const Value& description : facts.descriptions) {
    if (string_of(member(&description, "Id")) == id) return &description;
  }
  return nullptr;
}

bool says(const RolloutFacts& facts, const std::string& service, std::string_view key) {
  return std::ranges::any_of(facts.settings,
                             [&](const auto& setting) { return setting.service == service && setting.key == key; });
}

std::string setting_of(const RolloutFacts& facts, const std::string& service, std::string_view key) {
  for (const auto& setting : facts.settings) {
    if (setting.service == service && setting.key == key) return setting.value;
  }
  return "";
}

bool shares_network(const RolloutFacts& facts, const std::string& id, const std::string& mode) {
  return mode == "host" || mode.starts_with("container:") || mode.starts_with("service:") || mode.starts_with("ns:") ||
         std::ranges::find(facts.network_modes, "container:" + id) != facts.network_modes.end();
}

bool is_tried_again_on_failure_at_most(std::string_view policy) {
  return policy.empty() || policy == "no" || policy.starts_with("on-failure");
}

// Makes the plans of one service, or of one container where there is no compose file.
class ServicePlanner {
 public:
  ServicePlanner(const RolloutFacts& facts, const PlanWishes& wishes, std::string name, RolloutPlan& plan)
      : facts_(facts), wishes_(wishes), name_(std::move(name)), new_image_(image_of(facts, wishes.image)), plan_(plan) {
    for (const ContainerState& container : facts.containers) {
      if (container.name == name_) containers_.push_back(&container);
    }
  }

  void make() {
    HealthPlan forward{.name = name_};
    HealthPlan back{.name = name_, .settle = settle_of_a_known_one};
    if (containers_.empty()) {
      plan_without_predecessor(forward);
    } else {
      plan_with_predecessor(forward, back);
    }
    if (wishes_.settle) {
      forward.settle = *wishes_.settle;
      back.settle = std::min(back.settle, *wishes_.settle);
    }
    plan_.forward.services.push_back(std::move(forward));
    plan_.back.services.push_back(std::move(back));
  }

 private:
  void note(std::string_view why) { plan_.notes.push_back(fmt::format("{}: {}", name_, why)); }

  void set_check(HealthPlan& plan, const std::vector<std::string>& test, const std::vector<std::string>& shell) {
    plan.has_check = !test.empty() && test.front() != "NONE";
    plan.check = health_command(test, shell);
  }

  void plan_without_predecessor(HealthPlan& plan) {
    const std::string policy = setting_of(facts_, name_, "restart");
    plan.may_end = says(facts_, name_, "awaited") && is_tried_again_on_failure_at_most(policy);
    const auto own = facts_.composed ? health_test_of_service(*facts_.composed, name_) : std::nullopt;
    if (!own && says(facts_, name_, "healthcheck")) return;  // the engine tells
    set_check(plan, own.value_or(new_image_.test), new_image_.shell);
    const std::string mode = setting_of(facts_, name_, "network_mode");
    const bool runs_the_images_own = !says(facts_, name_, "entrypoint") && !says(facts_, name_, "command");
    if (plan.has_check || plan.may_end || !runs_the_images_own || wishes_.ports == PortWait::none) return;
    if (mode == "none" || shares_network(facts_, "", mode)) return;
    plan.ports.assign(new_image_.exposed.begin(), new_image_.exposed.end());
  }

  void plan_with_predecessor(HealthPlan& forward, HealthPlan& back) {
    const ContainerState& first = *containers_.front();
    const Value* description = description_of(facts_, first.id);
    const ImageFacts old_image(image_of(facts_, first.image));
    const std::string policy = string_of(member(member(member(description, "HostConfig"), "RestartPolicy"), "Name"));
    const bool has_ended_well = std::ranges::all_of(containers_, [](const auto* container) {
      return container->status == "exited" && container->exit_code == "0";
    });
    forward.may_end = back.may_end =
        is_tried_again_on_failure_at_most(policy) && (has_ended_well || says(facts_, name_, "awaited"));
    const Value* config = member(description, "Config");
    const std::vector<std::string> test = words_of(member(member(config, "Healthcheck"), "Test"));
    plan_check(test, old_image, forward, back);
    forward.settle = was_well() ? settle_of_a_known_one : settle_of_a_new_one;
    if (!forward.has_check || !back.has_check) plan_ports(description, old_image, forward, back);
  }

  // The check of the containers that will be made; `test` is that of the one there is.
  void plan_check(const std::vector<std::string>& test, const ImageFacts& old_image, HealthPlan& forward,
                  HealthPlan& back) {
    if (facts_.composed) {
      const auto own = health_test_of_service(*facts_.composed, name_);
      set_check(forward, own.value_or(new_image_.test), new_image_.shell);
      set_check(back, own.value_or(old_image.test), old_image.shell);
      return;
    }
    set_check(back, test, old_image.shell);
    set_check(forward, test == old_image.test ? new_image_.test : test, new_image_.shell);
    // It may be another by now, so the engine tells.
    if (says(facts_, name_, "healthcheck")) forward.check = back.check = "";
  }

  bool was_well() const {
    return std::ranges::all_of(containers_, [&](const ContainerState* container) {
      HealthPlans before;
      before.known.push_back({container->id, container->restarts});
      const Look look{.image = container->image,
                      .elapsed = std::numeric_limits<std::uint64_t>::max(),
                      .longest = 0,
                      .listens = {},
                      .passes_check = {}};
      return judge({*container}, before, look).state == Judgement::State::well;
    });
  }

  // The ports on which all of its containers listen.
  void plan_ports(const Value* description, const ImageFacts& old_image, HealthPlan& forward, HealthPlan& back) {
    const Value* host = member(description, "HostConfig");
    const std::string mode = string_of(member(host, "NetworkMode"));
    Ports exposed = ports_of(member(member(description, "Config"), "ExposedPorts"));
    exposed.merge(ports_of(member(host, "PortBindings")));
    std::optional<Ports> listened;
    bool by_process = false;
    for (const ContainerState* container : containers_) {
      if (container->status != "running") continue;
      if (std::ranges::find(facts_.unseen, container->id) != facts_.unseen.end()) {
        if (!forward.has_check) note("its ports are not waited for: this account cannot see on which ones it listens");
        return;
      }
      const bool is_shared = shares_network(facts_, container->id, mode);
      by_process = by_process || is_shared;
      Ports ports;
      bool has_foreign = false;
      for (const RolloutFacts::Socket& socket : facts_.listening) {
        if (socket.container != container->id) continue;
        const bool is_ephemeral = socket.port >= facts_.first_ephemeral && socket.port <= facts_.last_ephemeral;
        if (is_ephemeral && !exposed.contains(socket.port)) continue;
        if (is_shared && !socket.is_its_own) {
          has_foreign = true;
        } else {
          ports.insert(socket.port);
        }
      }
      // Without root nobody's sockets are known to be its own.
      if (is_shared && has_foreign && !knows_owners() && !forward.has_check) {
        note(
            "its ports are not waited for: it shares its network with others, and only root can see which are its own");
      }
      if (listened) {
        std::erase_if(*listened, [&](std::uint16_t port) { return !ports.contains(port); });
      } else {
        listened = std::move(ports);
      }
    }
    if (!listened || listened->empty()) return;
    if (wishes_.ports == PortWait::none) return;
    for (HealthPlan* plan : {&forward, &back}) {
      plan->must_listen = true;
      plan->by_process = by_process;
      plan->ports.assign(listened->begin(), listened->end());
    }
    if (new_image_.exposed != old_image.exposed) {
      forward.ports.assign(new_image_.exposed.begin(), new_image_.exposed.end());
    }
  }

  bool knows_owners() const {
    return std::ranges::any_of(facts_.listening, [](const auto& socket) { return socket.is_its_own; });
  }

  const RolloutFacts& facts_;
  const PlanWishes& wishes_;
  std::string name_;
  ImageFacts new_image_;
  std::vector<const ContainerState*> containers_;
  RolloutPlan& plan_;
};

// What serves, when a deploy that was killed left more than one image there: the newest that was well.
std::string way_back(const RolloutFacts& facts, const std::string& image) {
  std::vector<std::string> there;
  for (const bool running : {true, false}) {
    for (const ContainerState& container : facts.containers) {
      if ((container.status == "running") == running) there.push_back(without_algorithm(container.image));
    }
    if (!there.empty()) break;
  }
  if (there.empty()) return "";
  const auto is_there = [&](const std::string& id) { return std::ranges::find(there, id) != there.end(); };
  if (std::ranges::all_of(there, [&](const std::string& id) { return id == there.front(); })) return there.front();
  const std::vector<Release> releases = read_releases(facts.releases, false);
  for (auto release = releases.rbegin(); release != releases.rend(); ++release) {
    if (release->outcome == ReleaseOutcome::well && release->id != image && is_there(release->id)) return release->id;
  }
  if (facts.live != image && is_there(facts.live)) return facts.live;
  const auto other = std::ranges::find_if(there, [&](const std::string& id) { return id != image; });
  return other == there.end() ? there.front() : *other;
}

std::string quoted_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + single_quoted(word);
  return text;
}

Value read_document(std::string_view key, const std::string& text) {
  return in_context([&] { return fmt::format("what the host says of a rollout ({})", key); },
                    [&] { return parse_json(text); });
}

}  // namespace

void take_fact(RolloutFacts& facts, std::string_view key, const std::string& value) {
  const std::vector<std::string> words = split_words(value, " ");
  const auto row = [&] { return split_words(value, "|"); };
  if (key == "service") facts.services.push_back(value);
  if (key == "setting") {
    if (const auto fields = row(); fields.size() >= 2) {
      facts.settings.push_back({fields[0], fields[1], fields.size() > 2 ? fields[2] : ""});
    }
  }
  if (key == "row") {
    if (auto state = read_container_state(value)) facts.containers.push_back(std::move(*state));
  }
  if (key == "container") facts.descriptions.push_back(read_document(key, value));
  if (key == "image") {
    if (const std::size_t space = value.find(' '); space != std::string::npos && space + 1 < value.size()) {
      facts.images.insert_or_assign(value.substr(0, space), read_document(key, value.substr(space + 1)));
    }
  }
  if (key == "listens" && words.size() == 3) {
    if (const auto port = read_port(words[1], 16)) facts.listening.push_back({words[0], *port, words[2] == "yes"});
  }
  if (key == "unseen") facts.unseen.push_back(value);
  if (key == "mode") facts.network_modes.push_back(value);
  if (key == "composed" && !trimmed(value).empty()) facts.composed = read_document(key, value);
  if (key == "live") facts.live = value;
  if (key == "logging") facts.logging = value;
  if (key == "other") facts.others.push_back(read_document(key, value));
  if (key == "release") facts.releases.push_back(value);
  if (key == "named") {
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (const auto name = read_engine_name(words[i])) facts.names.push_back({*name, without_algorithm(words[0])});
    }
  }
  if (key == "uses" && !words.empty()) {
    facts.uses.push_back({without_algorithm(words[0]), words.size() > 1 ? words[1] : ""});
  }
  if (key == "range" && words.size() == 2) {
    facts.first_ephemeral = read_port(words[0], 10).value_or(facts.first_ephemeral);
    facts.last_ephemeral = read_port(words[1], 10).value_or(facts.last_ephemeral);
  }
}

RolloutPlan make_plan(const RolloutFacts& facts, const PlanWishes& wishes) {
  RolloutPlan plan;
  plan.way_back = way_back(facts, wishes.image);
  for (const ContainerState& container : facts.containers) {
    plan.forward.known.push_back({container.id, container.restarts});
  }
  plan.back.known = plan.forward.known;
  std::vector<std::string> names = facts.services;
  for (const ContainerState& container : facts.containers) {
    if (std::ranges::find(names, container.name) == names.end()) names.push_back(container.name);
  }
  for (const std::string& name : names) ServicePlanner(facts, wishes, name, plan).make();
  HealthPlan others{.name = "-", .settle = wishes.settle.value_or(settle_of_a_new_one)};
  plan.forward.services.push_back(others);
  others.settle = std::min(others.settle, settle_of_a_known_one);
  plan.back.services.push_back(others);
  if (wishes.ports == PortWait::none) plan.notes.emplace_back("no ports were waited for (--no-port-wait)");
  return plan;
}

std::string health_command(const std::vector<std::string>& test, const std::vector<std::string>& shell) {
  for (const auto* words : {&test, &shell}) {
    if (std::ranges::any_of(*words, [](const std::string& word) { return word.find('\0') != std::string::npos; }))
      return "";
  }
  if (test.size() < 2) return "";
  if (test.front() == "CMD") return quoted_words({test.begin() + 1, test.end()});
  if (test.front() != "CMD-SHELL" || test.size() != 2) return "";
  std::vector<std::string> words = shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : shell;
  words.push_back(test.back());
  return quoted_words(words);
}

}  // namespace veneer::deliver
