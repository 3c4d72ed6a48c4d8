# What veneer does on a host to bring a loaded image into service, or the one before back: see host_prelude.sh.

# A folder that nobody else can write to, for what has to be remembered. One that is there and not safe, or has no room, is
# not passed over: the history would be another one.
find_state() {
  for place in "${XDG_STATE_HOME:-}" "${HOME:-}/.local/state"; do
    case $place in /?*) ;; *) continue ;; esac
    state=$place/veneer
    said=$(mkdir -p "$place" 2>&1) && own_folder "$state" && return 0
    case $said in *[Nn]'o space left'*) not_written "$state" "$said" ;; esac
    [ ! -d "$state" ] || not_written "$state" "$said"
  done
  state=/var/tmp/veneer-state-$(id -u)
  own_folder "$state" || not_written "$state" "$said"
}

# One rollout of a live name at a time; another one waits for its end.
take_turn() {
  turn=$state/$group.lock waited=0 longest=300
  until take "$turn" rollout; do
    if is_gone; then
      break_lock "$turn"
      [ -e "$turn" ] || continue
    fi
    [ $waited -lt $longest ] || problem "another rollout of this name is at work on the host (process ${holder%% *}); try again when it is done"
    [ $waited -gt 0 ] || say phase waiting
    sleep 1
    waited=$((waited + 1))
  done
}
leave() {
  stop_beat
  rm -rf "$work"
  [ -z "$turn" ] || drop_lock "$turn"
}

restart_services() {
  if [ -n "$single" ]; then restart_container "$1"; return; fi
  if [ -n "$restart" ]; then  # by a file, since what it starts may keep its output open
    set -- "$restart"
    (unset LC_ALL; eval "$found_environment"; umask "$found_umask"; exec sh -c "$1") >"$work/said" 2>&1 </dev/null
    set -- $?
    said=$(tail -c 2000 "$work/said" 2>/dev/null)
    return "$1"
  fi
  never=''  # docker-compose 1 has no such option, and fetches nothing that is there
  [ $front = plugin ] && in_project up --help 2>/dev/null | grep -q -e '--pull ' && never='--pull never'
  if [ "$strategy" = start-first ] && [ "$1" != back ]; then start_beside; return; fi
  said=$(in_project up -d --no-deps --no-build $never $scales $services 2>&1) && { restart_sharers; return; }
  # docker-compose 1 cannot recreate containers on Docker 25 and later, but make new ones.
  case $said in *ContainerConfig*) ;; *) return 1 ;; esac
  in_project rm -sf $services >/dev/null 2>&1
  said=$(in_project up -d --no-deps --no-build $scales $services 2>&1) && restart_sharers
}

# ---- what is remembered ----

record() {
  number=1
  [ ! -s "$history" ] || number=$(($(tail -n 1 "$history" | cut -d ' ' -f 1) + 1))
  said=$({
    { [ ! -f "$history" ] || tail -n 200 "$history"; } &&
      printf '%s\n' "$number $(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $unique $id ${who:--} ${commit:--} $bytes $seconds $kind" | cat
  } 2>&1 >"$history.new") && said=$(mv "$history.new" "$history" 2>&1) || {
    rm -f "$history.new"
    say "note this release is not in the history, which cannot be written: $(in_a_line "$said")"
    return 0
  }
  say "revision $number"
}
# A container that is never started holds its image against prune jobs, one a release; older ones go.
hold() {
  name=veneer-keep-$(echo "$unique" | tr -c 'A-Za-z0-9_.\n' '-' | tail -c 100)
  engine inspect "$name" >/dev/null 2>&1 || engine create --pull never --network none --name "$name" --label "dev.veneer.keep=$group" --entrypoint veneer-keep "$unique" >/dev/null 2>&1
  [ -f "$history" ] || return 0
  cut -d ' ' -f 3,4 "$history" | grep '^well ' | cut -d ' ' -f 2 | tail -n 200 | awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) if (!seen[line[i]]++) print line[i] }' |
    tail -n "+$((keep + 1))" | while read -r past; do
      engine rm "veneer-keep-$(echo "$past" | tr -c 'A-Za-z0-9_.\n' '-' | tail -c 100)" >/dev/null 2>&1 && forget "$past"
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
  said=$(in_project run --rm --no-deps -T --entrypoint sh "$2" -c "$1" 2>&1) && return 0
  say "logs $(in_a_line "$said")"
  return 1
}

deploy() {
  find_services_or_command
  [ "$strategy" != start-first ] || check_start_first
  list_containers
  restarts_before=''
  for_rows remember_restarts "$rows"
  keep_scales
  was=$(printf '%s\n' "$rows" | head -n 1 | cut -d '|' -f 6)
  was=${was#sha256:}
  [ "$(id_of "sha256:$id")" = "$id" ] || problem "the image $unique is not on this host any more; ship it again"
  engine tag "sha256:$id" "$unique" 2>/dev/null  # a prune job may have taken all names but one
  remember_found
  said=$(engine tag "sha256:$id" "$live" 2>&1) || problem "the engine does not name it $live: $(in_a_line "$said")"
  reached tagged
  if [ -n "$before" ]; then
    say phase before
    run_once "$before" || back "the command before it failed" untouched
  fi
  say phase restart
  reached restarting
  restart_services forward || back "the services could not be restarted: $(in_a_line "$said")"
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
# The old image serves again, and why it must. The name moves before the services do: compose makes containers of what
# the name stands for.
back() {
  why=$1
  if [ -n "$beside" ]; then  # start-first: the old ones have served all the time
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

keep_serving() { ! is_live "$1" || { serves=${2#sha256:}; return 1; }; }
show_history() {
  serves=$(id_of "$live")
  if [ -z "$serves" ]; then  # a prune job may have taken the name of an image that is in use
    set -- $(engine ps -aq --no-trunc)
    [ $# -eq 0 ] || for_rows keep_serving "$(engine inspect --format '{{.Config.Image}}|{{.Image}}' "$@" 2>/dev/null)"
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
find_state
history=$state/$group.history
work=$state/work.$$ turn='' beat='' old='' beside='' scales=''
trap leave EXIT
trap 'exit 129' HUP INT TERM
case $verb in
  deploy)
    (while sleep 10 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do echo busy; done) &
    beat=$!
    [ "$size" -eq 0 ] || create=$(cat)
    new_folder "$work"
    new_line "$work/said" "$(tail -n 200 "$history" 2>/dev/null)"  # there must be room for a history
    take_turn
    deploy ;;
  container) show_container ;;
  settings) new_folder "$work"; show_settings ;;
  history) show_history ;;
  *) problem "unknown verb $verb" ;;
esac
