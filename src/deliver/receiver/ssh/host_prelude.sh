# What veneer does on a host that it reaches by ssh: the part that all tasks have. Sent to sh(1) once a task and never
# stored, followed by the task's own part; comments and indentation are left out on the way (host_script.cc). POSIX sh,
# and of programs only those of POSIX, tar, and docker or podman.
#
# Standard input: requests, each of lines "key value" and an empty line, the last with `put` followed by the archive. Standard
# output, for each: "veneer NONCE", lines "key value", "end NONCE"; what stands before or after these is not ours.
# docs/formats.md, "Talking to a host".
# Nothing that came in is read as a command but those that a user gives for it (before, after, restart): values are of few
# characters, and only expanded inside quotes.
found_environment=$(export -p) found_umask=$(umask)
set -u
LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin:/opt/bin
export LC_ALL PATH
umask 077
trap '' PIPE
blank=$IFS newline='
'

# Text with "%" and three octal digits for what may not stand in a value.
decoded() { printf '%b' "$(printf '%s' "$1" | sed 's/%\([0-7][0-7][0-7]\)/\\0\1/g')"; }
# The next request; false at the end of the input. One that was cut is none.
read_request() {
  verb='' nonce='' program='' sudo='' staging='' fail='' pulse=10
  patterns='' group='' key='' offset=0 size=0 sender='' patience=60 unique='' listed='' live='' id='' layers=0 digest='' listing='' legacy='' splices=''
  compose='' services='' before='' after='' restart='' probe='' wait=60 settle=5 keeper='' held='' work='' who='' commit='' bytes=0 seconds=0 kind=deploy strategy='' single='' networks=''
  front='' project='' project_options='' was='' known='' plans='' plans_back='' removed='' removed_back='' shipped='' facts='' waits_for_ports=yes scales='' sharers='' sum='' composed='' every=''
  while IFS=' ' read -r name value; do
    case $name in '') return 0 ;; esac
    case $value in *[!A-Za-z0-9._:/@+,=%\&\?\ -]*) echo "refused value of $name"; exit 64 ;; esac
    case $name in
      verb) verb=$value ;; nonce) nonce=$value ;; program) program=$value ;; sudo) sudo=$value ;; staging) staging=$value ;;
      fail) fail=$value ;; pulse) pulse=$value ;; pattern) patterns="$patterns$value
" ;;
      group) group=$value ;; key) key=$value ;; offset) offset=$value ;; size) size=$value ;; sender) sender=$value ;; patience) patience=$value ;;
      unique) unique=$value ;; listed) listed=$value ;; live) live=$value ;; id) id=$value ;; layers) layers=$value ;; digest) digest=$value ;;
      compose) compose="$compose$(decoded "$value")
" ;;
      service) services="$services $value" ;;
      before) before=$(decoded "$value") ;; after) after=$(decoded "$value") ;; restart) restart=$(decoded "$value") ;; probe) probe=$(decoded "$value") ;; wait) wait=$value ;; settle) settle=$value ;;
      who) who=$value ;; commit) commit=$value ;; bytes) bytes=$value ;; seconds) seconds=$value ;; kind) kind=$value ;; strategy) strategy=$value ;; container) single=$value ;;
      network) networks="$networks $value" ;;
      front) front=$value ;; project) project=$value ;; options) project_options=$(decoded "$value") ;; scales) scales=$(decoded "$value") ;; sharers) sharers=$(decoded "$value") ;; was) was=$value ;;
      ports) waits_for_ports=$value ;; sum) sum=$value ;; known) known="$known$value
" ;;
      plan) plans="$plans$value
" ;;
      plan-back) plans_back="$plans_back$value
" ;;
      remove) removed="$removed$value
" ;;
      remove-back) removed_back="$removed_back$value
" ;;
      shipped) shipped="$shipped$value
" ;;
      listing) listing=$value ;; legacy) legacy=$value ;; splice) splices="$splices$value
" ;;
      *) echo "refused key $name"; exit 64 ;;
    esac
  done
  return 1
}
# A question is answered in a shell of its own, and the next request may depend on it.
answer_questions() {
  while read_request; do
    case $verb in put | deploy) return 0 ;; esac
    (answer) </dev/null || exit
  done
  exit 0
}

