#include <fmt/format.h>

#include "setup/project_files.hh"

namespace veneer::setup {

namespace {

constexpr std::string_view include_text = R"make(#
# Targets for the container image: include this file in a Makefile ("include veneer.mk"),
# or run it by itself: make -f veneer.mk help
# Another image, host or program: make deploy HOST=ssh://user@server

VENEER ?= veneer
IMAGE ?= {image}
LIVE_TAG ?= {live_tag}
# The tag in the registry: what git calls this commit.
TAG ?= $(shell git describe --tags --always --dirty 2>/dev/null | tr '/+' '-')

.PHONY: help base image push deploy rollback

help:  ## show these targets
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(lastword $(filter %veneer.mk,$(MAKEFILE_LIST)))

base:  ## take the newest system packages and Python; commit veneer.lock afterwards
	$(VENEER) base update

image:  ## build the image; what did not change is not made again
	$(VENEER) build

push: image  ## bring what the registry lacks of it there, as $(IMAGE):$(TAG) and :$(LIVE_TAG)
{registry}	$(VENEER) push $(IMAGE):$(or $(TAG),$(LIVE_TAG)) --also-tag $(LIVE_TAG)

deploy:  ## build, send what HOST lacks, restart its services, go back unless they are well
	@test -n "$(HOST)" || {{ echo "say where: make deploy HOST=ssh://user@server" >&2; exit 2; }}
	$(VENEER) deploy $(HOST) --as $(IMAGE):$(LIVE_TAG)

rollback:  ## bring the release before back into service on HOST; nothing is sent
	@test -n "$(HOST)" || {{ echo "say where: make rollback HOST=ssh://user@server" >&2; exit 2; }}
	$(VENEER) rollback $(HOST) --as $(IMAGE):$(LIVE_TAG)
)make";

/// [tool.veneer.image] name is without one.
constexpr std::string_view name_a_registry =
    "\t@case $(IMAGE) in */*) ;; *) echo 'name a registry: make push IMAGE=registry.example/team/$(IMAGE)' >&2; exit "
    "2;; "
    "esac\n";

}  // namespace

GeneratedFile makefile(const ProjectFacts& facts) {
  GeneratedFile file{std::string(makefile_name), "", Comments::hash,
                     "targets for make: base, image, push, deploy, rollback, help"};
  file.body = fmt::format(include_text, fmt::arg("image", facts.image), fmt::arg("live_tag", facts.live_tag),
                          fmt::arg("registry", facts.has_registry ? "" : name_a_registry));
  return file;
}

}  // namespace veneer::setup
