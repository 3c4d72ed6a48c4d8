# Of a rollout: the compose services that use the live name, and how they restart.

find_compose() {
  if [ $is = docker ] && engine compose version >/dev/null 2>&1; then front=plugin
  elif command -v docker-compose >/dev/null 2>&1; then front=docker-compose
  elif [ $is = podman ]; then problem "of podman's own ways to start services none is known here (podman-compose, quadlets); --restart-with COMMAND says how to restart, such as 'systemctl --user restart shop'"
  else problem "this host has neither 'docker compose' nor docker-compose; --restart-with COMMAND says how to restart"; fi
}
compose() {
  case $front in
    plugin) engine compose "$@" ;;
    *) if [ "$sudo" = yes ]; then sudo -n "$front" "$@" </dev/null; else "$front" "$@" </dev/null; fi ;;
  esac
}
# With the files and the project that the services belong to.
in_project() { eval "compose $project_options \"\$@\""; }
# A word that the shell takes as it is.
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# Identifiers of all containers, in $every.
list_every() { [ -n "$every" ] || every=$(engine ps -aq --no-trunc); }
# From the containers: which projects have a service that was started with the live name, as "PROJECT|FOLDER|FILES".
keep_project() { # IMAGE PROJECT FOLDER FILES ONEOFF VARIABLES
  [ -n "$2" ] && [ "$5" != True ] && is_live "$1" || return 0
  has_row "$projects" "$2|$3|$4" || projects=$(with_row "$projects" "$2|$3|$4")
  keep_variables "$6"
}
keep_variables() { # FILES
  [ -z "$1" ] || has_row "$variables" "$1" || variables=$(with_row "$variables" "$1")
}
find_projects() {
  projects='' variables=''
  format='{{.Config.Image}}|{{index .Config.Labels "com.docker.compose.project"}}|{{index .Config.Labels "com.docker.compose.project.working_dir"}}|{{index .Config.Labels "com.docker.compose.project.config_files"}}|{{index .Config.Labels "com.docker.compose.oneoff"}}|{{index .Config.Labels "com.docker.compose.project.environment_file"}}'
  list_every
  set -- $every
  [ $# -eq 0 ] || for_rows keep_project "$(engine inspect --format "$format" "$@" 2>/dev/null)"
}
# The options by which compose finds the services: the files that were given, or the one project that runs the live name.
use_given_files() {
  IFS=$newline
  set -f
  set -- $compose
  set +f
  files=''
  for file; do
    [ -f "$file" ] || problem "there is no file $file on the host"
    project_options="$project_options -f $(quoted "$file")"
    files=$files${files:+,}$file
  done
  IFS=$blank
  # Started from these files under a project name of the operator's own?
  set -- $(engine ps -aq --no-trunc --filter "label=com.docker.compose.project.config_files=$files")
  [ $# -gt 0 ] || return 0
  variables=''
  for_rows keep_variables "$(engine inspect --format '{{index .Config.Labels "com.docker.compose.project.environment_file"}}' "$@" 2>/dev/null)"
  projects=$(engine inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$@" 2>/dev/null | sort -u)
  case $projects in '' | *"$newline"*) return 0 ;; esac
  project=$projects
  project_options="-p $(quoted "$project") $project_options"
  directory=${file%/*}
  use_variables
}
# The files of variables (--env-file) that the services were started with.
use_variables() {
  case $variables in *"$newline"*) problem "the services were started with several files of variables (--env-file): start all of them with one first" ;; esac
  IFS=,
  set -f
  set -- $variables
  set +f
  IFS=$blank
  for file; do
    case $file in /*) ;; *) file=$directory/$file ;; esac
    [ -f "$file" ] || problem "the file of variables $file, which the services were started with (--env-file), is gone"
    project_options="$project_options --env-file $(quoted "$file")"
  done
}
use_project() { # PROJECT FOLDER FILES
  project=$1 directory=$2 files=$3
  project_options="-p $(quoted "$project")"
  [ -n "$files" ] || problem "the containers of the project $project do not tell their compose files: name them by --compose"
  IFS=,
  set -f
  set -- $files
  set +f
  IFS=$blank
  for file; do
    case $file in /*) ;; *) file=$directory/$file ;; esac
    [ -f "$file" ] || problem "the compose file $file, which the services were started with, is gone; name another one by --compose"
    project_options="$project_options -f $(quoted "$file")"
  done
  [ -z "$directory" ] || project_options="$project_options --project-directory $(quoted "$directory")"
  use_variables
}
use_running_project() {
  find_projects
  case $projects in
    '') problem "no container of a compose project on this host was started with the image $listed: start it there once, name the file by --compose, or say by --restart-with how to restart" ;;
    *"$newline"*) problem "several compose projects on this host use $listed: name the file of one by --compose" ;;
  esac
  for_rows use_project "$projects"
}

# What the compose file says, as far as it counts here: rows "SERVICE|KEY|VALUE". Its other words, secrets among them, are not kept.
read_facts() {
  in_project config --profiles 2>/dev/null >"$work/profiles" &
  composed=$(in_project config 2>"$work/said")
  set -- $? $!
  wait "$2"
  for profile in $(cat "$work/profiles"); do project_options="$project_options --profile $(quoted "$profile")"; done
  [ ! -s "$work/profiles" ] || { composed=$(in_project config 2>"$work/said"); set -- $?; }
  [ "$1" = 0 ] || problem "the compose file cannot be read: $(in_a_line "$(cat "$work/said")")"
  warnings=$(cat "$work/said")
  rm -f "$work/said"
  printf '%s\n' "$warnings" | sed -n '/^time=.*level=warning/s/.* msg=/note compose: /p; /^WARNING/s/^/note compose: /p'
  facts=$(printf '%s\n' "$composed" | awk -v OFS='|' '/^[^ ]/ { within = ($1 == "services:"); next }
    within && /^  [^ ]/ { service = $1; sub(/:$/, "", service); gsub(/["'"'"']/, "", service) }
    within && /^    [^ -]/ { block = $1 }
    within && block == "depends_on:" && /^      [^ ]/ { needed = $1; sub(/:$/, "", needed); gsub(/["'"'"']/, "", needed) }
    within && block == "depends_on:" && /^        condition: *service_completed_successfully/ { print needed, "awaited", "completion" }
    within && /^    (entrypoint|command|healthcheck):/ && $2 != "null" { key = $1; sub(/:$/, "", key); print service, key, "own" }
    within && (/ published:/ || (block == "ports:" && /^ *- *["'"'"']?[0-9.:]*[0-9]:[0-9]/)) { print service, "published", "port" }
    within && ((block == "deploy:" && /^ *replicas:/) || /^    scale:/) { print service, "scale", $2 }
    within && /^    profiles:/ { print service, "profiles", "some" }
    within && /^    (image|build|pull_policy|container_name|network_mode|restart|pid|ipc):/ { value = $2; gsub(/["'"'"']/, "", value); key = $1; sub(/:$/, "", key); print service, key, value }')
}
says() { # SERVICE KEY [VALUE]
  if [ $# -eq 3 ]; then has_row "$facts" "$1|$2|$3"; else case $newline$facts in *"$newline$1|$2|"*) ;; *) return 1 ;; esac; fi
}
keep_service() { # SERVICE KEY VALUE
  [ "$2" = image ] && is_live "$3" || return 0
  case " $chosen " in "  " | *" $1 "*) ;; *) return 0 ;; esac
  ! says "$1" profiles || [ -n "$chosen" ] || is_started "$1" || return 0
  services="$services $1"
  case $3 in *@sha256:*) problem "the service $1 pins a digest in the compose file ($3): a new image would never be used" ;; esac
  ! says "$1" pull_policy always || problem "the service $1 has pull_policy: always, which would fetch another image; leave it out"
  ! says "$1" build || say "note the service $1 has build: in the compose file; 'docker compose up --build' would undo this deploy"
  case ${3%%/*} in "$3") ;; *.* | *:*) say "note the image of $1 names a registry (${3%%/*}); 'docker compose pull' would undo this deploy" ;; esac
}
is_started() { # SERVICE
  [ -n "$project" ] && [ -n "$(engine ps -aq --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1")" ]
}
# One that the file no longer has would stay with the old image.
check_is_moved() { # IMAGE SERVICE ONEOFF
  [ "$3" != True ] && is_live "$1" || return 0
  case " $services " in *" $2 "*) ;; *) problem "the service $2 of the project $project was started with the image $listed, and the compose file has it no more: remove its container, or name the services by --service" ;; esac
}
check_all_move() {
  set -- $(engine ps -q --no-trunc --filter "label=com.docker.compose.project=$project")
  [ $# -eq 0 ] || for_rows check_is_moved "$(engine inspect --format '{{.Config.Image}}|{{index .Config.Labels "com.docker.compose.service"}}|{{index .Config.Labels "com.docker.compose.oneoff"}}' "$@" 2>/dev/null)"
}
# A service with several containers keeps their number, unless the file has one.
keep_scales() {
  scales=''
  [ -z "$restart$single" ] || return 0
  for service in $services; do
    all=0
    for_rows count_all "$rows"
    [ $all -lt 2 ] || says "$service" scale || scales="$scales --scale $service=$all"
  done
}
count_all() { [ "$2" != "$service" ] || all=$((all + 1)); }
# Services that use the network or processes of those that restart: what they use would be gone.
keep_sharer() { # SERVICE KEY VALUE
  case $2 in network_mode | pid | ipc) ;; *) return 0 ;; esac
  case " $services $sharers " in *" $1 "*) return 0 ;; esac
  case $3 in service:*) ;; *) return 0 ;; esac
  case " $services " in *" ${3#service:} "*) ! is_started "$1" || sharers="$sharers $1" ;; esac
}
find_sharers() { sharers=''; for_rows keep_sharer "$facts"; }
# An early version 2 does not know --pull: it says so before it does anything, and asking all versions first would cost each a run.
bring_up() { # WORDS
  said=$(in_project up -d --no-deps --no-build $never "$@" 2>&1) && return 0
  case $said in *'unknown flag: --pull'*) never='' ;; *) return 1 ;; esac
  said=$(in_project up -d --no-deps --no-build "$@" 2>&1)
}
restart_sharers() {
  [ -n "$sharers" ] || return 0
  bring_up --force-recreate $sharers && return 0
  case $said in *ContainerConfig*) ;; *) return 1 ;; esac
  in_project rm -sf $sharers >/dev/null 2>&1
  bring_up $sharers
}
# What the services would get: for compare_settings().
say_composed() {
  say "composed $(if [ $front = plugin ]; then in_project config --format json
  else printf '%s\n' "$composed" | python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)'; fi 2>/dev/null | tr '\n' ' ')"
}
# A sum of what is compared: what compose makes of its files, and what of a container others may change.
sum_settings() { # IDS
  [ -n "$composed" ] || [ -z "$services" ] || composed=$(in_project config 2>/dev/null)
  {
    printf '%s\n' "$composed"
    [ -z "$1" ] || engine inspect --format '{{json .HostConfig}}{{range $name, $at := .NetworkSettings.Networks}} {{$name}} {{json $at.IPAMConfig}} {{json $at.Aliases}}{{end}}' $1 2>/dev/null
  } | cksum | tr ' \t' '--'
}
find_services() {
  project_options='' project=''
  if [ -n "$compose" ]; then use_given_files; else use_running_project; fi
  read_facts
  chosen=$services services=''
  for_rows keep_service "$facts"
  for service in $chosen; do
    case " $services " in *" $service "*) ;; *) problem "the service $service does not use the image $listed in the compose file" ;; esac
  done
  [ -n "$services" ] || problem "no service in the compose file uses the image $listed"
  [ -z "$project" ] || [ -n "$chosen" ] || check_all_move
}

# Whether a second container of each service can start beside the first.
check_start_first() {
  [ -z "$restart$single" ] || problem "--strategy start-first needs a compose file"
  find_sharers
  [ -z "$sharers" ] || problem "the network or processes of a service are used by$sharers, which cannot use those of two containers"
  for service in $services; do
    ! says "$service" container_name || problem "the service $service has a container_name: a second container cannot start beside it"
    ! says "$service" network_mode host || problem "the service $service has network_mode: host: a second container would want the same ports"
    ! says "$service" published || problem "the service $service publishes a port of the host: a second container cannot start beside it; put it behind a proxy"
  done
}
count_row() { # of $service: all containers, and those of the image $was
  [ "$2" = "$service" ] || return 0
  all=$((all + 1))
  [ "${6#sha256:}" != "$was" ] || count=$((count + 1))
}
# Starts as many new containers as there are old ones of the image $was; those go when the new ones are well.
start_beside() {
  scales=''
  for service in $services; do
    all=0 count=0
    for_rows count_row "$before_it"
    [ $count -gt 0 ] || count=1
    scales="$scales --scale $service=$((all + count))"
  done
  for_rows add_old "$before_it"
  beside=yes
  bring_up --no-recreate $scales $services
}
add_old() { old="$old $1"; }
remove_old() { for container in $old; do engine stop "$container"; engine rm -f "$container"; done >/dev/null 2>&1; }
remove_row() { engine rm -f "$1"; }
# The new ones; then what an earlier deploy that was killed left beside those that serve, if they do.
remove_new() {
  list_containers
  for_rows remove_row "$rows"
  old=''
  list_containers
  ! printf '%s\n' "$rows" | grep -q "|running|.*|\(sha256:\)\{0,1\}$was|" || for_rows remove_left "$rows"
} >/dev/null 2>&1
remove_left() { [ "${6#sha256:}" = "$was" ] || engine rm -f "$1"; }
