# What veneer does on a host to bring a loaded image into service, or the one before back: see host_prelude.sh.

# A folder that nobody else can write to, for what has to be remembered.
find_state() {
  for place in "${XDG_STATE_HOME:-}" "${HOME:-}/.local/state"; do
    case $place in /?*) ;; *) continue ;; esac
    state=$place/veneer
    mkdir -p "$state" 2>/dev/null && [ -w "$state" ] && return 0
  done
  state=/var/tmp/veneer-state-$(id -u)
  mkdir "$state" 2>/dev/null
  [ -d "$state" ] && [ ! -h "$state" ] || return 1
  set -- $(ls -ldn "$state")
  [ "${3:-}" = "$(id -u)" ] && [ -w "$state" ]
}

# One rollout of a live name at a time; another one waits for its end.
take_turn() {
  lock=$state/$group.lock boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) waited=0
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/owner" 2>/dev/null)
    if [ -z "$owner" ] && [ $waited -lt 3 ]; then :
    elif ! kill -0 "${owner%% *}" 2>/dev/null || [ "${owner#* }" != "$boot" ]; then rm -rf "$lock"; continue
    elif [ $waited -ge 300 ]; then problem "another rollout of this name is at work on the host (process ${owner%% *})"; fi
    [ $waited -gt 0 ] || say phase waiting
    sleep 1
    waited=$((waited + 1))
  done
  echo "$$ $boot" >"$lock/owner"
}

# ---- the services that use the live name ----

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
    for file in $compose; do
      [ -f "$file" ] || problem "there is no file $file on the host"
      project_options="$project_options -f $(quoted "$file")"
    done
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
    while read -r file || [ -n "$file" ]; do
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
  : >"$work/old"
  scales=''
  for service in $services; do
    count=0
    for container in $(containers_of "$service"); do
      echo "$container" >>"$work/old"
      [ "$(engine inspect --format '{{.Image}}' "$container" 2>/dev/null | sed 's/^sha256://')" != "$was" ] || count=$((count + 1))
    done
    all=$(containers_of "$service" | grep -c .)
    [ $count -gt 0 ] || count=1
    scales="$scales --scale $service=$((all + count))"
  done
  in_project up -d --no-deps --no-build $never --no-recreate $scales $services >"$work/said" 2>&1
}
remove_old() { while read -r container; do engine stop "$container"; engine rm -f "$container"; done <"$work/old" >/dev/null 2>&1; }
remove_new() { containers | cut -d '|' -f 1 | while read -r container; do engine rm -f "$container"; done >/dev/null 2>&1; }

# ---- one container by its name, with its own settings ----

# Those of the name and of its image; after a crash between the two names, the old one gets its name back.
show_container() {
  [ $is = docker ] || problem "--container needs docker; --restart-with COMMAND says how to restart"
  if ! engine container inspect "$single" >/dev/null 2>&1 && engine rename "$single-veneer-old" "$single" 2>/dev/null; then engine start "$single" >/dev/null 2>&1; fi
  shown=$(engine container inspect --format '{{json .}}' "$single" 2>/dev/null) || problem "there is no container $single on the host"
  say "container $shown"
  say "config $(engine image inspect --format '{{json .Config}}' "$(engine container inspect --format '{{.Image}}' "$single")" 2>/dev/null)"
  finish
}
# What the engine's API alone can do: settings that `docker create` has no words for.
create_container() {
  mkfifo "$work/ask"
  engine_with_input system dial-stdio <"$work/ask" >"$work/said" 2>&1 &
  dial=$!
  exec 3>"$work/ask"
  printf 'POST /containers/create?name=%s HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n' "$single" "$size" >&3
  cat "$work/create" >&3
  wait "$dial"
  exec 3>&-
  rm -f "$work/ask"
  head -n 1 "$work/said" | grep -q ' 201 '
}
restart_container() {
  if [ "$1" = back ]; then
    engine container inspect "$single-veneer-old" >/dev/null 2>&1 || return 0
    engine rm -f "$single" >/dev/null 2>&1
    engine rename "$single-veneer-old" "$single" >"$work/said" 2>&1 && engine start "$single" >"$work/said" 2>&1
    return
  fi
  engine rm "$single-veneer-old" >/dev/null 2>&1
  engine rename "$single" "$single-veneer-old" >"$work/said" 2>&1 || return 1
  create_container || { engine rename "$single-veneer-old" "$single" >/dev/null 2>&1; return 1; }
  for network in $networks; do engine network connect "$network" "$single" >"$work/said" 2>&1 || return 1; done
  engine stop "$single-veneer-old" >/dev/null 2>&1
  engine start "$single" >"$work/said" 2>&1
}

