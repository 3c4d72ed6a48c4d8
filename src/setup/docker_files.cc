#include "setup/docker_files.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "foundation/json.hh"
#include "foundation/shell_word.hh"

namespace veneer::setup {

namespace {

constexpr std::string_view label_begin = "LABEL dev.veneer.base=";
constexpr std::string_view snapshot_begin = "ARG SNAPSHOT=";
constexpr std::string_view uv_begin = " uv==";
constexpr std::string_view default_mirror = "http://snapshot.debian.org";

// Lines of shell that several RUNs share. What a RUN made gets one time, so that the same base has the same layers on
// every machine and every day; what packages bring has theirs. The engine itself writes to /etc before. What lies below
// is emptied, not deleted: the mark of a deletion has the time of it.
constexpr std::string_view begin_times = "touch --date='1 second ago' /dev/shm/begun";
constexpr std::string_view fix_times =
    "find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts -o -path /etc/hostname -o -path "
    "/etc/resolv.conf \\) -prune -o -newer /dev/shm/begun -exec touch --no-dereference --date=@315532800 {} + ; "
    "touch --date=@315532800 /etc";

constexpr std::string_view base_text = R"docker(#
# What the image of @NAME@ stands on: system packages, and the production dependencies in /app/.venv.
# To be built when `veneer base status --docker` says so: make base. How and why: docs/docker.md of veneer.

FROM @FROM@ AS system
# Debian's archive as it was then; --build-arg SNAPSHOT= takes that of now.
ARG SNAPSHOT=@SNAPSHOT@
@PACKAGES@
# With compilers and uv; the application is built in it, too. Nothing of it is in an image.
FROM system AS build
ARG SNAPSHOT=@SNAPSHOT@
@BUILD_PACKAGES@RUN python3 -m pip install --quiet --no-cache-dir --root-user-action=ignore --target /opt/uv uv==@UV@
ENV PATH=/opt/uv/bin:$PATH UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never \
    PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
WORKDIR /build
COPY pyproject.toml uv.lock ./
@LOCAL_FILES@# Byte code without times in it, and fixed times, in the same RUN: the same lock gives the same layer.
RUN uv export --quiet --frozen --no-dev --no-default-groups@SELECTION@ --no-emit-project --no-header \
      --output-file requirements.txt \
 && uv venv --quiet --python python3 /app/.venv \
 && uv pip install --quiet --python /app/.venv/bin/python --no-deps --requirements requirements.txt \
 && find /app -name uv_cache.json -delete \
 && find /app -name RECORD -exec sed -i '/\/uv_cache\.json,/d' {} + \
 && /app/.venv/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /app/.venv/lib \
 && find /app -exec touch --no-dereference --date=@315532800 {} + \
 && mkdir /base && mv /app /base/

FROM system
COPY --from=build /base/ /
@ACCOUNT@ENV PATH=/app/.venv/bin:$PATH VIRTUAL_ENV=/app/.venv PYTHONUNBUFFERED=1
)docker";

constexpr std::string_view app_text = R"docker(#
# The image of @NAME@: what the application adds to its base, which BASE names by what it is made of.
# To be built for every release: make image, or docker build -t @NAME@ . How and why: docs/docker.md of veneer.

ARG BASE=@BASE@
FROM ${BASE}-build AS build
WORKDIR /src
COPY . .
# Only what git tracks: no .env, no key that lies about. What .dockerignore leaves out is no change to git.
RUN git rev-parse --git-dir >/dev/null \
    || { echo "the build context has no .git: build where it is cloned" >&2; exit 1; } ; \
    git clean -ffdxq && git ls-files --deleted -z | git update-index --skip-worktree -z --stdin
# Into an environment of its own, of which only what the application adds is taken.
RUN uv venv --quiet --python python3 /app/.venv && find /app > /tmp/before && mkdir /out \
@INSTALL@@FILES@ && find /out -exec touch --no-dereference --date=@315532800 {} +

FROM ${BASE}
COPY --from=build /out/ /
ARG BASE
LABEL org.opencontainers.image.base.name=${BASE}
@RUN@)docker";

