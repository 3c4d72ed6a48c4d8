// The part of the builder that asks what distributions install: paths, programs, what two of them want.
#include <map>
#include <set>

#include "build/image_builder.hh"
#include "build/layer_forecast.hh"
#include "build/recorded_facts.hh"
#include "foundation/parallel.hh"
#include "foundation/text.hh"
#include "image/run_config.hh"

namespace veneer::build {

using python::SelectedPackage;

bool ImageBuilder::is_known(const Distribution& distribution) const {
  const LayerKey& key = distribution.component.key;
  return cache_.note("claims", key) && cache_.note("layer", key) &&
         (distribution.package->size || cache_.note("size", key));
}

python::Claims ImageBuilder::claims(const Distribution& distribution) {
  const LayerKey& key = distribution.component.key;
  if (is_known(distribution)) return python::claims_from_text(*cache_.note("claims", key));
  const SelectedPackage& package = *distribution.package;
  tree::FileTree wheel = wheels_.make(package);
  const tree::FileTree tree = placed(wheel);
  python::Claims claims = python::claims_of(distribution.component.name, tree);
  if (!package.size) cache_.set_note("size", key, std::to_string(size_without_lock(package, tree)));
  cache_.set_note("layer", key, std::to_string(forecast_size(tree, site_packages())));
  cache_.set_note("claims", key, python::claims_to_text(claims));
  wheels_.keep(package, std::move(wheel));  // one that is not known has no layer yet
  return claims;
}

std::vector<python::Claims> ImageBuilder::all_claims() {
  std::vector<Distribution> all = distributions_;
  // The application's layer lies above all others, so what the project itself installs is used whatever its name.
  for (const SelectedPackage* package : own_packages_) {
    Distribution own{package, {}};
    own.component = {package->display_name(), package->name, plan::ComponentKind::application,
                     distribution_key(*package), 0};
    all.push_back(std::move(own));
  }
  std::vector<Distribution> read;
  std::vector<Distribution> told_of;
  for (const Distribution& distribution : all) {
    (told(distribution) != nullptr ? told_of : read).push_back(distribution);
  }
  std::vector<python::Claims> claimed = read_claims(read);
  const std::vector<bool> is_needed = needed_to_compare(told_of, read, claimed);
  std::vector<Distribution> more;
  for (std::size_t i = 0; i < told_of.size(); ++i) {
    if (is_needed[i]) {
      more.push_back(told_of[i]);
    } else {
      told_.emplace(told_of[i].component.id, *told(told_of[i]));
    }
  }
  for (python::Claims& claims : read_claims(more)) claimed.push_back(std::move(claims));
  return claimed;
}

std::vector<python::Claims> ImageBuilder::read_claims(const std::vector<Distribution>& distributions) {
  std::vector<const SelectedPackage*> unknown;
  for (const Distribution& distribution : distributions) {
    if (!is_known(distribution)) unknown.push_back(distribution.package);
  }
  supply_.fetch(unknown);
  std::vector<python::Claims> claimed(distributions.size());
  parallel_for(distributions.size(), workers_, [&](std::size_t i) { claimed[i] = claims(distributions[i]); });
  for (std::size_t i = 0; i < distributions.size(); ++i) {
    if (auto places = places_of(claimed[i], prefix_path_, site_packages())) {
      places_[distributions[i].component.id] = std::move(*places);
    }
  }
  return claimed;
}

bool ImageBuilder::has_program(const std::string& name) {
  const auto is_program = [&](const std::string& path) {
    const std::optional<std::string> real = inputs_.base.files->resolve(path.substr(1));
    const tree::InodePointer inode = real ? inputs_.base.files->inode(*real) : nullptr;
    return inode != nullptr && inode->type == archive::EntryType::file && (inode->mode & 0111) != 0;
  };
  const std::string bin = prefix_path_ + "/bin/";
  if (name.starts_with('/') && !name.starts_with("/" + bin)) return is_program(name);
  if (name.find('/') == std::string::npos) {
    for (const std::string& folder : split_words(image::search_path(inputs_.base.config), ":")) {
      if (folder.starts_with('/') && is_program(folder + "/" + name)) return true;
    }
  }
  if (!programs_) {
    if (distributions_.empty() && own_packages_.empty()) make_distributions();
    programs_.emplace();
    for (const python::Claims& claims : all_claims()) {
      for (const python::Claim& claim : claims.files) {
        if (claim.path.starts_with(bin)) programs_->insert(claim.path.substr(bin.size()));
      }
    }
    for (const auto& [id, facts] : told_) {
      for (const std::string& place : facts.places) {
        if (place.starts_with("bin/")) programs_->insert(place.substr(4));
      }
    }
  }
  const std::string program = name.substr(name.rfind('/') + 1);
  return program == "python" || program == "python3" || programs_->contains(program);
}

std::vector<plan::Overlap> ImageBuilder::overlaps(std::vector<std::string>& findings) {
  const std::vector<python::Claims> claimed = all_claims();
  std::vector<python::PathOverlap> found = python::find_overlaps(claimed);
  std::map<std::string, std::string> id_of;
  for (const Distribution& distribution : distributions_)
    id_of[distribution.component.name] = distribution.component.id;
  std::vector<plan::Overlap> result;
  for (python::PathOverlap& overlap : found) {
    overlapping_.insert({overlap.winner, overlap.loser});
    const bool wins_by_layer = id_of.contains(overlap.winner) && !id_of.contains(overlap.loser);
    if (wins_by_layer) std::swap(overlap.winner, overlap.loser);
    if (id_of.contains(overlap.winner) && id_of.contains(overlap.loser)) {
      // A module of the winner that is no valid Python has no byte code, and would get that of the loser's.
      const bool is_compiled = inputs_.byte_compiler != nullptr && overlap.path.ends_with(".py");
      result.push_back({id_of.at(overlap.loser), id_of.at(overlap.winner), overlap.path, is_compiled});
    }
  }
  for (const python::Finding& finding : python::overlap_findings(found)) findings.push_back(finding.message);
  return result;
}

}  // namespace veneer::build
