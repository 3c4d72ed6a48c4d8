#include <fmt/format.h>

#include "setup/project_files.hh"

namespace veneer::setup {

namespace {

constexpr std::string_view head = R"yaml(#
# Builds the container image of {name} on tags and pull requests{pushes}.
#
# veneer is one program.{use} It is taken from where the repository variable VENEER_URL says (VENEER_SHA256 is its
# hash), or built from the commit VENEER_COMMIT of the repository VENEER_GIT.
# Variables are set in Settings > Secrets and variables > Actions.
{variables}name: {title}

on:
  push:
    tags: ["*"]
  pull_request:
{schedule}
permissions:
  contents: read
  packages: write

concurrency: {title}-${{{{ github.ref }}}}

env:
  IMAGE: {image}
  VENEER_URL: ${{{{ vars.VENEER_URL }}}}
  VENEER_SHA256: ${{{{ vars.VENEER_SHA256 }}}}
  VENEER_GIT: ${{{{ vars.VENEER_GIT }}}}
  VENEER_COMMIT: ${{{{ vars.VENEER_COMMIT }}}}

jobs:
)yaml";

constexpr std::string_view install = R"yaml(
      - name: Install veneer
        run: |
          cd "$RUNNER_TEMP"
          mkdir -p programs
          echo "$PWD/programs" >> "$GITHUB_PATH"
          if [ -n "$VENEER_URL" ]; then
            curl --fail --silent --show-error --location --output programs/veneer "$VENEER_URL"
            echo "$VENEER_SHA256  programs/veneer" | sha256sum --check --quiet
          elif [ -n "$VENEER_GIT" ] && [ -n "$VENEER_COMMIT" ]; then
            git clone --quiet "$VENEER_GIT" veneer
            git -C veneer checkout --quiet "$VENEER_COMMIT"
            (cd veneer && ./dev build)
            cp veneer/build/release/veneer programs/veneer
          else
            echo "set the repository variable VENEER_URL, or VENEER_GIT and VENEER_COMMIT" >&2
            exit 1
          fi
          chmod +x programs/veneer
)yaml";

constexpr std::string_view tools = R"yaml(
      - name: Install what a build needs
        run: |
          sudo apt-get update -q
          sudo apt-get install -qy mmdebstrap debian-archive-keyring uidmap
          sudo sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0
          pipx install uv
)yaml";

constexpr std::string_view checkout = R"yaml(
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0  # {why}
)yaml";

constexpr std::string_view cache = R"yaml(
      # Layers and wheels of earlier builds. Without it the image is the same, and takes longer.
      - uses: actions/cache@v4
        with:
          path: ~/.cache/veneer
          key: {title}-${{{{ runner.os }}}}-${{{{ hashFiles('{lock}') }}}}-${{{{ github.run_id }}}}
          restore-keys: |
            {title}-${{{{ runner.os }}}}-${{{{ hashFiles('{lock}') }}}}-
            {title}-${{{{ runner.os }}}}-
)yaml";

constexpr std::string_view build = R"yaml(
      - name: Are the generated files up to date?
        run: veneer init --check

      - name: Build
        run: veneer build
)yaml";

constexpr std::string_view budget_and_push = R"yaml(
      - name: What does a deploy cost?
        if: github.event_name == 'pull_request'
        env:
          MAX_BYTES: ${{{{ vars.IMAGE_MAX_BYTES || '20MB' }}}}
        run: |
          code=0
          veneer compare "$IMAGE:{live_tag}" --max-bytes "$MAX_BYTES" || code=$?
          if [ "$code" = 4 ]; then echo "there is no $IMAGE:{live_tag} yet to compare with"; else exit "$code"; fi

      - name: Push
        if: github.ref_type == 'tag'
        run: veneer push "$IMAGE:$(echo "$GITHUB_REF_NAME" | tr '/+' '-')" --also-tag {live_tag}
)yaml";

/// Those of a project that stays with `docker build`.
constexpr std::string_view docker_build = R"yaml(
      - name: Are the generated files up to date?
        run: veneer init --check
{login}
      - name: Fetch the base, or build it
        run: |
          base=$(sed -n 's/^ARG BASE=//p' Dockerfile)
          if docker pull --quiet "$base" && docker pull --quiet "$base-build"; then exit 0; fi
          make -f veneer.mk base-images
{push_base}
      - name: Build
        env:
          MAX_BYTES: ${{{{ vars.IMAGE_MAX_BYTES || '2000000' }}}}
        run: make -f veneer.mk image TAG="$(echo "$GITHUB_REF_NAME" | tr '/+' '-')" MAX_BYTES="$MAX_BYTES"
)yaml";