constexpr std::string_view install_text =
    R"docker( && uv pip install --quiet --python /app/.venv/bin/python --no-deps . \
 && find /app -name uv_cache.json -delete \
 && find /app -name RECORD -exec sed -i '/\/uv_cache\.json,/d' {} + \
 && /app/.venv/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /app/.venv/lib \
 && find /app ! -type d | grep -vxFf /tmp/before > /tmp/added && tar -cf - -T /tmp/added | tar -xf - -C /out \
)docker";

constexpr std::string_view ignore_text = R"docker(#
# What `docker build` does not send to the builder. Dockerfile takes only what git tracks, so that a file which is
# missing here is not in the image either; .git is needed, for versions and to know what is tracked.
.venv
.veneer
**/__pycache__
**/node_modules
**/.env
**/.env.*
!**/.env.example
!**/.env.sample
!**/.env.template
**/id_rsa
**/id_dsa
**/id_ecdsa
**/id_ed25519
**/.aws
**/.ssh
**/.netrc
**/.pypirc
)docker";

constexpr std::string_view make_text = R"make(#
# Targets for the images of @NAME@: include this file in a Makefile ("include veneer.mk"), or run it by itself:
# make -f veneer.mk help. Another image, builder or option: make image DOCKER=podman BUILD_OPTIONS="--network host"

VENEER ?= veneer
DOCKER ?= docker
BUILD_OPTIONS ?=
IMAGE ?= @IMAGE@
# The tag in the registry: what git calls this commit.
TAG ?= $(shell git describe --tags --always --dirty 2>/dev/null | tr '/+' '-')
# Most bytes that the application may add to its base, unpacked.
MAX_BYTES ?= @BUDGET@
BASE = $(shell sed -n 's/^ARG BASE=//p' Dockerfile)

.PHONY: help base-status base base-images push-base image check push

help:  ## show these targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(lastword $(filter %veneer.mk,$(MAKEFILE_LIST)))

base-status:  ## is the base still the right one? exit code 10, and why, when it is not
	$(VENEER) base status --docker

base:  ## write the files for what the lock has now, and build the base; commit the files afterwards
	$(VENEER) init --docker
	$(MAKE) -f $(lastword $(filter %veneer.mk,$(MAKEFILE_LIST))) base-images

base-images:  ## build the base that Dockerfile names, and what the application is built in
	$(DOCKER) build $(BUILD_OPTIONS) -f Dockerfile.base --target build -t $(BASE)-build .
	$(DOCKER) build $(BUILD_OPTIONS) -f Dockerfile.base -t $(BASE) .

push-base:  ## bring both into the registry; earlier ones stay there
	$(DOCKER) push $(BASE)-build
	$(DOCKER) push $(BASE)

image:  ## build the image, and see that it adds little to its base
	$(DOCKER) build $(BUILD_OPTIONS) -t $(IMAGE):$(TAG) .
	@$(MAKE) --no-print-directory -f $(lastword $(filter %veneer.mk,$(MAKEFILE_LIST))) check

check:  ## fail when the image has another base than Dockerfile names, or adds more than MAX_BYTES to it
	@layers() { $(DOCKER) image inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' "$$1" | grep .; }; \
	rows() { $(DOCKER) history --no-trunc --human=false --format '{{.Size}}' "$$1"; }; \
	below=$$(layers $(BASE)) && all=$$(layers $(IMAGE):$(TAG)) || exit 1; \
	count=$$(echo "$$below" | wc -l); \
	test "$$(echo "$$all" | head -n $$count)" = "$$below" \
	  || { echo "$(IMAGE):$(TAG) does not stand on $(BASE)" >&2; exit 1; }; \
	own=$$(( $$(rows $(IMAGE):$(TAG) | wc -l) - $$(rows $(BASE) | wc -l) )); \
	bytes=$$(rows $(IMAGE):$(TAG) | head -n $$own | awk '{ sum += $$1 } END { print sum + 0 }'); \
	echo "$(IMAGE):$(TAG) adds $$bytes bytes to $(BASE)"; \
	test $$bytes -le $(MAX_BYTES) || { echo "that is more than $(MAX_BYTES)" >&2; exit 1; }

push:  ## bring the image into the registry
	$(DOCKER) push $(IMAGE):$(TAG)
)make";