restart_services() {
  if [ -n "$single" ]; then restart_container "$1"; return; fi
  if [ -n "$restart" ]; then sh -c "$restart" >"$work/said" 2>&1 </dev/null; return; fi
  never=''
  in_project up --help 2>/dev/null | grep -q -e '--pull ' && never='--pull never'
  if [ "$strategy" = start-first ] && [ "$1" != back ]; then start_beside; return; fi
  in_project up -d --no-deps --no-build $never $services >"$work/said" 2>&1 && return 0
  # docker-compose 1 cannot recreate containers on Docker 25 and later, but make new ones.
  grep -q ContainerConfig "$work/said" || return 1
  in_project rm -sf $services >/dev/null 2>&1
  in_project up -d --no-deps --no-build $services >"$work/said" 2>&1
}

# ---- health ----

# Compose itself takes its time to say this.
containers_of() {
  if [ -n "$project" ]; then
    engine ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
  else in_project ps $all -q "$1" 2>/dev/null; fi
}
containers() {
  if [ -n "$single" ]; then
    one=$(engine container inspect --format '{{.Id}}' "$single" 2>/dev/null) && echo "$one|$single"
  elif [ -n "$restart" ]; then
    set -- $(engine ps -aq --no-trunc)
    [ $# -eq 0 ] || engine inspect --format '{{.Config.Image}}|{{.Id}}|{{.Name}}' "$@" 2>/dev/null | grep -F -e "$live|" -e "$listed|" | cut -d '|' -f 2,3
  else
    all=''  # version 2 lists the running ones only unless it is asked for all
    [ $front != plugin ] || all=-a
    for service in $services; do
      for container in $(containers_of "$service"); do
        [ -f "$work/old" ] && grep -q "$container" "$work/old" || echo "$container|$service"
      done
    done
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
  state_word=well reason=''
  containers >"$work/containers"
  [ -s "$work/containers" ] || { state_word=waiting reason="no container was started"; return; }
  while IFS='|' read -r container service; do
    IFS='|' read -r status health restarts image code <<X
$(engine inspect --format '{{.State.Status}}|{{with .State.Health}}{{.Status}}{{else}}none{{end}}|{{.RestartCount}}|{{.Image}}|{{.State.ExitCode}}' "$container" 2>/dev/null)
X
    case $status in
      running) ;;
      created) state_word=waiting reason="$service is not started" ; continue ;;
      *) state_word=failed reason="$service ended with exit code $code" bad=$container; return ;;
    esac
    [ "${image#sha256:}" = "$1" ] || { state_word=failed reason="$service runs another image (${image#sha256:})" bad=$container; return; }
    [ "$restarts" = 0 ] || { state_word=failed reason="$service ended and was started again" bad=$container; return; }
    case $health in
      healthy | none | '') [ "$health" = healthy ] || [ "$elapsed" -ge "$settle" ] || { [ "$state_word" = well ] && state_word=waiting reason="$service has run for $elapsed s"; } ;;
      unhealthy) state_word=failed reason="$service is unhealthy" bad=$container; return ;;
      *) check_now "$container" || state_word=waiting reason="$service is not healthy yet" ;;
    esac
  done <"$work/containers"
  [ "$state_word" = well ] && [ -n "$probe" ] || return 0
  if command -v curl >/dev/null 2>&1; then curl -fsS -m 5 -o /dev/null "$probe" 2>"$work/probe"
  else wget -q -T 5 -O /dev/null "$probe" 2>"$work/probe"; fi || state_word=waiting reason="$probe does not answer: $(words_of "$work/probe")"
}
# Waits until the services run the image $1 and are well.
wait_for_health() {
  elapsed=0 bad=''
  while :; do
    look "$1"
    [ $state_word = waiting ] && [ "$elapsed" -lt "$wait" ] || break
    sleep 1
    elapsed=$((elapsed + 1))
  done
  [ $state_word = well ] && return 0
  [ $state_word = failed ] || reason="$reason after $elapsed s"
  [ -z "$bad" ] || say "logs $(engine logs --tail 5 "$bad" 2>&1 | tail -c 1000 | tr '\n\r\t' '   ')"
  return 1
}

# ---- what is remembered ----

record() {
  number=1
  [ ! -s "$history" ] || number=$(($(tail -n 1 "$history" | cut -d ' ' -f 1) + 1))
  {
    [ ! -f "$history" ] || tail -n 200 "$history"
    echo "$number $(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $unique $id ${who:--} ${commit:--} $bytes $seconds $kind"
  } >"$history.new" && mv "$history.new" "$history"
  say "revision $number"
}
# A container that is never started holds its image against prune jobs, one a release; older ones go.
hold() {
  name=veneer-keep-$(echo "$unique" | tr -c 'A-Za-z0-9_.\n' '-' | tail -c 100)
  engine inspect "$name" >/dev/null 2>&1 || engine create --pull never --network none --name "$name" --label "dev.veneer.keep=$group" --entrypoint veneer-keep "$unique" >/dev/null 2>&1
  cut -d ' ' -f 3,4 "$history" | grep '^well ' | cut -d ' ' -f 2 | tail -n 200 | awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) if (!seen[line[i]]++) print line[i] }' >"$work/releases"
  tail -n "+$((keep + 1))" "$work/releases" | while read -r old; do
    engine rm "veneer-keep-$(echo "$old" | tr -c 'A-Za-z0-9_.\n' '-' | tail -c 100)" >/dev/null 2>&1 && forget "$old"
  done
}