say() { printf '%s\n' "$*"; }
finish() { say "end $nonce"; exit 0; }
# The end of what a program said, as one line.
in_a_line() { printf '%s' "$1" | tail -c 2000 | tr '\n\r\t' '   '; }
problem() { say "problem $*"; finish; }
incomplete() { say "incomplete $*"; finish; }
refuse() { say "refused $*"; finish; }
# Refuses for a folder or a file: what was said when it was written, or why own_folder() does not take it.
not_written() {
  case $2 in
    *[Nn]'o space left'*)
      say "hint make room there: bytes, or inodes (df -i)"
      refuse "no space left on the host for $1" ;;
    "$unsafe"*)
      say "hint it must belong to the account, and nobody else may write to it (chmod go-w): what lies there is obeyed"
      refuse "$1 on the host is not used: ${2#"$unsafe"}" ;;
    *)
      say "hint the account must be able to write there"
      refuse "$1 on the host cannot be written: $(in_a_line "$2")" ;;
  esac
}
unsafe='not safe: '
new_folder() { said=$(mkdir -p "$1" 2>&1) || not_written "$1" "$said"; }
new_line() { said=$(printf '%s\n' "$2" | cat 2>&1 >"$1") || not_written "$1" "$said"; }
size_of() { echo $(($(wc -c <"$1"))); }
# For tests: dies here as if by a crash.
reached() { [ "$fail" != "$1" ] || kill -9 $$; }
# At least so many; kibibytes are taken as kilobytes.
free_bytes() {
  set -- $(df -Pk "$1" 2>/dev/null | tail -n 1)
  case ${4:-} in '' | *[!0-9]*) ;; *) echo "$4"000 ;; esac
}

# Makes a folder that nobody but this account can write to, or finds it so; else $said tells why not.
own_folder() {
  folder=$1
  said=$(mkdir "$folder" 2>&1) && return 0
  [ -d "$folder" ] || return 1
  said="${unsafe}it is a link"
  [ ! -h "$folder" ] || return 1
  set -- $(ls -ldn "$folder" 2>/dev/null)
  said="${unsafe}it belongs to another account (number ${3:-unknown})"
  [ "${3:-}" = "$(id -u)" ] || return 1
  said="${unsafe}others than this account can write to it"
  case $1 in ?????w* | ????????w*) return 1 ;; esac
  said='it is not writable'
  [ -w "$folder" ]
}