/// Each "@NAME@" of `text` that `values` has, replaced. What is put in is not looked at again.
std::string filled_in(std::string_view text, const std::map<std::string, std::string, std::less<>>& values) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '@' ? text.find('@', at + 1) : std::string_view::npos;
    const auto found = end == std::string_view::npos ? values.end() : values.find(text.substr(at + 1, end - at - 1));
    if (found == values.end()) {
      result += text[at++];
    } else {
      result += found->second;
      at = end + 1;
    }
  }
  return result;
}

/// A RUN that installs Debian packages, from the snapshot if there is one; nothing without packages.
std::string install_packages(const std::vector<std::string>& packages, const std::string& mirror) {
  if (packages.empty()) return "";
  constexpr std::string_view text = R"docker(RUN set -e; if dpkg --status @PACKAGES@ >/dev/null 2>&1; then exit; fi; \
    @BEGIN@; . /etc/os-release; set --; \
    if [ -n "$SNAPSHOT" ]; then \
      for place in "debian/$SNAPSHOT $VERSION_CODENAME" "debian/$SNAPSHOT $VERSION_CODENAME-updates" \
                   "debian-security/$SNAPSHOT $VERSION_CODENAME-security"; do \
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] @MIRROR@/archive/$place main"; \
      done > /dev/shm/sources.list; \
      set -- -o Dir::Etc::SourceList=/dev/shm/sources.list -o Dir::Etc::SourceParts=/dev/null \
             -o Acquire::Check-Valid-Until=false; \
    fi; \
    export DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH=315532800; \
    apt-get -q "$@" update; \
    apt-get -q "$@" install --yes --no-install-recommends \
      @PACKAGES@; \
    find /var/lib/apt/lists /var/cache/apt -type f ! -name lock -cnewer /dev/shm/begun -delete; \
    find /var/log /var/cache/debconf /var/cache/ldconfig -type f ! -name '*.dat' -cnewer /dev/shm/begun \
      -exec truncate --size=0 {} +; \
    @END@
)docker";
  return filled_in(text, {{"BEGIN", std::string(begin_times)},
                          {"END", std::string(fix_times)},
                          {"MIRROR", mirror.empty() ? std::string(default_mirror) : mirror},
                          {"PACKAGES", fmt::format("{}", fmt::join(packages, " "))}});
}

/// One COPY a folder of theirs.
std::string copy_local_files(const std::vector<std::string>& files) {
  std::map<std::string, std::vector<std::string>> folders;
  for (const std::string& file : files) {
    const std::size_t slash = file.rfind('/');
    folders[slash == std::string::npos ? "" : file.substr(0, slash)].push_back(file);
  }
  std::string text;
  for (const auto& [folder, names] : folders) {
    Value::Array words;
    for (const std::string& name : names) words.emplace_back(name);
    words.emplace_back("./" + folder + (folder.empty() ? "" : "/"));
    text += "COPY " + to_json(words) + "\n";
  }
  return text;
}