# What ran here before the first deploy, or was brought by other means since: there is a way back to it too.
remember_found() {
  [ -n "$was" ] && [ "$was" != "$id" ] || return 0
  [ ! -f "$history" ] || ! cut -d ' ' -f 3,5 "$history" | grep -q "^well $was\$" || return 0
  found=${unique%:*}:veneer-found-$(printf '%.12s' "$was")
  engine tag "sha256:$was" "$found" 2>/dev/null || return 0
  (unique=$found id=$was who='' commit='' bytes=0 seconds=0 kind=found; record well; hold) >/dev/null
}

# In a container of the new image, as the first of the services.
run_once() {
  set -- "$1" $services
  in_project run --rm --no-deps -T --entrypoint sh "$2" -c "$1" >"$work/said" 2>&1 && return 0
  say "logs $(words_of "$work/said")"
  return 1
}

deploy() {
  find_services_or_command
  [ "$strategy" != start-first ] || check_start_first
  set -- $(containers | head -n 1 | cut -d '|' -f 1)
  was=''
  [ $# -eq 0 ] || was=$(engine inspect --format '{{.Image}}' "$1" 2>/dev/null | sed 's/^sha256://')
  [ "$(id_of "sha256:$id")" = "$id" ] || problem "the image $unique is not on this host any more; ship it again"
  engine tag "sha256:$id" "$unique" 2>/dev/null  # a prune job may have taken all names but one
  remember_found
  engine tag "sha256:$id" "$live" 2>"$work/said" || problem "the engine does not name it $live: $(words_of "$work/said")"
  reached tagged
  if [ -n "$before" ]; then
    say phase before
    run_once "$before" || back "the command before it failed" untouched
  fi
  say phase restart
  reached restarting
  restart_services forward || back "the services could not be restarted: $(words_of "$work/said")"
  say phase health
  reached restarted
  wait_for_health "$id" || back "$reason"
  if [ -n "$after" ]; then
    say phase after
    run_once "$after" || back "the command after it failed"
  fi
  if [ "$strategy" = start-first ]; then say phase stop; remove_old; fi
  [ -z "$single" ] || engine rm "$single-veneer-old" >/dev/null 2>&1
  record well
  hold
  reached recorded
  say "well"
  finish
}
# The old image serves again, and why it must.
back() {
  why=$1
  if [ -f "$work/old" ]; then  # start-first: the old ones have served all the time
    remove_new
    [ -z "$was" ] || engine tag "sha256:$was" "$live" 2>/dev/null
    record back
    say "back $why"
    finish
  fi
  # The same image again is no way back.
  if [ -z "$was" ] || { [ "$was" = "$id" ] && [ "${2:-}" != untouched ]; }; then record failed; say "failed $why"; finish; fi
  engine tag "sha256:$was" "$live" 2>/dev/null
  if [ "${2:-}" != untouched ]; then
    say phase back
    [ "$settle" -le 2 ] || settle=2  # it was well before
    restart_services back
    wait_for_health "$was" || { record failed; say "failed $why; and the image before it is not well either: $reason"; finish; }
  fi
  record back
  say "back $why"
  finish
}
find_services_or_command() {
  if [ -n "$restart$single" ]; then services=''; [ -z "$before$after" ] || problem "--before and --after need a compose file"; else find_compose; find_services; fi
}

show_history() {
  serves=$(id_of "$live")
  if [ -z "$serves" ]; then  # a prune job may have taken the name of an image that is in use
    set -- $(engine ps -aq --no-trunc)
    [ $# -eq 0 ] || serves=$(engine inspect --format '{{.Config.Image}}|{{.Image}}' "$@" 2>/dev/null | grep -F -e "$live|" -e "$listed|" | head -n 1 | sed 's/.*|//; s/^sha256://')
  fi
  say "live $serves"
  [ -f "$history" ] || finish
  while read -r line; do
    set -- $line
    if [ -n "$(id_of "sha256:$5")" ]; then there=yes; else there=no; fi
    say "release $there $line"
  done <"$history"
  finish
}

printf '\nveneer %s\n' "$nonce"
find_program
find_state || problem "there is no folder to remember releases in: neither \$HOME/.local/state nor /var/tmp"
history=$state/$group.history
work=$state/work.$$
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM
mkdir -p "$work"
case $verb in
  deploy)
    (while sleep 10 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do echo busy; done) &
    beat=$!
    lock=''
    trap 'kill $beat 2>/dev/null; rm -rf "$work" "$lock"' EXIT
    [ "$size" -eq 0 ] || cat >"$work/create"
    take_turn
    deploy ;;
  container) show_container ;;
  history) show_history ;;
  *) problem "unknown verb $verb" ;;
esac
