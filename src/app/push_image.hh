// Brings an image into a registry, under the names that were asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/build_session.hh"
#include "app/made_layers.hh"
#include "app/open_image.hh"
#include "app/surroundings.hh"
#include "deliver/receiver/registry/push.hh"
#include "deliver/receiver/registry/referrer.hh"

namespace veneer::app {

struct PushTarget {
  image::Reference name;                // with a tag
  std::vector<std::string> also_tags;   // of the same repository
  std::vector<std::string> mount_from;  // repositories of the same registry
  enum class Mounts { tried, never } mounts = Mounts::tried;
  std::optional<std::uint64_t> most_bytes;
  double bytes_per_second = 0;                   // of the line; 0: not known
  std::optional<std::chrono::seconds> patience;  // while no byte moves
};

/// REF, with "registry:" before it or not: a name of a registry, read as Docker reads it ("shop" is
/// docker.io/library/shop:latest). Throws Error (usage).
image::Reference parse_push_name(const std::string& text);
/// A tag, or a whole name of the same repository. Throws Error (usage).
std::string parse_also_tag(const std::string& text, const image::Reference& name);
/// The repository that REPOSITORY names, with or without the registry of `name`. Throws Error (usage) for another
/// one's.
std::string parse_mount_from(const std::string& text, const image::Reference& name);

/// A push that was planned, or more.
class ImagePush {
 public:
  /// `image` and `surroundings` must outlive it. What was `made` is not asked for, and layers are taken from the
  /// repositories of the image and of its base where these are in the same registry. `seen` is a manifest that the
  /// repository has, as this command saw already; or empty.
  ImagePush(const OpenedImage& image, const Made& made, const PushTarget& target, Surroundings& surroundings,
            deliver::OnEvent on_event, std::string seen = {});
  const deliver::DeliveryPlan& plan() { return push_->plan(); }
  /// Throws gate when the plan costs more than the target allows.
  void check_gates() const { push_->check_gates(); }
  /// Throws Error: gate before anything is sent, and what deliver::Push throws. To be called after plan().
  deliver::PushResult carry_out();
  /// Attaches a document to the image, which was pushed. See deliver::attach().
  deliver::Attached attach(const deliver::Attachment& attachment);

 private:
  void keep_configuration() const;

  const image::SealedImage& sealed_;
  std::string repository_;
  std::filesystem::path cache_;
  std::shared_ptr<registry::Session> session_;
  std::unique_ptr<registry::Memory> memory_;
  std::unique_ptr<deliver::Push> push_;
};

struct PushedBuild {
  deliver::PushResult result;
  std::optional<deliver::Attached> attached;
};

/// Pushes what `session` has built, and then the document that is to be attached to it, if there is one.
PushedBuild push_built(const BuildSession& session, const build::BuiltImage& built, const PushTarget& target,
                       const std::optional<deliver::Attachment>& attachment, Surroundings& surroundings,
                       const deliver::OnEvent& on_event);

}  // namespace veneer::app
