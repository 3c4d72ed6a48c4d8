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

# A live name belongs to one account of an engine, since history and lock are that account's files. Whose it is stands in the labels
# of a volume: the first to make it gives it them, and who makes it again finds them.
find_self() {
  account=$(id -un 2>/dev/null || id -u)
  self=$(head -n 1 /etc/machine-id 2>/dev/null):$state
}
check_owner() {
  owner=$(engine volume inspect --format '{{index .Labels "dev.veneer.account"}}|{{index .Labels "dev.veneer.state"}}' "veneer-$group" 2>/dev/null) || return 1
  [ "${owner#*|}" != "$self" ] || return 0
  say "hint log in as that account; if it is gone, '$program volume rm veneer-$group' makes the name free, and its releases begin anew"
  refuse "$listed belongs to another account of this engine: ${owner%%|*}, which has its releases in ${owner#*:}"
}
take_name() {
  ! check_owner || return 0
  said=$(engine volume create --label "dev.veneer.account=$account" --label "dev.veneer.state=$self" "veneer-$group" 2>&1)
  check_owner || problem "the engine cannot note whose $listed is: $(in_a_line "$said")"
}

phase() { say "phase $1"; tell_lock "$1"; }
# One rollout of a live name at a time; another one waits for its end.
take_turn() {
  waited='' longest=300
  take_lock "$turn" "$state/$group.lock" $longest while_held "- $kind of ${live#docker.io/library/}${who:+ for $who}" ||
    problem "another rollout of this name is at work on the host, and came no further for $longest s: $(holder_in_words); try again when it is done"
  [ -z "$waited" ] || say "note waited for a $waited"
}
while_held() {
  [ -n "$waited" ] || phase waiting
  waited=$(holder_in_words)
}
leave() {
  stop_beat
  [ -z "$work" ] || rm -rf "$work"
  drop_lock "$turn"
}
# What a compose that was killed left of a recreation, beside another container of the service: "HASH_NAME", not running.
drop_leftovers() { # forward|back
  if [ "$1" = back ]; then list_containers; else rows=$before_it; fi
  for_rows drop_leftover "$(engine ps -a --no-trunc --filter status=created --filter status=exited --filter "label=com.docker.compose.project=$project" \
    --format '{{.ID}}|{{.Label "com.docker.compose.service"}}|{{.Names}}' 2>/dev/null)"
}
drop_leftover() { # ID SERVICE NAME
  case ${3:-} in [0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]_*) ;; *) return 0 ;; esac
  ! printf '%s\n' "$rows" | grep -v "^$1|" | grep -q "^[0-9a-f]*|$2|" || engine rm "$1" >/dev/null 2>&1
  return 0
}
# Waits for an engine that does not answer; false when it does not come again.
wait_for_engine() {
  gone=0
  until engine version >/dev/null 2>&1; do
    [ $gone -lt "$longest_gone" ] || { said="the engine does not answer any more"; return 1; }
    [ $gone -gt 0 ] || phase engine
    gone=$((gone + 1))
    sleep 1
  done
}
longest_gone=600
# The live name stands for an image again: tried until it is known, since all that follows depends on it.
name_again() { # IMAGE
  for attempt in 1 2 3; do
    wait_for_engine || return 1
    said=$(engine tag "sha256:$1" "$live" 2>&1)
    [ "$(id_of "$live")" != "$1" ] || return 0
  done
  return 1
}

restart_services() {
  if [ -n "$single" ]; then restart_container "$1"; return; fi
  if [ -n "$restart" ]; then  # by a file, since what it starts may keep its output open
    set -- "$restart"
    (unset LC_ALL; eval "$found_environment"; umask "$found_umask"; exec sh -c "$1") >"$work/said" 2>&1 </dev/null
    set -- $?
    said=$(tail -c 2000 "$work/said" 2>/dev/null)
    rm -f "$work/said"
    return "$1"
  fi
  drop_leftovers "$1"
  never=''  # docker-compose 1 has no such option, and fetches nothing that is there
  [ $front != plugin ] || never='--pull never'
  if [ "$strategy" = start-first ] && [ "$1" != back ]; then start_beside; return; fi
  bring_up $scales $services && { restart_sharers; return; }
  # docker-compose 1 cannot recreate containers on Docker 25 and later, but make new ones.
  case $said in *ContainerConfig*) ;; *) return 1 ;; esac
  in_project rm -sf $services >/dev/null 2>&1
  bring_up $scales $services && restart_sharers
}

# ---- what is remembered ----

