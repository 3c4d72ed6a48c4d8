# What veneer does on a host that it reaches by ssh: the part that all tasks have. Sent to sh(1) each time and never
# stored, followed by the task's own part; comments and indentation are left out on the way (host_script.cc). POSIX sh,
# and of programs only those of POSIX, tar, and docker or podman.
#
# Standard input: lines "key value", an empty line, then for `put` the archive. Standard output: "veneer NONCE", lines
# "key value", "end NONCE"; what stands before or after these is not ours. docs/formats.md, "Talking to a host".
# Nothing that came in is read as a command but those that a user gives for it (before, after, restart): values are of few
# characters, and only expanded inside quotes.
found_environment=$(export -p) found_umask=$(umask)
set -u
LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin:/opt/bin
export LC_ALL PATH
umask 077
trap '' PIPE

verb='' nonce='' program='' sudo='' staging='' fail='' pulse=10
patterns='' group='' key='' offset=0 size=0 sender='' unique='' listed='' live='' id='' layers=0 digest='' listing='' legacy='' splices=''
compose='' services='' before='' after='' restart='' probe='' wait=60 settle=5 keep=5 who='' commit='' bytes=0 seconds=0 kind=deploy strategy='' single='' networks=''
front='' project='' project_options='' was='' known='' plans='' plans_back='' facts='' waits_for_ports=yes scales='' sharers=''
# Text with "%" and three octal digits for what may not stand in a value.
decoded() { printf '%b' "$(printf '%s' "$1" | sed 's/%\([0-7][0-7][0-7]\)/\\0\1/g')"; }
while IFS=' ' read -r name value; do
  case $name in '') break ;; esac
  case $value in *[!A-Za-z0-9._:/@+,=%\&\?\ -]*) echo "refused value of $name"; exit 64 ;; esac
  case $name in
    verb) verb=$value ;; nonce) nonce=$value ;; program) program=$value ;; sudo) sudo=$value ;; staging) staging=$value ;;
    fail) fail=$value ;; pulse) pulse=$value ;; pattern) patterns="$patterns$value
" ;;
    group) group=$value ;; key) key=$value ;; offset) offset=$value ;; size) size=$value ;; sender) sender=$value ;;
    unique) unique=$value ;; listed) listed=$value ;; live) live=$value ;; id) id=$value ;; layers) layers=$value ;; digest) digest=$value ;;
    compose) compose="$compose$(decoded "$value")
" ;;
    service) services="$services $value" ;;
    before) before=$(decoded "$value") ;; after) after=$(decoded "$value") ;; restart) restart=$(decoded "$value") ;; probe) probe=$(decoded "$value") ;; wait) wait=$value ;; settle) settle=$value ;;
    keep) keep=$value ;; who) who=$value ;; commit) commit=$value ;; bytes) bytes=$value ;; seconds) seconds=$value ;; kind) kind=$value ;; strategy) strategy=$value ;; container) single=$value ;;
    network) networks="$networks $value" ;;
    front) front=$value ;; project) project=$value ;; options) project_options=$(decoded "$value") ;; scales) scales=$(decoded "$value") ;; sharers) sharers=$(decoded "$value") ;; was) was=$value ;;
    ports) waits_for_ports=$value ;; known) known="$known$value
" ;;
    plan) plans="$plans$value
" ;;
    plan-back) plans_back="$plans_back$value
" ;;
    listing) listing=$value ;; legacy) legacy=$value ;; splice) splices="$splices$value
" ;;
    *) echo "refused key $name"; exit 64 ;;
  esac
done

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

# Takes a lock: a file "PID BOOT WORDS" that comes to be in one step. False when another has it; $holder is what it says.
take() { # LOCK WORDS
  new_line "$1.$$" "$$ $boot $2"
  said=''
  [ -d "$1" ] || said=$(ln "$1.$$" "$1" 2>&1)
  set -- "$1" "$?"
  rm -f "$1.$$"
  if [ -d "$1" ]; then  # an earlier veneer's
    rm -f "$1/${1##*/}.$$"
    set -- "$1" 1
  fi
  [ "$2" = 0 ] && return 0
  [ -e "$1" ] || [ -z "$said" ] || missed=$((missed + 1))
  [ $missed -lt 20 ] || not_written "$1" "$said"
  read_holder "$1"
  return 1
}
missed=0
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none)
read_holder() { # LOCK
  holder=$(cat "$1" 2>/dev/null) && return 0
  holder=$(cat "$1/owner" 2>/dev/null)
  [ ! -f "$1/boot" ] || holder="${holder%% *} $(cat "$1/boot" 2>/dev/null) ${holder#* }"
}
# Whether the process of $holder is gone.
is_gone() {
  set -- $holder
  ! kill -0 "${1:-none}" 2>/dev/null || [ "${2:-}" != "$boot" ]
}
# Removes the lock of one that is gone. One at a time and after a second look: it may be another's by now. One without a holder
# is being made, unless it has been there for long.
break_lock() { # LOCK
  [ -n "$holder" ] || [ -n "$(find "$1" -prune -mmin +1 2>/dev/null)" ] || return 0
  find "$1.breaking" -prune -mmin +1 -exec rmdir {} \; 2>/dev/null
  mkdir "$1.breaking" 2>/dev/null || return 0
  gone=$holder
  read_holder "$1"
  [ "$holder" != "$gone" ] || rm -rf "$1"
  rmdir "$1.breaking"
}
drop_lock() { # LOCK
  case $(cat "$1" 2>/dev/null) in "$$ $boot "*) rm -f "$1" ;; esac
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
