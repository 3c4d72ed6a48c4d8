#include <fmt/format.h>

#include <algorithm>

#include "foundation/text.hh"
#include "foundation/units.hh"
#include "setup/project_files.hh"

namespace veneer::setup {

namespace {

constexpr std::string_view page_text = R"md(
# The container image of {name}

veneer builds it from `pyproject.toml` and `uv.lock`: a Debian base, a layer for each wheel (small ones
share some), and a thin layer of the application on top. The same input gives the same layer, on every
machine, and what a host has is not sent again.

## What is rebuilt when

| changed | made again | a deploy sends |
|---|---|---|
| code, templates, the version | the application's layer | that layer: kilobytes |
| a dependency in `uv.lock` | the layer that its wheel is in | that layer |
| a development dependency | nothing | nothing |
| `packages` of `[tool.veneer.system]` | the layer of Debian packages | that layer |
| Debian's updates, the interpreter | the base, {base_moves} | the base |

Nobody has to decide whether a base is stale: `veneer.lock` pins what it is made of, and every build compares.
`veneer plan` says what the next build makes and what a deploy of it costs each kind of host.
{costs}
## Build and try

```sh
veneer plan
veneer build
veneer check
```
{push}
## Deploy

The host needs Docker (or podman) and an account that may use it; nothing is installed there.
The services that use `{image}:{live_tag}`{services} are restarted, and watched until they are well.
If they are not, the release before serves again.

```sh
veneer deploy ssh://user@server --as {image}:{live_tag} --dry-run
veneer deploy ssh://user@server --as {image}:{live_tag}
```

The first time nothing runs there: bring the image by
`veneer ship ssh://user@server --as {image}:{live_tag}` and start the services by `docker compose up --detach`.

## The way back

Every release is kept on the host, the last five at least. Going back sends nothing.

```sh
veneer history ssh://user@server --as {image}:{live_tag}
veneer rollback ssh://user@server --as {image}:{live_tag}
```
{compose}
## Updates of the base

```sh
veneer base update
```

takes the newest Debian packages and Python, writes `veneer.lock`, and says what moved and what the next deploy costs.
Commit `veneer.lock`. {weekly}The way back is the commit before.
)md";

constexpr std::string_view docker_text = R"md(
# The container image of {name}

`docker build` makes it of two files: `Dockerfile.base` has system packages and the production dependencies,
`Dockerfile` adds the application. `Dockerfile` names its base by a hash of what that is made of, so both fit each
other in every commit. `veneer init --docker` has written them, and `veneer.mk`, whose targets these are.

## What is rebuilt when

| changed | rebuilt | a deploy sends |
|---|---|---|
| code, templates, the version | the application's layer | that layer: kilobytes |
| a development dependency | nothing more | that layer |
| a production dependency in `uv.lock` | the base's environment | all dependencies, once |
| system packages, the base's own base | the base | the base, once |

```sh
make -f veneer.mk base-status
```

says whether the base is stale (exit code 10), and why. Then, and only then:

```sh
make -f veneer.mk base
```

which writes `Dockerfile.base` and `Dockerfile` anew and builds the base. Commit both files.
{costs}
## A release

```sh
make -f veneer.mk image
```

fails when the application adds more than `MAX_BYTES` to its base.
{push}
## The way back

Bases have tags of their own, and stay: an older commit names the base that it was built for.
`git revert` and a release, or the image of the release before by its tag.
{compose})md";

std::string docker_push_text(const ProjectFacts& facts) {
  if (!facts.has_registry) return "";
  return R"md(
```sh
make -f veneer.mk push-base
make -f veneer.mk push
```

bring the base (where the registry has it, nothing is sent) and the image there.
)md";
}

std::string docker_compose_text(const ProjectFacts& facts) {
  if (!facts.has_registry) return "";
  return fmt::format(R"md(
## On the host

```sh
docker compose pull
docker compose up --detach
```

{}A host that has the base fetches the application's layer.
)md",
                     facts.compose_file.empty()
                         ? ""
                         : fmt::format("`{}` names `{}:{}`. ", facts.compose_file, facts.image, facts.live_tag));
}

