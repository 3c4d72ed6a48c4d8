#include "replay/page.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "foundation/error.hh"
#include "foundation/units.hh"

namespace veneer::replay {

namespace {

constexpr double width = 640;
constexpr double height = 340;
constexpr double left = 96;  // room for the sizes at the axis
constexpr double right = 12;
constexpr double top = 12;
constexpr double bottom = 30;

constexpr std::string_view head = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What deploys would have cost</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2126; --soft: #5a646e; --rule: #d9dee3;
  --c0: #b3261e; --c1: #b45309; --c2: #8a6d00; --c3: #5b6470; --c4: #1d5fbf; --c5: #157a3c; --c6: #7b3fa0; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181c; --ink: #e6eaee; --soft: #a3adb7; --rule: #333b43;
    --c0: #ff8a80; --c1: #ffb067; --c2: #e5cf5e; --c3: #aab4bf; --c4: #80b4ff; --c5: #74d99a; --c6: #d3a4f5; } }
body { margin: 0 auto; max-width: 760px; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
p, figcaption { color: var(--soft); } figure { margin: 1rem 0; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 14px system-ui, sans-serif; }
.grid { stroke: var(--rule); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9rem; }
th { font-weight: 600; }
@media (max-width: 500px) {
  body { padding: .6rem; } svg text { font-size: 20px; } table { font-size: .8rem; }
  th, td { padding: .25rem .2rem; } th:first-child, td:first-child { min-width: 7rem; } }
.key { display: inline-block; width: 1.4em; border-top: 3px solid; margin-right: .4em; vertical-align: middle; }
</style>
<h1>What deploys would have cost</h1>
<p>Bytes that the deploys of a project bring under different layouts of its image:
those of dependencies, compressed as wheels are, and where they are known those of the application's own files,
each compressed by itself.
The first deploy is not counted.</p>
)";

/// Text of others between tags.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

/// Where sizes lie on the paper: the powers of ten that hold all of them.
class Scale {
 public:
  Scale(const Costs& costs, const NamedLayouts& layouts) {
    std::uint64_t least = ~std::uint64_t{0};
    std::uint64_t most = 1;
    for (const NamedLayout& layout : layouts) {
      std::uint64_t sum = 0;
      for (const LayoutBytes& brought : costs.brought) {
        sum += brought.*layout.bytes;
        if (sum > 0) least = std::min(least, sum);
      }
      most = std::max(most, sum);
    }
    lowest_ = static_cast<int>(std::floor(std::log10(static_cast<double>(std::min(least, most)))));
    highest_ = std::max(static_cast<int>(std::ceil(std::log10(static_cast<double>(most)))), lowest_ + 1);
  }

  int lowest() const { return lowest_; }
  int highest() const { return highest_; }
  /// Nothing so far lies on the lower edge.
  double y(double bytes) const {
    const double power = bytes < 1 ? lowest_ : std::max(std::log10(bytes), static_cast<double>(lowest_));
    return top + (height - top - bottom) * (highest_ - power) / (highest_ - lowest_);
  }

 private:
  int lowest_;
  int highest_;
};

std::string grid(const Scale& scale, std::size_t deploys) {
  std::string text;
  for (int power = scale.lowest(); power <= scale.highest(); ++power) {
    const double bytes = std::pow(10.0, power);
    text += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", left, width - right,
                        scale.y(bytes), scale.y(bytes));
    text += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6, scale.y(bytes) + 4,
                        human_size(static_cast<std::uint64_t>(bytes)));
  }
  text += fmt::format("<text x=\"{}\" y=\"{}\">first deploy</text>\n", left, height - 8);
  text +=
      fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">deploy {}</text>\n", width - right, height - 8, deploys);
  return text;
}

/// The sum goes up at a deploy and is level between two.
std::string line(const Costs& costs, const NamedLayout& layout, std::size_t color, const Scale& scale) {
  const double step = (width - left - right) / std::max<double>(static_cast<double>(costs.deploys()) - 1, 1);
  std::string path;
  std::uint64_t sum = 0;
  std::uint64_t drawn = 0;
  for (std::size_t i = 0; i < costs.deploys(); ++i) {
    sum += costs.brought[i].*layout.bytes;
    const double x = left + step * static_cast<double>(i);
    if (path.empty()) {
      path = fmt::format("M{:.1f} {:.1f}", x, scale.y(static_cast<double>(sum)));
    } else if (sum != drawn || i + 1 == costs.deploys()) {
      path += fmt::format("H{:.1f}V{:.1f}", x, scale.y(static_cast<double>(sum)));
    }
    drawn = sum;
  }
  return fmt::format("<path class=\"line\" stroke=\"var(--c{})\" d=\"{}\"><title>{}: {}</title></path>\n", color, path,
                     layout.name, human_size(sum));
}

