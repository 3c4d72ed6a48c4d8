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
# Lines "ID|NAME|STATUS|HEALTH|RESTARTS|IMAGE|EXIT CODE" of the containers that count; false when one went meanwhile and is left out.
# By .ID, not .Id: the second makes Docker 20.10 look into the JSON, where a missing Health is an error.
containers() {
  facts='{{.State.Status}}|{{with .State.Health}}{{.Status}}{{else}}none{{end}}|{{.RestartCount}}|{{.Image}}|{{.State.ExitCode}}'
  if [ -n "$single" ]; then
    engine container inspect --format "{{.ID}}|$single|$facts" "$single" 2>/dev/null || :
  elif [ -n "$restart" ]; then
    set -- $(engine ps -aq --no-trunc)
    [ $# -gt 0 ] || return 0
    engine inspect --format "{{.Config.Image}}|{{.ID}}|{{.Name}}|$facts" "$@" 2>/dev/null >"$work/inspected"
    all_there=$?
    grep -F -e "$live|" -e "$listed|" "$work/inspected" | cut -d '|' -f 2-
    return $all_there
  else
    find_project || return 0
    set -- $(engine ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False)
    [ $# -gt 0 ] || return 0
    engine inspect --format "{{.ID}}|{{index .Config.Labels \"com.docker.compose.service\"}}|$facts" "$@" 2>/dev/null >"$work/inspected"
    all_there=$?
    for service in $services; do
      while IFS='|' read -r container name rest; do
        [ "$name" = "$service" ] || continue
        [ -f "$work/old" ] && grep -q "$container" "$work/old" || echo "$container|$name|$rest"
      done <"$work/inspected"
    done
    return $all_there
  fi
}
# Runs a container's own health check now: the engine would wait for the interval to pass, which may be half a minute.
check_now() {
  command -v timeout >/dev/null 2>&1 || return 1
  engine inspect --format '{{range .Config.Healthcheck.Test}}{{println .}}{{end}}' "$1" >"$work/check" 2>/dev/null || return 1
  kind_of_check='' words=0
  set -- "$1"
  while IFS= read -r word; do
    words=$((words + 1))
    case $words in 1) kind_of_check=$word ;; *) [ -z "$word" ] || set -- "$@" "$word" ;; esac
  done <"$work/check"
  [ $# -gt 1 ] || return 1
  case $kind_of_check in
    CMD) ;;
    CMD-SHELL) [ $# -eq 2 ] || return 1; set -- "$1" sh -c "$2" ;;
    *) return 1 ;;
  esac
  if [ "$sudo" = yes ]; then timeout 5 sudo -n "$program" exec "$@"; else timeout 5 "$program" exec "$@"; fi </dev/null >/dev/null 2>&1
}
# Whether all containers run the image $1 and are well; else $state_word says "waiting" or "failed" and $reason why.
look() {
  state_word=well reason='' asked=no
  containers >"$work/containers" || { state_word=waiting reason="a container is being removed"; return; }
  [ -s "$work/containers" ] || { state_word=waiting reason="no container was started"; return; }
  while IFS='|' read -r container service status health restarts image code; do
    case $status in
      running) ;;
      created) state_word=waiting reason="$service is not started" ; continue ;;
      *) state_word=failed reason="$service ended with exit code $code" bad=$container; return ;;
    esac
    [ "${image#sha256:}" = "$1" ] || { state_word=failed reason="$service runs another image (${image#sha256:})" bad=$container; return; }
    [ "$restarts" = 0 ] || { state_word=failed reason="$service ended and was started again" bad=$container; return; }
    case $health in
      healthy) ;;
      none | '') [ "$elapsed" -ge "$settle" ] || { [ "$state_word" = well ] && state_word=waiting reason="$service has run for $elapsed s"; } ;;
      unhealthy) state_word=failed reason="$service is unhealthy" bad=$container; return ;;
      *)
        grep -q "$container" "$work/passed" && continue
        # One that fails is enough for this time: the programs are starting, and checks take their share of the machine.
        if [ $asked = no ] && check_now "$container"; then echo "$container" >>"$work/passed"
        else asked=yes state_word=waiting reason="$service is not healthy yet"; fi ;;
    esac
  done <"$work/containers"
  [ "$state_word" = well ] && [ -n "$probe" ] || return 0
  if command -v curl >/dev/null 2>&1; then curl -fsS -m 5 -o /dev/null "$probe" 2>"$work/probe"
  else wget -q -T 5 -O /dev/null "$probe" 2>"$work/probe"; fi || state_word=waiting reason="$probe does not answer: $(words_of "$work/probe")"
}
# Hundredths of a second, of a clock that only goes forward where there is one.
clock() {
  if [ -r /proc/uptime ]; then read -r up rest </proc/uptime && echo "${up%.*}${up#*.}"
  else date +%s00; fi
}
# Waits until the services run the image $1 and are well.
wait_for_health() {
  began=$(clock) bad=''
  : >"$work/passed"
  while :; do
    elapsed=$((($(clock) - began) / 100))
    look "$1"
    [ $state_word = waiting ] && [ "$elapsed" -lt "$wait" ] || break
    sleep 0.5 2>/dev/null || sleep 1
  done
  [ $state_word = well ] && return 0
  [ $state_word = failed ] || reason="$reason after $elapsed s"
  [ -z "$bad" ] || say "logs $(engine logs --tail 5 "$bad" 2>&1 | tail -c 1000 | tr '\n\r\t' '   ')"
  return 1
}