/// The user by name, its home, and what it may write to: part of the base, since no release changes them.
std::string account(const python::ImageOptions& run) {
  std::string text = fmt::format("RUN set -e; {}; \\\n", begin_times);
  if (run.user != 0) {
    text += fmt::format(
        "    grep -q '^[^:]*:[^:]*:{0}:' /etc/group || echo 'app:x:{0}:' >> /etc/group; \\\n"
        "    grep -q '^[^:]*:[^:]*:{1}:' /etc/passwd || echo 'app:x:{1}:{0}::/home/app:/usr/sbin/nologin' >> "
        "/etc/passwd; \\\n"
        "    mkdir -p /home/app; chown {1}:{0} /home/app; \\\n",
        run.group, run.user);
  }
  text += fmt::format("    mkdir -p {}; \\\n", single_quoted(run.workdir));
  for (const std::string& folder : run.writable) {
    const std::string word = single_quoted(folder);
    text += fmt::format("    mkdir -p {0}; chown {1}:{2} {0}; \\\n", word, run.user, run.group);
  }
  for (const std::string& file : run.empty_files) {
    const std::string word = single_quoted(file);
    const std::string folder = single_quoted(file.substr(0, file.rfind('/') + 1));
    text += fmt::format("    mkdir -p {0}; touch {1}; chown {2}:{3} {1}; \\\n", folder, word, run.user, run.group);
  }
  return text + fmt::format("    {}\n", fix_times);
}

/// The application's files beside its package: each to its place, with fixed modes.
std::string copy_files(const python::ImageOptions& run) {
  std::string text;
  for (const python::FileRule& rule : run.files) {
    const std::string from = single_quoted(rule.from);
    const std::string to = "/out" + rule.to;
    const std::string folder = single_quoted(to.substr(0, to.rfind('/') + 1));
    text += fmt::format(" && mkdir -p {0} && if [ -d {1} ]; then mkdir -p {2} && cp -R {1}/. {2}; else cp {1} {2}; fi",
                        folder, from, single_quoted(to));
    text += fmt::format(" && rm -rf {}/.git", single_quoted(to));
    text += rule.mode ? fmt::format(" && chmod -R {:o} {}", *rule.mode, single_quoted(to))
                      : fmt::format(" && chmod -R u=rwX,go=rX {}", single_quoted(to));
    text += " \\\n";
  }
  return text;
}

std::string words_text(const std::vector<std::string>& words) {
  Value::Array array;
  for (const std::string& word : words) array.emplace_back(word);
  return to_json(array);
}

/// A value of ENV or LABEL: between double quotes nothing but these means anything.
std::string double_quoted(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == '$') text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string health(const Value& health) {
  if (health.is_null()) return "";
  const std::vector<std::string> test = health.strings_or_empty("Test");
  if (test.empty()) return "";
  if (test.front() == "NONE") return "HEALTHCHECK NONE\n";
  std::string text = "HEALTHCHECK";
  const std::vector<std::pair<std::string, std::string>> options = {
      {"Interval", "interval"}, {"Timeout", "timeout"}, {"StartPeriod", "start-period"}};
  for (const auto& [key, option] : options) {
    if (const Value* nanoseconds = health.find(key)) {
      text += fmt::format(" --{}={}ms", option, nanoseconds->integer() / 1'000'000);
    }
  }
  if (const Value* retries = health.find("Retries")) text += fmt::format(" --retries={}", retries->integer());
  const std::vector<std::string> words(test.begin() + 1, test.end());
  if (test.front() == "CMD-SHELL") return fmt::format("{} CMD {}\n", text, words.empty() ? "true" : words.front());
  return fmt::format("{} CMD {}\n", text, words_text(words));
}

std::string run_lines(const python::ImageOptions& run) {
  std::string text;
  for (const auto& [name, value] : run.environment) text += fmt::format("ENV {}={}\n", name, double_quoted(value));
  if (run.user != 0 && !run.environment.contains("HOME")) text += "ENV HOME=/home/app\n";
  for (const auto& [name, value] : run.labels)
    text += fmt::format("LABEL {}={}\n", double_quoted(name), double_quoted(value));
  for (const std::string& port : run.expose) text += fmt::format("EXPOSE {}\n", port);
  text += fmt::format("USER {}:{}\nWORKDIR {}\n", run.user, run.group, run.workdir);
  text += health(run.health);
  if (!run.entrypoint.empty()) text += fmt::format("ENTRYPOINT {}\n", words_text(run.entrypoint));
  if (!run.cmd.empty()) text += fmt::format("CMD {}\n", words_text(run.cmd));
  return text;
}