constexpr std::string_view docker_push_base =
    "          if [ \"$GITHUB_REF_TYPE\" = tag ]; then make -f veneer.mk push-base; fi\n";

constexpr std::string_view docker_push = R"yaml(
      - name: Push
        if: github.ref_type == 'tag'
        run: |
          tag=$(echo "$GITHUB_REF_NAME" | tr '/+' '-')
          make -f veneer.mk push TAG="$tag"
          docker tag "$IMAGE:$tag" "$IMAGE:{live_tag}"
          docker push --quiet "$IMAGE:{live_tag}"
)yaml";

constexpr std::string_view deploy = R"yaml(
  deploy:
    needs: image
    if: github.ref_type == 'tag' && vars.DEPLOY_HOST != ''
    runs-on: ubuntu-24.04
    environment: production
    steps:{install}{login}
      - name: Deploy
        env:
          DEPLOY_HOST: ${{{{ vars.DEPLOY_HOST }}}}
          DEPLOY_KNOWN_HOSTS: ${{{{ vars.DEPLOY_KNOWN_HOSTS }}}}
          DEPLOY_KEY: ${{{{ secrets.DEPLOY_KEY }}}}
        run: |
          eval "$(ssh-agent -s)" > /dev/null
          echo "$DEPLOY_KEY" | ssh-add -q -
          mkdir -p ~/.ssh
          echo "$DEPLOY_KNOWN_HOSTS" >> ~/.ssh/known_hosts
          veneer deploy "$IMAGE:$(echo "$GITHUB_REF_NAME" | tr '/+' '-')" "$DEPLOY_HOST" --as "$IMAGE:{live_tag}"
)yaml";

constexpr std::string_view weekly = R"yaml(
  base:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-24.04
    permissions:
      contents: write
      pull-requests: write{defaults}
    steps:{checkout}{tools}{install}
      - name: Open a pull request with what moved in the base
        env:
          GH_TOKEN: ${{{{ github.token }}}}
        run: |
          veneer base update > "$RUNNER_TEMP/moved"
          cat "$RUNNER_TEMP/moved"
          cd "$(git rev-parse --show-toplevel)"
          git add '*veneer.lock'
          if git diff --cached --quiet; then exit 0; fi
          git switch --quiet --create veneer-base
          git -c user.name=veneer -c user.email=veneer@localhost commit --quiet --message "New base of {name}"
          git push --quiet --force origin veneer-base
          gh pr create --head veneer-base --title "New base of {name}" --body-file "$RUNNER_TEMP/moved" ||
            gh pr view veneer-base
)yaml";

std::string registry_of(const ProjectFacts& facts) {
  return facts.has_registry ? facts.image.substr(0, facts.image.find('/')) : "docker.io";
}

bool is_github(const ProjectFacts& facts) { return registry_of(facts) == "ghcr.io"; }

std::string login(const ProjectFacts& facts) {
  const std::string_view user = is_github(facts) ? "${{ github.actor }}" : "${{ vars.REGISTRY_USER }}";
  const std::string_view password = is_github(facts) ? "${{ github.token }}" : "${{ secrets.REGISTRY_PASSWORD }}";
  return fmt::format(R"yaml(
      - name: Log in to the registry
        env:
          REGISTRY_USER: {user}
          REGISTRY_PASSWORD: {password}
        run: |
          if [ -n "$REGISTRY_PASSWORD" ]; then
            echo "$REGISTRY_PASSWORD" | docker login {registry} --username "$REGISTRY_USER" --password-stdin
          fi
)yaml",
                     fmt::arg("user", user), fmt::arg("password", password), fmt::arg("registry", registry_of(facts)));
}

std::string registry_variables(const ProjectFacts& facts) {
  if (is_github(facts)) return "";
  return "#   REGISTRY_USER    who logs in to the registry; the secret REGISTRY_PASSWORD is the password\n";
}

