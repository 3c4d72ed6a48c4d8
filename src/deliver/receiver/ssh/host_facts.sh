# Of a rollout: what is there before anything changes. What is to be made of it is decided elsewhere (rollout/plan.cc).

say_each() { [ -z "$2" ] || printf '%s\n' "$2" | sed "s/^/$1 /"; } # KEY LINES
# "listens ID PORT HELD" for each port in its network, whether a process of its own has it; "unseen ID" where that cannot be told.
say_listening() { # ID NAME STATUS HEALTH RESTARTS IMAGE CODE
  [ "$3" = running ] || return 0
  set -- "$1" $(processes_of "$1")
  [ $# -gt 1 ] && [ -r "/proc/$2/net/tcp" ] || { say "unseen $1"; return 0; }
  of=$1
  shift
  found=$(listening "$1")
  [ -n "$found" ] || return 0
  held=$(sockets_of "$@")
  printf '%s\n' "$found" | while read -r port inode; do
    if has_row "$held" "$inode"; then say "listens $of $port yes"; else say "listens $of $port no"; fi
  done
}
# The names of the images in the live name's repository, and what the history has of these images.
say_images() {
  set -- $(engine images -q --no-trunc "${listed%:*}" | sort -u)
  [ $# -gt 0 ] || return 0
  named=$(engine image inspect --format '{{.Id}}{{range .RepoTags}} {{.}}{{end}}' "$@" 2>/dev/null)
  say_each named "$named"
  [ ! -f "$history" ] || awk -v here=" $(printf '%s\n' "$named" | sed 's/^sha256://; s/ .*//' | tr '\n' ' ')" 'index(here, " " $5 " ") { print "release yes", $0 }' "$history"
}
# Documents of the Docker Engine API, as far as they are looked at.
container_format='{"Id":{{json .ID}},"Name":{{json .Name}},"Image":{{json .Image}},"Config":{{json .Config}},"HostConfig":{{json .HostConfig}},"Mounts":{{json .Mounts}},"NetworkSettings":{"Networks":{{json .NetworkSettings.Networks}}}}'
image_facts='{"Config":{{json .Config}}}'
show_facts() {
  [ $is != podman ] || image_facts='{{json .}}'  # health checks are beside its Config
  check_owner
  [ -z "$single" ] || find_container
  find_services_or_command
  [ "$strategy" != start-first ] || check_start_first
  list_containers || list_containers
  if [ -n "$services" ]; then
    keep_scales
    find_sharers
    say_composed
    say "logging $(engine info --format '{{.LoggingDriver}}' 2>/dev/null)"
  fi
  say "front $front"
  say "project $project"
  say "options $project_options"
  say "scales $scales"
  say "sharers $sharers"
  for service in $services; do say "service $service"; done
  say_each setting "$facts"
  say_each row "$rows"
  set -- $(printf '%s\n' "$rows" | cut -d '|' -f 1)
  [ -n "$restart" ] || say "sum $(sum_settings "$*")"
  if [ $is = podman ]; then for container; do say_each container "$(engine inspect --format "$container_format" "$container" 2>/dev/null | tr -d '\n')"; done  # over several lines
  elif [ $# -gt 0 ]; then say_each container "$(engine inspect --format "$container_format" "$@" 2>/dev/null)"; fi
  [ -z "$single" ] || say_others
  # Whose image each has, and of those that run, whose network.
  list_every
  set -- $every
  [ $# -eq 0 ] || engine inspect --format '{{if .State.Running}}mode {{.HostConfig.NetworkMode}}{{"\n"}}{{end}}uses {{.Image}} {{index .Config.Labels "dev.veneer.keep"}}' "$@" 2>/dev/null | sort -u
  for image in $({ say "$id"; printf '%s\n' "$rows" | cut -d '|' -f 6 | sed 's/^sha256://'; } | grep . | sort -u); do
    say "image $image $(engine image inspect --format "$image_facts" "sha256:$image" 2>/dev/null | tr -d '\n')"
  done
  say "live $(id_of "$live")"
  say_images
  say "range $(cat /proc/sys/net/ipv4/ip_local_port_range 2>/dev/null | tr '\t' ' ')"
  [ "$waits_for_ports" = no ] || for_rows say_listening "$rows"
  finish
}