std::string short_name(const std::string& image) { return image.substr(image.rfind('/') + 1); }

std::string base_body(const DockerFacts& facts) {
  std::string selection;
  for (const std::string& word : facts.selection) selection += " " + word;
  const auto packages = install_packages(facts.packages, facts.mirror);
  return filled_in(base_text, {{"NAME", short_name(facts.image)},
                               {"FROM", facts.from},
                               {"SNAPSHOT", facts.snapshot},
                               {"PACKAGES", packages.empty() ? "" : packages + "\n"},
                               {"BUILD_PACKAGES", install_packages(facts.build_packages, facts.mirror)},
                               {"UV", facts.uv},
                               {"LOCAL_FILES", copy_local_files(facts.local_files)},
                               {"SELECTION", selection},
                               {"ACCOUNT", account(facts.run)}});
}

/// What follows `begin` in a line of `text`, up to a blank or the line's end.
std::string word_behind(std::string_view text, std::string_view begin) {
  const std::size_t at = text.find(begin);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = text.substr(at + begin.size());
  return std::string(rest.substr(0, rest.find_first_of(" \n\r")));
}

}  // namespace

GeneratedFile docker_base(const DockerFacts& facts) {
  GeneratedFile file{std::string(docker_base_name), base_body(facts), Comments::hash,
                     "the base: system packages and production dependencies"};
  file.body += fmt::format("# What it is made of; the first digits of its hash are its tag.\n{}{}\n", label_begin,
                           double_quoted(facts.ingredients));
  return file;
}

GeneratedFile dockerfile(const DockerFacts& facts) {
  GeneratedFile file{std::string(docker_name), "", Comments::hash, "the image: what the application adds to its base"};
  file.body = filled_in(app_text, {{"NAME", short_name(facts.image)},
                                   {"BASE", fmt::format("{}-base:{}", facts.image, facts.fingerprint)},
                                   {"INSTALL", facts.is_package ? std::string(install_text) : ""},
                                   {"FILES", copy_files(facts.run)},
                                   {"RUN", run_lines(facts.run)}});
  return file;
}

GeneratedFile docker_ignore() {
  return {std::string(docker_ignore_name), std::string(ignore_text), Comments::hash,
          "what docker build does not send to the builder"};
}

GeneratedFile docker_makefile(const DockerFacts& facts) {
  GeneratedFile file{"veneer.mk", "", Comments::hash, "targets for make: base-status, base, image, check, push, help"};
  file.body =
      filled_in(make_text,
                {{"NAME", short_name(facts.image)}, {"IMAGE", facts.image}, {"BUDGET", std::to_string(docker_budget)}});
  return file;
}

std::string docker_recipe(const DockerFacts& facts) {
  DockerFacts rest = facts;
  rest.image = rest.from = rest.snapshot = rest.uv = "";
  if (!rest.packages.empty()) rest.packages = {""};
  if (!rest.build_packages.empty()) rest.build_packages = {""};
  rest.local_files.clear();  // they are told by their hashes
  return base_body(rest);
}

DockerChoices read_docker_base(std::string_view text) {
  DockerChoices choices;
  choices.uv = word_behind(text, uv_begin);
  choices.snapshot = word_behind(text, snapshot_begin);
  std::string_view value;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with(label_begin)) value = line.substr(label_begin.size());
  }
  if (value.ends_with('\r')) value.remove_suffix(1);
  if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"')) return choices;
  std::string plain;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\' && i + 2 < value.size()) ++i;
    plain += value[i];
  }
  choices.ingredients = std::move(plain);
  return choices;
}

}  // namespace veneer::setup
