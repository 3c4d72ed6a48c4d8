#include "inspect/layer_contents.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/history.hh"
#include "image/platform.hh"
#include "image/validate.hh"

namespace veneer::inspect {

namespace {

/// "3.4 MB": powers of 1000, as engines show sizes.
std::string size_text(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB"}) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return value < 9.95 ? fmt::format("{:.1f} {}", value, unit) : fmt::format("{:.0f} {}", value, unit);
}

Value facts_value(const LayerFacts& facts) {
  Value value;
  value.set("tar_size", facts.tar_size);
  value.set("files", facts.counts.files);
  value.set("folders", facts.counts.folders);
  value.set("links", facts.counts.links);
  value.set("others", facts.counts.others);
  value.set("whiteouts", facts.counts.whiteouts);
  value.set("file_bytes", facts.counts.file_bytes);
  Value::Array biggest;
  for (const BigFile& file : facts.biggest) {
    Value row;
    row.set("path", printable(file.path, 4 * file.path.size()));
    row.set("size", file.size);
    biggest.push_back(std::move(row));
  }
  value.set("biggest", std::move(biggest));
  if (!facts.packages.empty()) {
    Value::Array packages;
    for (const PackageBytes& package : facts.packages) {
      Value row;
      row.set("package", package.package.empty() ? Value() : Value(printable(package.package)));
      row.set("files", package.files);
      row.set("bytes", package.bytes);
      packages.push_back(std::move(row));
    }
    value.set("packages", std::move(packages));
  }
  Value::Array findings;
  for (const std::string& finding : facts.counts.findings) findings.emplace_back(finding);
  value.set("findings", std::move(findings));
  return value;
}

/// The largest of them, for people.
std::string packages_text(const std::vector<PackageBytes>& packages) {
  constexpr std::size_t most = 8;
  if (packages.empty()) return {};
  std::string text = fmt::format("{:>3}  packages:", "");
  for (std::size_t i = 0; i < std::min(most, packages.size()); ++i) {
    const std::string name = packages[i].package.empty() ? "no package" : printable(packages[i].package);
    text += fmt::format("{} {} {}", i == 0 ? "" : ",", name, size_text(packages[i].bytes));
  }
  if (packages.size() > most) text += fmt::format(", {} more", packages.size() - most);
  return text + "\n";
}

/// "veneer: distribution numpy 2.1.0" is a layer of kind "distribution"; any other history is a base's.
void set_kind_and_title(LayerSummary& summary) {
  std::string_view rest = summary.made_by;
  constexpr std::string_view mark = "veneer: ";
  const bool is_ours = rest.starts_with(mark);
  if (is_ours) rest.remove_prefix(mark.size());
  summary.kind = "base";
  for (const std::string_view kind : {"distribution", "environment", "application"}) {
    if (!is_ours || !rest.starts_with(kind) || rest.substr(kind.size(), 1) != " ") continue;
    summary.kind = kind;
    rest.remove_prefix(kind.size() + 1);
    break;
  }
  summary.title = rest;
}

}  // namespace

std::vector<LayerSummary> summarize_layers(const image::Image& image, const MergedTree* merged) {
  const std::vector<ChainId> chain = image::chain_ids(image.layers);
  const std::vector<image::LayerHistory> history = image::history_of_layers(image.config.history, image.layers.size());
  std::vector<LayerSummary> summaries;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    LayerSummary summary;
    summary.layer = image.layers[i];
    summary.chain_id = chain[i];
    summary.made_by = history[i].created_by.empty() ? history[i].comment : history[i].created_by;
    summary.made_by_is_certain = history[i].is_certain;
    set_kind_and_title(summary);
    if (merged != nullptr) summary.facts = merged->layers.at(i);
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

std::string summary_to_text(const std::vector<LayerSummary>& layers) {
  std::string text =
      fmt::format("{:>3}  {:<12}  {:<12}  {:>8}  {:<4}  {}\n", "", "diff ID", "blob", "size", "form", "what");
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerSummary& summary = layers[i];
    std::string title = summary.title.empty() ? "-" : printable(summary.title, 90);
    if (!summary.title.empty() && !summary.made_by_is_certain) title += " (uncertain)";
    text += fmt::format("{:>3}  {:.12}  {:.12}  {:>8}  {:<4}  {}\n", i + 1, summary.layer.diff_id.hex(),
                        summary.layer.blob.hex(), size_text(summary.layer.size),
                        archive::encoding_name(summary.layer.encoding), title);
    total += summary.layer.size;
    if (!summary.facts) continue;
    const LayerFacts& facts = *summary.facts;
    text += fmt::format("{:>3}  {} in {} files", "", size_text(facts.counts.file_bytes), facts.counts.files);
    if (facts.counts.whiteouts > 0) text += fmt::format(", {} whiteouts", facts.counts.whiteouts);
    if (!facts.biggest.empty()) {
      text += fmt::format("; biggest {} ({})", printable(facts.biggest.front().path, 80),
                          size_text(facts.biggest.front().size));
    }
    text += '\n';
    text += packages_text(facts.packages);
    for (const std::string& finding : facts.counts.findings) text += fmt::format("{:>3}  note: {}\n", "", finding);
  }
  text += fmt::format("{} layers, {}\n", layers.size(), size_text(total));
  return text;
}

std::string summary_to_json(const image::SealedImage& image, const std::vector<LayerSummary>& layers) {
  Value document;
  document.set("manifest", image.manifest_digest.text());
  document.set("config", image.config_digest.text());
  document.set("platform", image::platform_text(image.image.config.platform));
  document.set("created", image.image.config.created);
  Value::Array rows;
  for (const LayerSummary& summary : layers) {
    Value row;
    row.set("diff_id", summary.layer.diff_id.text());
    row.set("chain_id", summary.chain_id.text());
    row.set("digest", summary.layer.blob.text());
    row.set("size", summary.layer.size);
    row.set("encoding", archive::encoding_name(summary.layer.encoding));
    row.set("kind", summary.kind);
    row.set("title", summary.title);
    row.set("made_by", summary.made_by);
    row.set("made_by_is_certain", summary.made_by_is_certain);
    if (summary.facts) row.set("contents", facts_value(*summary.facts));
    rows.push_back(std::move(row));
  }
  document.set("layers", std::move(rows));
  Value::Array findings;
  for (const std::string& finding : image::validate_image(image)) findings.emplace_back(finding);
  document.set("findings", std::move(findings));
  return to_json(document) + "\n";
}

}  // namespace veneer::inspect