/// What the workflow asks for beside veneer itself.
std::string variables(const ProjectFacts& facts) {
  if (!facts.has_registry)
    return "# Nothing is pushed: name a registry by name in [tool.veneer.image], and run `veneer init` again.\n";
  const std::string text =
      "# The others that count:\n#   IMAGE_MAX_BYTES  what a deploy of a pull request may cost (default 20MB)\n";
  return text + registry_variables(facts) +
         "#   DEPLOY_HOST      where tags are deployed, ssh://user@server; without it nothing is deployed.\n"
         "#                    DEPLOY_KNOWN_HOSTS has its line of known_hosts, the secret DEPLOY_KEY a key that may "
         "log in\n";
}

std::string title_of(const ProjectFacts& facts) { return facts.folder.empty() ? "image" : "image-" + facts.name; }

}  // namespace

std::string workflow_name(const ProjectFacts& facts) {
  return fmt::format(".github/workflows/{}.yml", title_of(facts));
}

GeneratedFile workflow(const ProjectFacts& facts) {
  const bool is_weekly = facts.rebuild == Rebuild::weekly;
  const std::string title = title_of(facts);
  const std::string defaults =
      facts.folder.empty() ? ""
                           : fmt::format("\n    defaults:\n      run:\n        working-directory: {}", facts.folder);
  const std::string_view why = facts.takes_version_from_git ? "the version comes from git's tags"
                                                            : "the table of past deploys comes from git's tags";
  const std::string got = fmt::format(checkout, fmt::arg("why", why));
  std::string body =
      fmt::format(head, fmt::arg("name", facts.name), fmt::arg("use", ""),
                  fmt::arg("pushes", facts.has_registry ? ", and pushes that of a tag" : ""), fmt::arg("title", title),
                  fmt::arg("image", facts.image), fmt::arg("variables", variables(facts)),
                  fmt::arg("schedule", is_weekly ? "  schedule:\n    - cron: \"17 4 * * 1\"\n" : ""));
  body += fmt::format("  image:{}\n    runs-on: ubuntu-24.04{}\n    steps:",
                      is_weekly ? "\n    if: github.event_name != 'schedule'" : "", defaults);
  body += got + std::string(tools) + std::string(install);
  body += fmt::format(cache, fmt::arg("title", title), fmt::arg("lock", "**/uv.lock"));
  body += build;
  if (facts.has_registry) body += login(facts) + fmt::format(budget_and_push, fmt::arg("live_tag", facts.live_tag));
  if (facts.has_registry)
    body += fmt::format(deploy, fmt::arg("install", install), fmt::arg("login", login(facts)),
                        fmt::arg("live_tag", facts.live_tag));
  if (is_weekly) {
    body += fmt::format(weekly, fmt::arg("defaults", defaults), fmt::arg("checkout", got), fmt::arg("tools", tools),
                        fmt::arg("install", install), fmt::arg("name", facts.name));
  }
  return {workflow_name(facts), std::move(body), Comments::hash,
          "builds on tags and pull requests, a budget, push, deploy"};
}

GeneratedFile docker_workflow(const ProjectFacts& facts) {
  const std::string title = title_of(facts);
  const std::string said =
      fmt::format("# {}IMAGE_MAX_BYTES is what the application may add to its base, unpacked (default 2000000).\n{}",
                  facts.has_registry ? "" : "Nothing is pushed: name a registry by name in [tool.veneer.image].\n# ",
                  facts.has_registry ? registry_variables(facts) : "");
  std::string body =
      fmt::format(head, fmt::arg("name", facts.name), fmt::arg("use", "\n# Here it says whether the base is stale.\n#"),
                  fmt::arg("pushes", facts.has_registry ? ", and pushes that of a tag" : ""), fmt::arg("title", title),
                  fmt::arg("image", facts.image), fmt::arg("variables", said), fmt::arg("schedule", ""));
  body += "  image:\n    runs-on: ubuntu-24.04\n    steps:";
  body += fmt::format(checkout, fmt::arg("why", "the image's tag, and mostly its version, come from git's tags"));
  body += install;
  body += fmt::format(docker_build, fmt::arg("login", facts.has_registry ? login(facts) : ""),
                      fmt::arg("push_base", facts.has_registry ? docker_push_base : ""));
  if (facts.has_registry) body += fmt::format(docker_push, fmt::arg("live_tag", facts.live_tag));
  return {workflow_name(facts), std::move(body), Comments::hash, "builds on tags and pull requests, a budget, push"};
}

}  // namespace veneer::setup
