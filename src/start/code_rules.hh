// The part of the rules that reads the project's code, in two files: served_rules.cc for what a server of the lock
// runs, program_rules.cc for what runs by itself. A rule that finds its one answer takes it; one that finds several of
// equal rank offers them and ends the rules. One decision's; belongs to one thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "start/code.hh"
#include "start/rules.hh"

namespace veneer::start {

/// "main.py:7", fit to be printed.
std::string place_in(const std::string& file, std::size_t line);

/// The place of a name among `names`; their number when it is none of them.
std::size_t rank_in(std::string_view name, std::initializer_list<std::string_view> names);

/// The port that the image exposes, or that PORT says; `usual` without both.
std::uint16_t port_or(const Inputs& inputs, const Decision& decision, const Places& places, std::uint16_t usual);

class CodeRules {
 public:
  /// All must outlive the rules; `decision` gets the answer, the candidates and the notes.
  CodeRules(const Inputs& inputs, const Places& places, Decision& decision)
      : inputs_(inputs), places_(places), decision_(decision), code_(inputs, places) {}

  void run();

  /// That the program which was taken binds loopback.
  void note_loopback() const;

 private:
  struct Application {
    const ModuleFacts* module;
    std::string object;
    std::size_t line;
    bool is_factory;
    Interface interface;
  };

  // In this order.
  void by_fastapi_table();
  void by_django();
  void by_scripts();
  void by_streamlit();
  void by_gradio();
  void by_own_loop();
  void by_application();
  void by_faststream();
  void by_mcp();
  void by_name();

  void note(std::string text) const { decision_.notes.push_back(std::move(text)); }
  void take(std::vector<std::string> cmd, std::string rule, std::string place, std::optional<std::uint16_t> port = {});
  void take_file(const ModuleFacts& module, std::string rule, std::size_t line, std::optional<std::uint16_t> port = {});
  bool take_script(const std::string& name);
  void offer(std::vector<std::string> words, std::string why);
  void stop() { is_open_ = false; }

  std::uint16_t port_or(std::uint16_t usual) const { return start::port_or(inputs_, decision_, places_, usual); }
  static std::string server_advice(Interface interface);
  static std::uint16_t usual_port(Interface interface, const std::vector<std::string>& words);
  /// Served by what the lock has; `port` is the one it listens on.
  std::optional<std::vector<std::string>> served(const ModuleFacts& module, const std::string& object, bool is_factory,
                                                 Interface interface, std::uint16_t& port) const;
  bool is_direct(const char* name) const;
  static std::size_t line_of_call(const ModuleFacts& module, std::string_view last);
  /// A call with which a program runs until it is told to end, and listens to the outside if it listens at all.
  const ModuleCall* own_loop(const ModuleFacts& module) const;
  /// What an object of the module, or one that it imports, is made by.
  std::string made_by(const ModuleFacts& module, const std::string& name) const;
  static std::optional<std::uint16_t> port_of(const ModuleCall& call);
  std::vector<Application> applications() const;
  /// It does something when it is run.
  static bool is_program(const ModuleFacts& module);
  /// PYTHONPATH of the file that was taken.
  void set_path();

  template <typename Rank, typename Make, typename Line>
  void choose_one(const std::vector<const ModuleFacts*>& files, const Rank& rank, const Make& make,
                  const std::string& rule, const Line& line);

  const Inputs& inputs_;
  const Places& places_;
  Decision& decision_;
  Code code_;
  const ModuleFacts* program_ = nullptr;
  bool is_open_ = true;
};

/// The one of the least rank is taken; when two have it, all that have are offered and the rules end.
template <typename Rank, typename Make, typename Line>
void CodeRules::choose_one(const std::vector<const ModuleFacts*>& files, const Rank& rank, const Make& make,
                           const std::string& rule, const Line& line) {
  if (files.empty()) return;
  const auto best = *std::min_element(files.begin(), files.end(),
                                      [&](const auto* left, const auto* right) { return rank(*left) < rank(*right); });
  std::vector<const ModuleFacts*> equal;
  for (const ModuleFacts* file : files) {
    if (rank(*file) == rank(*best)) equal.push_back(file);
  }
  if (equal.size() > 1) {
    for (const ModuleFacts* file : equal)
      offer(make(*file).first, fmt::format("{}: {}", place_in(file->path, line(*file)), rule));
    return stop();
  }
  auto [words, port] = make(*best);
  take(std::move(words), rule, place_in(best->path, line(*best)), port);
  program_ = best;
  decision_.needs_files = code_.is_missing(best->path);
}

}  // namespace veneer::start
