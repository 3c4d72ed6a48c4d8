#include "cli/forecast_report.hh"

#include <fmt/format.h>

#include <algorithm>

#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/units.hh"
#include "image/history.hh"

namespace veneer::cli {

std::string forecast_text(const std::vector<deliver::Forecast>& forecasts, deliver::Line line) {
  const bool has_line = line.bytes_per_second > 0;
  std::vector<std::string> head{"host", "on the wire", "layers sent", "read back"};
  if (has_line) head.emplace_back("about");
  Table table(std::move(head), {1, 2, 3, 4});
  for (const deliver::Forecast& forecast : forecasts) {
    const deliver::DeliveryPlan& plan = forecast.plan;
    const auto count = [&](deliver::Action action) {
      return fmt::format("{}", std::ranges::count(plan.steps, action, &deliver::Step::action));
    };
    std::vector<std::string> row{forecast.receiver, human_size(plan.bytes), count(deliver::Action::send),
                                 count(deliver::Action::splice)};
    if (has_line) row.push_back(human_duration(plan.line_seconds + plan.host_seconds));
    table.add(std::move(row));
  }
  return table.text();
}

std::string travelling_text(const image::Image& image, const deliver::Forecast& forecast) {
  const std::vector<image::LayerHistory> history = image::history_of_layers(image.config.history, image.layers.size());
  std::vector<std::size_t> sent;
  for (std::size_t i = 0; i < forecast.plan.steps.size(); ++i) {
    if (forecast.plan.steps[i].action == deliver::Action::send) sent.push_back(i);
  }
  std::ranges::stable_sort(sent, std::ranges::greater(),
                           [&](std::size_t index) { return forecast.plan.steps[index].bytes; });
  Table table({"#", "layer", "on the wire", "why"}, {0, 2});
  for (const std::size_t index : sent) {
    const deliver::Step& step = forecast.plan.steps[index];
    std::string title = history[index].created_by;
    if (title.starts_with("veneer: ")) title.erase(0, sizeof("veneer: ") - 1);
    table.add({fmt::format("{}", index + 1), printable(title, 50), human_size(step.bytes), step.why});
  }
  return table.text();
}

}  // namespace veneer::cli