std::string costs_text(const std::vector<PastDeploy>& deploys) {
  if (deploys.empty()) return "";
  std::string rows;
  PastDeploy sum;
  for (const PastDeploy& deploy : deploys) {
    rows +=
        fmt::format("| {} | {} | {} | **{}** | {} |\n", deploy.name, human_size(deploy.one_layer),
                    human_size(deploy.base_image), human_size(deploy.veneer_blobs), human_size(deploy.veneer_prefix));
    sum.one_layer += deploy.one_layer;
    sum.base_image += deploy.base_image;
    sum.veneer_blobs += deploy.veneer_blobs;
    sum.veneer_prefix += deploy.veneer_prefix;
  }
  return fmt::format(R"md(
## What a deploy costs here

What the last {} had to bring of the dependencies, by `veneer replay` over this repository's history,
if the environment lay in the application's layer, in a base image that is rebuilt when `uv.lock` or `pyproject.toml`
changed (with 250 MB of system packages), or was veneer's; the application's own kilobytes come on top.

| deploy | all in the application's layer | a base image | veneer | veneer, `docker pull` on overlay2 |
|---|---|---|---|---|
{}| all | {} | {} | **{}** | {} |
)md",
                     deploys.size() == 1 ? "deploy" : fmt::format("{} deploys", deploys.size()), rows,
                     human_size(sum.one_layer), human_size(sum.base_image), human_size(sum.veneer_blobs),
                     human_size(sum.veneer_prefix));
}

std::string push_text(const ProjectFacts& facts) {
  if (!facts.has_registry) return "";
  return fmt::format(R"md(
## Push

```sh
veneer push {0}:{1}
```

sends the layers that the registry lacks. Logins are those of `docker login`.
)md",
                     facts.image, facts.live_tag);
}

std::string compose_text(const ProjectFacts& facts) {
  if (!facts.has_registry) return "";
  return fmt::format(R"md(
## `docker compose pull`

It fits: what is pushed is an image like every other.

```sh
docker compose pull
docker compose up --detach
```

On overlay2 (`docker info` names it) Docker fetches every layer above the first one that changed;
`veneer deploy` and `veneer pull` send the changed one only. Both ways can be mixed{0}.
)md",
                     facts.compose_file.empty()
                         ? ""
                         : fmt::format(": `{}` names `{}:{}`", facts.compose_file, facts.image, facts.live_tag));
}

std::string services_text(const std::vector<std::string>& services) {
  std::string names;
  for (const std::string& service : services) names += (names.empty() ? "" : ", ") + service;
  return names.empty() ? "" : " (" + names + ")";
}

}  // namespace

GeneratedFile page(const ProjectFacts& facts) {
  const bool is_weekly = facts.rebuild == Rebuild::weekly;
  GeneratedFile file{std::string(page_name), "", Comments::markup,
                     "what is rebuilt when, what a deploy costs here, the way back"};
  file.body = fmt::format(
      page_text, fmt::arg("name", facts.name), fmt::arg("image", facts.image), fmt::arg("live_tag", facts.live_tag),
      fmt::arg("base_moves", is_weekly ? "by a pull request every week" : "when somebody runs `veneer base update`"),
      fmt::arg("costs", costs_text(facts.deploys)), fmt::arg("push", push_text(facts)),
      fmt::arg("compose", compose_text(facts)), fmt::arg("services", services_text(facts.services)),
      fmt::arg("weekly", is_weekly ? "The workflow does this every week, as a pull request. " : ""));
  return file;
}

GeneratedFile docker_page(const ProjectFacts& facts) {
  return {std::string(page_name),
          fmt::format(docker_text, fmt::arg("name", facts.name), fmt::arg("costs", costs_text(facts.deploys)),
                      fmt::arg("push", docker_push_text(facts)), fmt::arg("compose", docker_compose_text(facts))),
          Comments::markup, "what is rebuilt when, what a deploy costs here, the way back"};
}

std::string last_deploy_in(std::string_view page) {
  const std::size_t heading = page.find("## What a deploy costs here");
  if (heading == std::string_view::npos) return "";
  std::string last;
  for (const std::string& line : split_words(page.substr(heading), "\r\n")) {
    if (last.empty() ? false : !line.starts_with('|')) break;
    if (line.starts_with("| all |")) return last;
    if (line.starts_with("| ") && !line.starts_with("| deploy |")) {
      const std::size_t end = line.find(" |", 2);
      if (end == std::string::npos) return "";
      last = line.substr(2, end - 2);
    }
  }
  return "";
}

bool is_written_by_init(std::string_view path) { return path == makefile_name || path == page_name; }

}  // namespace veneer::setup