# A line of the history: what is begun, and how it ended, under one number. On the disk when this returns. A line that a
# crash cut is ended first, so that it costs no other.
write_history() { # OUTCOME
  said=$({
    [ ! -s "$history" ] || [ -z "$(tail -c 1 "$history")" ] || echo
    echo "$number $(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $unique $id ${who:--} ${commit:--} $bytes $seconds $kind"
  } | cat 2>&1 >>"$history") && [ -z "$said" ] || return 1
  sync "$history" 2>/dev/null || sync
}
# The number after the largest one; from time to time the oldest lines go.
next_number() {
  number=$(awk '$1 ~ /^[1-9][0-9]*$/ && length($1) < 16 && $1 > last { last = $1 } END { print last + 1 }' "$history" 2>/dev/null)
  number=${number:-1}
  [ ! -f "$history" ] || [ "$(wc -l <"$history")" -lt 1000 ] || {
    tail -n 500 "$history" >"$history.new" && sync "$history.new" 2>/dev/null && mv "$history.new" "$history" || rm -f "$history.new"
  } 2>/dev/null
}
begin() {
  next_number
  write_history begun || not_written "$history" "$said"
}
record() {
  write_history "$1" || { say "note how this ended is not in the history, which cannot be written: $(in_a_line "$said")"; return 0; }
  say "revision $number"
}
# A container that is never started holds its image against prune jobs, one a release; $kept is one that was made now.
hold() {
  name=veneer-keep-$group-$(echo "$unique" | tr -c 'A-Za-z0-9_.\n' '-' | tail -c 100)
  engine inspect "$name" >/dev/null 2>&1 && return 0
  engine create --pull never --network none --name "$name" --label "dev.veneer.keep=$group" --entrypoint veneer-keep "$unique" >/dev/null 2>&1 || return 0
  [ -n "$kept" ] || kept=$name
}
# What a release needs besides, done while its services settle: nobody waits for it then.
meanwhile() {
  [ -z "$kept" ] || return 0
  [ "$strategy" = start-first ] || say_slow
  hold
  kept=${kept:-none}
}
# Takes away what the plan lets go, lines "NAME ID", but for images of which a container is made that is not one of those.
remove_images() { # LINES
  [ -n "$1" ] || return 0
  set -- "$1" $(engine ps -aq --no-trunc)
  lines=$1
  shift
  uses=''
  [ $# -eq 0 ] || uses=$(engine inspect --format '{{.ID}}|{{.Image}}|{{index .Config.Labels "dev.veneer.keep"}}' "$@" 2>/dev/null) || return 0
  printf '%s' "$lines" | while read -r name image; do
    set -- $(printf '%s\n' "$uses" | awk -F '|' -v image="$image" -v group="$group" '{ sub(/^sha256:/, "", $2) } $2 == image { print $3 == group ? $1 : "used" }')
    case " $* " in *' used '*) continue ;; esac
    [ $# -eq 0 ] || engine rm "$@" >/dev/null 2>&1
    forget "$name"
  done
}

# What ran here before the first deploy, or was brought by other means since: there is a way back to it too.
remember_found() {
  [ -n "$was" ] && [ "$was" != "$id" ] || return 0
  [ ! -f "$history" ] || ! cut -d ' ' -f 3,5 "$history" | grep -q "^well $was\$" || return 0
  found=${unique%:*}:veneer-found-$(printf '%.12s' "$was")
  engine tag "sha256:$was" "$found" 2>/dev/null || return 0
  (unique=$found id=$was who='' commit='' bytes=0 seconds=0 kind=found; next_number; record well; hold) >/dev/null
}

# What came here and was never brought into service: what comes later is told by it.
remember_shipped() {
  while read -r unique id; do
    [ -z "$unique" ] || [ "$(id_of "$unique")" != "$id" ] || (who='' commit='' bytes=0 seconds=0 kind=ship; next_number; record shipped) >/dev/null
  done
}

# In a container of the new image, as the first of the services.
run_once() {
  set -- "$1" $services
  said=$(in_project run --rm --no-deps -T --entrypoint sh "$2" -c "$1" 2>&1) && return 0
  say "logs $(in_a_line "$said")"
  return 1
}

# The containers for which the plan was made are those that are there, and (check_sum) what was compared is as it was; else another
# plan is to be made. How often they were started again is what counts from now on.
check_plan() {
  list_containers
  [ "$(printf '%s\n' "$rows" | cut -d '|' -f 1 | sort)" = "$(printf '%s\n' "${known%"$newline"}" | cut -d ' ' -f 1 | sort)" ] || { say again; finish; }
  before_it=$rows
  known=$(printf '%s\n' "$rows" | awk -F '|' '{ print $1, $5 }')$newline
}
check_sum() {
  wait "$summing"
  [ -z "$sum" ] || [ "$(cat "$work/sum")" = "$sum" ] || { say again; finish; }
}
deploy() {
  [ -z "$sum" ] || sum_settings "$(printf '%s' "$known" | cut -d ' ' -f 1)" >"$work/sum" &
  summing=$!
  take_name
  check_plan
  # A prune job may have taken all names but one.
  engine tag "sha256:$id" "$unique" 2>/dev/null || [ "$(id_of "sha256:$id")" = "$id" ] || problem "the image $unique is not on this host any more; ship it again"
  check_sum
  remember_found
  [ -z "$shipped" ] || printf '%s' "$shipped" | remember_shipped
  begin
  said=$(engine tag "sha256:$id" "$live" 2>&1) || {
    why=$(in_a_line "$said")
    [ -z "$was" ] || name_again "$was" || { record failed; say "failed the engine does not name it $live: $why; nor as before: $(in_a_line "$said")"; finish; }
    record back
    problem "the engine does not name it $live: $why"
  }
  reached tagged
  if [ -n "$before" ]; then
    phase before
    run_once "$before" || back "the command before it failed" untouched
  fi
  phase restart
  restarted=$(date +%s)
  reached restarting
  restart_services forward || back "the services could not be restarted: $(in_a_line "$said")"
  phase health
  reached restarted
  wait_for_health "$id" meanwhile || back "$reason"
  meanwhile
  if [ -n "$after" ]; then
    phase after
    run_once "$after" || back "the command after it failed"
  fi
  if [ "$strategy" = start-first ]; then phase stop; remove_old; say_slow; fi
  [ -z "$single" ] || engine rm "$single-veneer-old" >/dev/null 2>&1
  record well
  say "well"
  remove_images "$removed"
  reached recorded
  finish
}
failed() {
  record failed
  list_containers
  say_each serves "$rows"
  say "failed $1"
  finish
}
# Now, by parts of a second where `date` knows them: an engine leaves out what happened after the moment it is asked up to,
# and by whole seconds that is everything of this one.
now() {
  at=$(date +%s.%N 2>/dev/null)
  case $at in *[!0-9.]* | *. | '') echo $(($(date +%s) + 1)) ;; *) echo "$at" ;; esac
}
# Which containers took their whole grace time to stop: "slow NAME SECONDS". They were asked to end, and killed after it.
say_slow() {
  [ $is = docker ] || return 0
  engine events --since "$restarted" --until "$(now)" --filter type=container --filter event=kill --filter event=die \
    --format '{{.Actor.ID}}|{{index .Actor.Attributes "signal"}}|{{index .Actor.Attributes "exitCode"}}|{{.Time}}|{{index .Actor.Attributes "com.docker.compose.service"}}|{{index .Actor.Attributes "name"}}' 2>/dev/null |
    awk -F '|' '$2 != "" && $2 != 9 && !($1 in asked) { asked[$1] = $4 } $3 == 137 && $1 in asked && $4 > asked[$1] { print "slow", $5 == "" ? $6 : $5, $4 - asked[$1] }'
}
# The old image serves again, and why it must. The name moves before the services do: compose makes containers of what
# the name stands for.
back() {
  why=$1
  case $kept in '' | none) ;; *) engine rm "$kept" >/dev/null 2>&1 ;; esac
  if [ -n "$beside" ]; then  # start-first: the old ones have served all the time
    [ -z "$was" ] || name_again "$was" || failed "$why; and the name could not be moved back: $(in_a_line "$said")"
    wait_for_engine && remove_new
    went_back
  fi
  # The same image again is no way back.
  if [ -z "$was" ] || { [ "$was" = "$id" ] && [ "${2:-}" != untouched ]; }; then failed "$why"; fi
  name_again "$was" || failed "$why; and the name could not be moved back: $(in_a_line "$said")"
  if [ "${2:-}" != untouched ]; then
    phase back
    plans=$plans_back
    restart_services back || { wait_for_engine && restart_services back; }
    wait_for_health "$was" || failed "$why; and the image before it is not well either: $reason"
  fi
  went_back
}
went_back() {
  record back
  remove_images "$removed_back"
  say "back $why"
  finish
}
find_services_or_command() {
  if [ -n "$restart$single" ]; then services=''; [ -z "$before$after" ] || problem "--before and --after need a compose file"; else find_compose; find_services; fi
}

