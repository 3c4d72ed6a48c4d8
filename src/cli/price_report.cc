#include "cli/price_report.hh"

#include <fmt/format.h>

#include <algorithm>

#include "app/deploy_forecast.hh"
#include "cli/context.hh"
#include "cli/host_options.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"

namespace veneer::cli {

namespace {

constexpr std::size_t most_rows = 20;

std::string size_text(std::uint64_t bytes, app::Certainty certainty) {
  return (certainty == app::Certainty::estimated ? "about " : "") + human_size(bytes);
}

std::string move_text(const app::PricedChange& change) {
  if (change.from.empty()) return change.to + ", new";
  if (change.to.empty()) return change.from + ", gone";
  return change.from == change.to ? change.to + ", another file" : change.from + " → " + change.to;
}

/// Text of others in a table's cell.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '<' || c == '[') result += '\\';
    result += c;
  }
  return result;
}

std::string more_text(std::size_t rows) {
  return rows > most_rows ? fmt::format("and {} more\n", rows - most_rows) : "";
}

}  // namespace

std::vector<Option> price_options() {
  return {{"--line", "RATE", "what the line to the hosts carries, such as 1Mbit: shows the time as well"},
          {"--max-bytes", "SIZE", "exit with code 10 when more would travel, such as 2MB"},
          {"--markdown", "", "print tables to paste into a pull request"},
          {"--json", "", "print JSON"}};
}

PriceOutput read_price_output(const Arguments& arguments) {
  PriceOutput output;
  if (arguments.has("--markdown") && arguments.has("--json")) {
    throw Error(ErrorKind::usage, "--markdown and --json exclude each other");
  }
  if (arguments.has("--markdown")) output.form = PriceForm::markdown;
  if (arguments.has("--json")) output.form = PriceForm::json;
  output.line = app::line_of(read_line(arguments));
  if (const auto bytes = arguments.value("--max-bytes")) output.most_bytes = read_size(*bytes);
  return output;
}

std::string price_text(const app::Price& price, deliver::Line line) {
  const bool has_line = line.bytes_per_second > 0;
  std::string text = fmt::format("from {} to {}, about:\n\n", printable(price.from), printable(price.to));
  std::vector<std::string> head{"host", "on the wire", "layers sent"};
  if (has_line) head.emplace_back("about");
  Table hosts(std::move(head), {1, 2, 3});
  for (const app::PricedHost& host : price.hosts) {
    std::vector<std::string> row{host.receiver, human_size(host.bytes), fmt::format("{}", host.layers)};
    if (has_line) row.push_back(human_duration(host.seconds));
    hosts.add(std::move(row));
  }
  text += hosts.text();
  if (!price.changes.empty()) {
    Table changes({"distribution", "change", "file"}, {2});
    for (std::size_t i = 0; i < std::min(price.changes.size(), most_rows); ++i) {
      const app::PricedChange& change = price.changes[i];
      changes.add({printable(change.name, 60), printable(move_text(change), 60),
                   change.to.empty() ? "" : human_size(change.bytes)});
    }
    text += "\n" + changes.text() + more_text(price.changes.size());
  }
  if (!price.layers.empty()) {
    Table layers({"layer that travels", "on the wire"}, {1});
    for (std::size_t i = 0; i < std::min(price.layers.size(), most_rows); ++i)
      layers.add({printable(price.layers[i].title, 60), size_text(price.layers[i].bytes, price.layers[i].certainty)});
    text += "\n" + layers.text() + more_text(price.layers.size());
  }
  for (const std::string& note : price.notes) text += "\nnote: " + printable(note, 1000) + "\n";
  return text;
}

std::string price_markdown(const app::Price& price, const PriceOutput& output) {
  const bool has_line = output.line.bytes_per_second > 0;
  std::string text =
      fmt::format("**A deploy from {} to {}**, for hosts that have the former:\n\n", cell(price.from), cell(price.to));
  text += fmt::format("| host | on the wire | layers |{}\n| --- | ---: | ---: |{}\n", has_line ? " about |" : "",
                      has_line ? " ---: |" : "");
  for (const app::PricedHost& host : price.hosts) {
    text += fmt::format("| {} | {} | {} |", cell(host.receiver), human_size(host.bytes), host.layers);
    text += has_line ? fmt::format(" {} |\n", human_duration(host.seconds)) : "\n";
  }
  if (output.most_bytes) {
    const app::PricedHost& dearest = price.dearest();
    text += fmt::format("\n{}: {} of {} allowed ({}).\n",
                        dearest.bytes > *output.most_bytes ? "**Over the budget**" : "Within the budget",
                        human_size(dearest.bytes), human_size(*output.most_bytes), cell(dearest.receiver));
  }
  if (!price.changes.empty()) {
    text += "\n| distribution | change | file |\n| --- | --- | ---: |\n";
    for (std::size_t i = 0; i < std::min(price.changes.size(), most_rows); ++i) {
      const app::PricedChange& change = price.changes[i];
      text += fmt::format("| {} | {} | {} |\n", cell(change.name), cell(move_text(change)),
                          change.to.empty() ? "" : human_size(change.bytes));
    }
    if (price.changes.size() > most_rows) text += "\n" + more_text(price.changes.size());
  }
  if (!price.layers.empty()) {
    text += "\n| layer that travels | on the wire |\n| --- | ---: |\n";
    for (std::size_t i = 0; i < std::min(price.layers.size(), most_rows); ++i) {
      text += fmt::format("| {} | {} |\n", cell(price.layers[i].title),
                          size_text(price.layers[i].bytes, price.layers[i].certainty));
    }
    if (price.layers.size() > most_rows) text += "\n" + more_text(price.layers.size());
  }
  for (const std::string& note : price.notes) text += "\n" + cell(note) + ".\n";
  return text;
}

int print_price(const app::Price& price, const PriceOutput& output, Context& context) {
  context.terminal().clear_progress();
  switch (output.form) {
    case PriceForm::text: context.print(price_text(price, output.line)); break;
    case PriceForm::markdown: context.print(price_markdown(price, output)); break;
    case PriceForm::json: context.print(to_pretty_json(app::to_value(price))); break;
  }
  const app::PricedHost& dearest = price.dearest();
  if (!output.most_bytes || dearest.bytes <= *output.most_bytes) return 0;
  context.terminal().error(
      fmt::format("{}: {} bytes would be sent, {} are allowed", dearest.receiver, dearest.bytes, *output.most_bytes),
      "");
  return exit_code(ErrorKind::gate);
}

}  // namespace veneer::cli