std::string chart(const Costs& costs, const NamedLayouts& layouts) {
  const Scale scale(costs, layouts);
  std::string text = fmt::format(
      "<figure>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Bytes brought so far, by deploy, on a "
      "logarithmic "
      "scale; the table has the sums\">\n",
      width, height);
  text += grid(scale, costs.deploys());
  std::size_t color = 0;
  for (const NamedLayout& layout : layouts) text += line(costs, layout, color++, scale);
  return text + "</svg>\n<figcaption>Bytes brought so far, on a logarithmic scale.</figcaption>\n</figure>\n";
}

std::string table(const Costs& costs, const NamedLayouts& layouts, std::string_view what) {
  std::string text =
      fmt::format("<div class=\"scroll\">\n<table>\n<tr><th>{} as<th>all deploys<th>a deploy<th>× bound\n", what);
  std::size_t color = 0;
  for (const CostRow& row : cost_rows(costs, layouts)) {
    text += fmt::format("<tr><td><span class=\"key\" style=\"border-color: var(--c{})\"></span>{}<td>{}<td>{}<td>{}\n",
                        color++, row.name, row.all, row.each, row.times);
  }
  return text + "</table>\n</div>\n";
}

}  // namespace

const NamedLayouts& named_application_layouts() {
  static const NamedLayouts all = {
      {"one layer, when one of its files changed", &LayoutBytes::application_one_layer},
      {"code, files and large folders apart, by plain docker pull on overlay2", &LayoutBytes::application_prefix},
      {"code, files and large folders apart, by veneer", &LayoutBytes::application_blobs},
      {"each changed file once (bound)", &LayoutBytes::application_changed},
  };
  return all;
}

const NamedLayouts& named_layouts() {
  static const NamedLayouts all = {
      {"one layer with the application, made anew", &LayoutBytes::one_layer_always},
      {"a base image, rebuilt when its files change", &LayoutBytes::seed_base_image},
      {"one layer, made anew when the lock changes", &LayoutBytes::deps_layer_by_lock_bytes},
      {"one layer, the same for the same set", &LayoutBytes::deps_layer_by_set},
      {"layers that stay, by plain docker pull on overlay2", &LayoutBytes::veneer_prefix},
      {"layers that stay, by veneer", &LayoutBytes::veneer_blobs},
      {"each new wheel once (bound)", &LayoutBytes::layer_per_wheel},
  };
  return all;
}

std::string estimate_text(const Costs& costs) {
  if (costs.estimated == 0) return {};
  return fmt::format("of {} of {} files no lock says the size; they are estimated", costs.estimated, costs.wheels);
}

std::vector<CostRow> cost_rows(const Costs& costs, const NamedLayouts& layouts) {
  const std::uint64_t bound = costs.total.*layouts.back().bytes;
  const std::size_t counted = std::max<std::size_t>(costs.deploys(), 2) - 1;  // the first brings nothing that counts
  std::vector<CostRow> rows;
  for (const NamedLayout& layout : layouts) {
    const std::uint64_t bytes = costs.total.*layout.bytes;
    rows.push_back({layout.name, human_size(bytes), human_size(bytes / counted),
                    bound == 0 ? "" : fmt::format("{:.2f}", static_cast<double>(bytes) / static_cast<double>(bound))});
  }
  return rows;
}

std::string page(const std::vector<Costs>& histories) {
  std::string text(head);
  for (const Costs& costs : histories) {
    text += fmt::format("<h2>{}</h2>\n<p>{} deploys with a lock, {} of them with another set of dependencies.</p>\n",
                        escaped(costs.project), costs.deploys(), costs.set_changes);
    if (costs.estimated > 0) text += fmt::format("<p>Estimates: {}.</p>\n", estimate_text(costs));
    const auto add = [&](const NamedLayouts& layouts, std::string_view what) {
      if (costs.deploys() > 1) text += chart(costs, layouts);
      text += table(costs, layouts, what);
    };
    add(named_layouts(), "dependencies");
    if (costs.has_application) add(named_application_layouts(), "application");
  }
  return text;
}

}  // namespace veneer::replay
