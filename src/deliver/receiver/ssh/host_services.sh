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

# From the containers: which service of which project was started with the live name.
find_running_services() {
  format='{{.Config.Image}}|{{index .Config.Labels "com.docker.compose.project"}}|{{index .Config.Labels "com.docker.compose.project.working_dir"}}|{{index .Config.Labels "com.docker.compose.project.config_files"}}|{{index .Config.Labels "com.docker.compose.oneoff"}}|{{index .Config.Labels "com.docker.compose.service"}}'
  set -- $(engine ps -aq --no-trunc)
  [ $# -gt 0 ] || return 0
  engine inspect --format "$format" "$@" 2>/dev/null | grep -F -e "$live|" -e "$listed|" | grep -v '|True|[^|]*$' | sort -u >"$work/found"
  cut -d '|' -f 2-4 "$work/found" | grep -v '^|' | sort -u >"$work/projects"
}
find_services() {
  project_options='' project=''
  : >"$work/projects"
  if [ -n "$compose" ]; then
    printf '%s' "$compose" >"$work/files"
    while IFS= read -r file; do
      [ -f "$file" ] || problem "there is no file $file on the host"
      project_options="$project_options -f $(quoted "$file")"
    done <"$work/files"
    # Started from these files under a project name of the operator's own?
    set -- $(engine ps -aq --no-trunc --filter "label=com.docker.compose.project.config_files=$(paste -sd , "$work/files")")
    [ $# -eq 0 ] || engine inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$@" 2>/dev/null | sort -u >"$work/projects"
    if [ "$(grep -c . "$work/projects")" = 1 ]; then
      project=$(cat "$work/projects")
      project_options="-p $(quoted "$project") $project_options"
    fi
  else
    find_running_services
    case $(grep -c . "$work/projects") in
      0) problem "no container of a compose project on this host was started with the image $listed: start it there once, name the file by --compose, or say by --restart-with how to restart" ;;
      1) ;;
      *) problem "several compose projects on this host use $listed: name the file of one by --compose" ;;
    esac
    project=$(cut -d '|' -f 1 "$work/projects") directory=$(cut -d '|' -f 2 "$work/projects") files=$(cut -d '|' -f 3 "$work/projects")
    project_options="-p $(quoted "$project")"
    printf '%s' "$files" | tr ',' '\n' >"$work/files"
    while IFS= read -r file || [ -n "$file" ]; do
      case $file in /*) ;; *) file=$directory/$file ;; esac
      [ -f "$file" ] || problem "the compose file $file, which the services were started with, is gone; name another one by --compose"
      project_options="$project_options -f $(quoted "$file")"
    done <"$work/files"
    [ -z "$directory" ] || project_options="$project_options --project-directory $(quoted "$directory")"
  fi
  in_project config >"$work/config" 2>"$work/said" || problem "the compose file cannot be read: $(words_of "$work/said")"
  awk '/^[^ ]/ { within = ($1 == "services:"); next }
    within && /^  [^ ]/ { service = $1; sub(/:$/, "", service); gsub(/["'"'"']/, "", service) }
    within && /^    [^ -]/ { block = $1 }
    within && (/ published:/ || (block == "ports:" && /^ *- *["'"'"']?[0-9.:]*[0-9]:[0-9]/)) { print service, "published", "port" }
    within && /^    (image|build|pull_policy|container_name|network_mode):/ { value = $2; gsub(/["'"'"']/, "", value); key = $1; sub(/:$/, "", key); print service, key, value }' "$work/config" >"$work/facts"
  chosen=$services
  services=''
  while read -r service fact value; do
    [ "$fact" = image ] || continue
    case $value in "$listed" | "$live" | "$listed@"* | "$live@"*) ;; *) continue ;; esac
    case " $chosen " in "  " | *" $service "*) ;; *) continue ;; esac
    services="$services $service"
    case $value in *@sha256:*) problem "the service $service pins a digest in the compose file ($value): a new image would never be used" ;; esac
    grep -q "^$service pull_policy always" "$work/facts" && problem "the service $service has pull_policy: always, which would fetch another image; leave it out"
    grep -q "^$service build" "$work/facts" && say "note the service $service has build: in the compose file; 'docker compose up --build' would undo this deploy"
    case ${value%%/*} in *.* | *:*) case $value in */*) say "note the image of $service names a registry (${value%%/*}); 'docker compose pull' would undo this deploy" ;; esac ;; esac
  done <"$work/facts"
  for service in $chosen; do
    case " $services " in *" $service "*) ;; *) problem "the service $service does not use the image $listed in the compose file" ;; esac
  done
  [ -n "$services" ] || problem "no service in the compose file uses the image $listed"
}

# Whether a second container of each service can start beside the first.
check_start_first() {
  [ -z "$restart$single" ] || problem "--strategy start-first needs a compose file"
  for service in $services; do
    grep -q "^$service container_name" "$work/facts" && problem "the service $service has a container_name: a second container cannot start beside it"
    grep -q "^$service network_mode host" "$work/facts" && problem "the service $service has network_mode: host: a second container would want the same ports"
    grep -q "^$service published" "$work/facts" && problem "the service $service publishes a port of the host: a second container cannot start beside it; put it behind a proxy"
  done
}
# Starts as many new containers as there are old ones of the image $was; those go when the new ones are well.
start_beside() {
  containers >"$work/before"
  cut -d '|' -f 1 "$work/before" >"$work/old"
  scales=''
  for service in $services; do
    all=0 count=0
    while IFS='|' read -r container name status health restarts image code; do
      [ "$name" = "$service" ] || continue
      all=$((all + 1))
      [ "${image#sha256:}" != "$was" ] || count=$((count + 1))
    done <"$work/before"
    [ $count -gt 0 ] || count=1
    scales="$scales --scale $service=$((all + count))"
  done
  in_project up -d --no-deps --no-build $never --no-recreate $scales $services >"$work/said" 2>&1
}
remove_old() { while read -r container; do engine stop "$container"; engine rm -f "$container"; done <"$work/old" >/dev/null 2>&1; }
remove_new() { containers | cut -d '|' -f 1 | while read -r container; do engine rm -f "$container"; done >/dev/null 2>&1; }