keep_serving() { ! is_live "$1" || { serves=${2#sha256:}; return 1; }; }
show_history() {
  check_owner
  serves=$(id_of "$live")
  if [ -z "$serves" ]; then  # a prune job may have taken the name of an image that is in use
    set -- $(engine ps -aq --no-trunc)
    [ $# -eq 0 ] || for_rows keep_serving "$(engine inspect --format '{{.Config.Image}}|{{.Image}}' "$@" 2>/dev/null)"
  fi
  say "live $serves"
  read_holder "$turn"
  is_gone $holder || say working
  [ -f "$history" ] || finish
  here=$(engine images -aq --no-trunc 2>/dev/null | sed 's/^sha256://')
  while read -r number time outcome name image rest; do
    if has_row "$here" "$image"; then there=yes; else there=no; fi
    say "release $there $number $time $outcome $name $image $rest"
  done <"$history"
  finish
}

set_out() {
  printf '\nveneer %s\n' "$nonce"
  find_program
  [ $is != podman ] || listed=$live  # it lists full names
  find_state
  find_self
  history=$state/$group.history
  turn=$state/$group.turn beat='' old='' beside='' kept=''
  trap leave EXIT
  trap 'exit 129' HUP INT TERM
}
answer() {
  set_out
  case $verb in
    facts) new_work "$state"; show_facts ;;
    history) show_history ;;
    *) problem "unknown verb $verb" ;;
  esac
}
answer_questions
set_out
(while sleep "$pulse" >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do echo busy; done) &
beat=$!
[ "$size" -eq 0 ] || create=$(cat)
new_work "$state"
new_line "$work/room" "$(tail -n 200 "$history" 2>/dev/null)"  # there must be room for a history
rm -f "$work/room"
take_turn
deploy