# ---- locks ----
# Whose a lock is stands in the file itself: a line "PID BOOT START SENDER WORDS", then a line for each phase. It is held by flock
# where there is one, by a process of its own that ends with this one: what else is started here may live longer, and has no
# part in it. Elsewhere, by a folder beside it with one folder in it that is named after the holder.
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none)
# When a process began, in ticks since the boot.
start_of() { # PID
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || { echo none; return; }
  set -- ${stat##*)}
  echo "${20:-none}"
}
is_gone() { # PID BOOT START
  [ "${2:-}" = "$boot" ] || return 0
  [ -d "/proc/$1" ] || kill -0 "$1" 2>/dev/null || return 0
  case ${3:-} in '' | *[!0-9]*) return 1 ;; esac  # an earlier veneer does not say when
  [ "$(start_of "$1")" != "$3" ]
}
lock_by_flock() { # LOCK
  said=$({
    trap '' HUP INT TERM
    command exec 9<"$1" || exit
    flock -n 9
    case $? in 0) echo yes ;; 1) echo no; exit ;; *) exit ;; esac
    exec >/dev/null
    while kill -0 $$; do sleep 1 9<&-; done
  } 2>/dev/null & echo "$!")
  case $said in *yes*) keeper=${said%yes*}${said#*yes} keeper=$((keeper)) ;; *no*) return 1 ;; *) return 2 ;; esac
}
# What another holds is taken from it only by its name, and by one of those who see that it is gone.
lock_by_folder() { # LOCK
  mine=$$,$boot,$(start_of $$)
  if ! said=$(mkdir "$1.d" 2>&1); then
    if [ ! -d "$1.d" ]; then
      missed=$((missed + 1))
      [ $missed -lt 20 ] || not_written "$1.d" "$said"
      return 1
    fi
    other=$(ls "$1.d" 2>/dev/null)
    [ "$other" != "$mine" ] || return 0
    # One without a holder is being made, unless it has been there for long.
    [ -n "$other" ] || { find "$1.d" -prune -mmin +1 -exec rmdir {} \; 2>/dev/null; return 1; }
    IFS=,
    set -- "$1" $other
    IFS=$blank
    is_gone "$2" "${3:-}" "${4:-}" && rmdir "$1.d/$other" 2>/dev/null || return 1
  fi
  mkdir "$1.d/$mine" 2>/dev/null && [ "$(ls "$1.d")" = "$mine" ] && return 0
  rmdir "$1.d/$mine" 2>/dev/null
  return 1
}
try_lock() { # LOCK
  [ -z "$keeper" ] || return 0
  [ -e "$1" ] || said=$(cat 2>&1 </dev/null >>"$1") || not_written "$1" "$said"
  set -- "$1" 2
  ! command -v flock >/dev/null 2>&1 || { lock_by_flock "$1"; set -- "$1" $?; }
  [ "$2" = 2 ] || return "$2"
  lock_by_folder "$1"
}
# Whether an earlier veneer holds its own lock: a file "PID BOOT WORDS", or a folder. One without a holder is being made, unless it
# has been there for long.
is_held_as_before() { # LOCK
  [ -e "$1" ] || return 1
  holder=$(cat "$1" 2>/dev/null) || holder=$(cat "$1/owner" 2>/dev/null)
  [ ! -f "$1/boot" ] || holder="${holder%% *} $(cat "$1/boot" 2>/dev/null) ${holder#* }"
  if [ -n "$holder" ]; then
    set -- "$1" $holder
    is_gone "$2" "${3:-}" || { holder="$2 ${3:-} none - another veneer"; return 0; }
  else
    [ -n "$(find "$1" -prune -mmin +1 2>/dev/null)" ] || return 0
  fi
  rm -rf "$1"
  return 1
}
read_holder() { holder=$(head -n 1 "$1" 2>/dev/null); } # LOCK
# The holder in words: what it does, and for whom.
holder_in_words() {
  set -- $holder
  process=${1:-}
  [ $# -lt 5 ] || shift 4
  echo "$*${process:+ (process $process)}"
}
# Takes a lock when its holder is done with it, and waits as long as something moves there: what the holder says, or a file in the
# FOLDER. False, with $holder, when nothing did for so many SECONDS. `call` is what is done each second meanwhile.
take_lock() { # LOCK BEFORE SECONDS CALL WORDS [FOLDER]
  still=0 sign='' keeper='' missed=0 held=''
  while :; do
    read_holder "$1"
    if try_lock "$1" && ! is_held_as_before "$2"; then break; fi
    now=$holder$(cat "$1" 2>/dev/null; [ -z "${6:-}" ] || ls -lnR "$6" 2>/dev/null)
    [ "$now" = "$sign" ] || still=0 sign=$now
    [ $still -lt "$3" ] || { drop_lock "$1"; return 1; }
    still=$((still + 1))
    "$4"
    sleep 1
  done
  held=$1
  new_line "$1" "$$ $boot $(start_of $$) $5"
}
drop_lock() { # LOCK
  [ -z "$held" ] || : >"$held"
  if [ -n "$keeper" ]; then kill -9 "$keeper"; else rmdir "$1.d/$$,$boot,$(start_of $$)" && rmdir "$1.d"; fi
  held='' keeper=''
} 2>/dev/null
# That the holder has come further.
tell_lock() { [ -z "$held" ] || printf '%s\n' "$*" >>"$held"; } 2>/dev/null

# ---- what runs beside ----
# A folder for what a run needs on the disk, named after its process; what others that are gone have left goes.
new_work() { # FOLDER
  for left in "$1"/work.*; do
    [ -d "$left" ] || continue
    IFS=,
    set -- "$1" ${left##*/work.}
    IFS=$blank
    ! is_gone "${2%%.*}" "${3:-$boot}" "${4:-}" || rm -rf "$left"
  done
  said=$(mktemp -d "$1/work.$$,$boot,$(start_of $$),XXXXXX" 2>&1) || not_written "$1" "$said"
  work=$said
}
stop_beat() {  # a milder signal is lost where the shell is just forking
  [ -z "$beat" ] || { kill -9 "$beat"; wait "$beat"; } 2>/dev/null
}

forget() {
  if [ $is = podman ]; then engine rmi "$1"; else engine rmi --no-prune "$1"; fi >/dev/null 2>&1
}

# The engine that was asked for; else docker, unless its daemon does not answer and podman is there.
find_program() {
  if [ -z "$program" ]; then
    if ! command -v docker >/dev/null 2>&1; then program=podman
    elif ! command -v podman >/dev/null 2>&1; then program=docker
    elif program=docker && engine version >/dev/null 2>&1; then program=docker
    else program=podman; fi
  fi
  command -v "$program" >/dev/null 2>&1 || problem "neither docker nor podman is in $PATH"
  case $("$program" --version 2>/dev/null) in podman*) is=podman ;; *) is=docker ;; esac
}
engine() {
  if [ "$sudo" = yes ]; then sudo -n "$program" "$@" </dev/null; else "$program" "$@" </dev/null; fi
}
engine_with_input() {
  if [ "$sudo" = yes ]; then sudo -n "$program" "$@"; else "$program" "$@"; fi
}
id_of() { engine image inspect --format '{{.Id}}' "$1" 2>/dev/null | sed 's/^sha256://'; }
# What the engine's API answers to "METHOD TARGET" and a body, in $answer; false when it cannot be asked, and $said why. The
# answer comes by a pipe too: the request must stay open until it is there, and no full disk may make another one of it.
ask_engine() {
  rm -f "$work/request" "$work/answer"
  said=$(mkfifo "$work/request" "$work/answer" 2>&1) || return 1
  engine_with_input system dial-stdio <"$work/request" >"$work/answer" 2>&1 &
  exec 3>"$work/request" 4<"$work/answer"
  {
    printf '%s HTTP/1.0\r\nHost: engine\r\n' "$1"
    [ $# -eq 1 ] || printf 'Content-Type: application/json\r\nContent-Length: %s\r\n' $(($(printf %s "$2" | wc -c)))
    printf '\r\n%s' "${2:-}"
  } >&3 2>/dev/null
  answer=$(cat <&4)
  exec 3>&- 4<&-
  wait $!
  return 0
}
