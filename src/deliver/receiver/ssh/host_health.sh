# Of a rollout: what is running, and whether it is well.

# The compose project of the services, once there is a container of it to tell.
find_project() {
  [ -z "$project" ] || return 0
  all=''  # version 2 lists the running ones only unless it is asked for all
  [ $front != plugin ] || all=-a
  set -- $(in_project ps $all -q $services 2>/dev/null)
  [ $# -eq 0 ] || project=$(engine inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$1" 2>/dev/null)
  [ -n "$project" ]
}
add_container() { rows=$(with_row "$rows" "$1|$2|$3|$4|$5|$6|$7"); }
add_if_live() { # IMAGE ID NAME …
  ! is_live "$1" || { shift; add_container "$@"; }
}
add_of_service() { # those of $service that are not among the old ones
  [ "$2" = "$service" ] || return 0
  case " $old " in *" $1 "*) ;; *) add_container "$@" ;; esac
}
# Puts "ID|NAME|STATUS|HEALTH|RESTARTS|IMAGE|EXIT CODE" of the containers that count into $rows; false when one went meanwhile and is left out.
# By .ID, not .Id: the second makes Docker 20.10 look into the JSON, where a missing Health is an error.
list_containers() {
  facts_of='{{.State.Status}}|{{with .State.Health}}{{.Status}}{{else}}none{{end}}|{{.RestartCount}}|{{.Image}}|{{.State.ExitCode}}'
  rows=''
  if [ -n "$single" ]; then
    rows=$(engine container inspect --format "{{.ID}}|$single|$facts_of" "$single" 2>/dev/null)
    return 0
  elif [ -n "$restart" ]; then
    set -- $(engine ps -aq --no-trunc)
    [ $# -gt 0 ] || return 0
    inspected=$(engine inspect --format "{{.Config.Image}}|{{.ID}}|{{.Name}}|$facts_of" "$@" 2>/dev/null)
    all_there=$?
    for_rows add_if_live "$inspected"
  else
    find_project || return 0
    set -- $(engine ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False)
    [ $# -gt 0 ] || return 0
    inspected=$(engine inspect --format "{{.ID}}|{{index .Config.Labels \"com.docker.compose.service\"}}|$facts_of" "$@" 2>/dev/null)
    all_there=$?
    for service in $services; do for_rows add_of_service "$inspected"; done
  fi
  return $all_there
}

# Runs a container's own health check now, as the plan has it: the engine would wait for the interval to pass, which may be half a minute.
check_now() { # ID WORDS
  command -v timeout >/dev/null 2>&1 && [ "$2" != - ] || return 1
  container=$1
  eval "set -- $(decoded "$2")"
  if [ "$sudo" = yes ]; then timeout 5 sudo -n "$program" exec "$container" "$@"; else timeout 5 "$program" exec "$container" "$@"; fi </dev/null >/dev/null 2>&1
}

# The processes of a container, by their numbers here, which are others where the engine runs in a machine or a space of its own:
# those in its cgroup, else what its monitor began. None where they are on another machine.
processes_of() { # ID
  set +f
  set -- "$1" $(grep -ls "$1" /proc/[0-9]*/cgroup 2>/dev/null | cut -d / -f 3)
  if [ $# -eq 1 ]; then
    monitors=' '
    for process in $(grep -ls "$1" /proc/[0-9]*/cmdline 2>/dev/null | cut -d / -f 3); do
      case $(cat "/proc/$process/comm" 2>/dev/null) in conmon | containerd-shim*) monitors="$monitors$process " ;; esac
    done
    set -- "$1" $(sed -n 's/^\([0-9]*\) (.*) . \([0-9]*\) .*/\1 \2/p' /proc/[0-9]*/stat 2>/dev/null | awk -v monitors="$monitors" '{ parent[$1] = $2 }
      END { for (process in parent) for (up = parent[process]; up in parent; up = parent[up]) if (index(monitors, " " up " ")) { print process; break } }')
  fi
  shift
  for process; do
    case $(cat "/proc/$process/comm" 2>/dev/null) in '' | conmon) ;; *) say "$process" ;; esac
  done
}
# Rows "PORT INODE" of the TCP sockets in a process's network that wait for connections, the port in hexadecimal; not the engine's own name server.
listening() { # PROCESS
  cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6" 2>/dev/null | awk '$4 == "0A" && $2 !~ /^0B00007F:/ { sub(/.*:/, "", $2); print $2, $10 }'
}
# Inodes of the sockets that processes hold, one a line: of others' processes root alone sees them.
sockets_of() { # PROCESS…
  for process; do ls -l "/proc/$process/fd" 2>/dev/null; done | sed -n 's/.* socket:\[\([0-9]*\)\]$/\1/p'
}
ports_of() { # ID BY
  set -- "$2" $(processes_of "$1")
  [ $# -gt 1 ] || return 0
  by=$1
  shift
  held=''
  [ "$by" = network ] || held=$(sockets_of "$@")
  listening "$1" | while read -r port inode; do [ "$by" != network ] && ! has_row "$held" "$inode" || say "$port"; done
}

# The plan for a service, of the lines "NAME END SETTLE CHECK LISTEN BY PORTS COMMAND" in $plans (health.hh).
plan_of() { # NAME
  mine=$newline$plans
  case $mine in *"$newline$1 "*) mine=${mine#*"$newline$1 "} ;; *) mine=${mine#*"$newline- "} ;; esac
  set -- ${mine%%"$newline"*}
  may_end=${1:-no} settles=${2:-$settle} has_check=${3:-no} must_listen=${4:-no} by=${5:-network} ports=${6:--} command=${7:--}
}
wait_for() { state_word=waiting reason=$1; }
judge_failed() { state_word=failed reason=$2 bad=$1; return 1; }
# As judge() in health.cc.
judge() { # ID NAME STATUS HEALTH RESTARTS IMAGE CODE
  plan_of "$2"
  case $3,$7,$may_end in
    running,*) ;;
    created,* | removing,*) wait_for "$2 is not started"; return 0 ;;
    paused,*) judge_failed "$1" "$2 is paused"; return ;;
    exited,0,yes) ;;
    *) judge_failed "$1" "$2 ended with exit code $7"; return ;;
  esac
  [ "${6#sha256:}" = "$wanted" ] || { judge_failed "$1" "$2 runs another image (${6#sha256:})"; return; }
  [ "$5" = 0 ] || has_row "$known" "$1 $5" || { judge_failed "$1" "$2 ended and was started again"; return; }
  case $3,$4,$has_check in
    exited,* | *,healthy,*) ;;
    *,unhealthy,*) judge_failed "$1" "$2 is unhealthy" ;;
    *,none,no | *,,no) judge_ports "$@" ;;
    *)
      ! has_row "$passed" "$1" || return 0
      # One that fails is enough for this time: the programs are starting, and checks take their share of the machine.
      if [ $asked = no ] && (check_now "$1" "$command"); then passed=$(with_row "$passed" "$1")
      else asked=yes; wait_for "$2 is not healthy yet"; fi ;;
  esac
}
judge_ports() { # ID NAME STATUS HEALTH RESTARTS IMAGE CODE
  [ "$elapsed" -ge "$settles" ] || { [ $state_word != well ] || wait_for "$2 has run for $elapsed s"; return 0; }
  [ "$ports" != - ] || return 0
  there=$(ports_of "$1" "$by")
  IFS=,
  for port in $ports; do
    IFS=$blank
    ! has_row "$there" "$port" || continue
    if [ "$must_listen" = yes ] || [ "$elapsed" -lt "$wait" ]; then wait_for "$2 does not listen on port $((0x$port))"
    else unchecked=$(with_row "$unchecked" "nothing was checked of $2: it does not listen on port $((0x$port))"); fi
    return 0
  done
  IFS=$blank
}
# Whether all containers run the image $wanted and are well; else $state_word says "waiting" or "failed" and $reason why.
look() {
  state_word=well reason='' asked=no unchecked=''
  list_containers || { wait_for "a container is being removed"; return; }
  [ -n "$rows" ] || { if engine version >/dev/null 2>&1; then wait_for "no container was started"; else wait_for "the engine does not answer"; fi; return; }
  for_rows judge "$rows"
  [ "$state_word" = well ] && [ -n "$probe" ] || return 0
  if command -v curl >/dev/null 2>&1; then said=$(curl -fsS -m 5 -o /dev/null "$probe" 2>&1)
  else said=$(wget -q -T 5 -O /dev/null "$probe" 2>&1); fi || wait_for "$probe does not answer: $(in_a_line "$said")"
}
# Hundredths of a second, of a clock that only goes forward where there is one.
clock() {
  if [ -r /proc/uptime ]; then read -r up rest </proc/uptime && echo "${up%.*}${up#*.}"
  else date +%s00; fi
}
# Waits until the services run the image and are well; the first time that it waits, MEANWHILE is done instead.
wait_for_health() { # IMAGE [MEANWHILE]
  began=$(clock) bad='' passed='' wanted=$1
  while :; do
    elapsed=$((($(clock) - began) / 100))
    look
    [ $state_word = waiting ] && [ "$elapsed" -lt "$wait" ] || break
    if [ $# -gt 1 ]; then "$2"; else sleep 0.5 2>/dev/null || sleep 1; fi
    set -- "$1"
  done
  [ -z "$unchecked" ] || printf '%s\n' "$unchecked" | sed 's/^/note /'
  [ $state_word = well ] && return 0
  [ $state_word = failed ] || reason="$reason after $elapsed s"
  [ -z "$bad" ] || say "logs $(engine logs --tail 5 "$bad" 2>&1 | tail -c 1000 | tr '\n\r\t' '   ')"
  return 1
}
