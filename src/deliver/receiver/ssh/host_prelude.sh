# What veneer does on a host that it reaches by ssh: the part that all tasks have. Sent to sh(1) each time and never
# stored, followed by the task's own part; comments and indentation are left out on the way (host_script.cc). POSIX sh,
# and of programs only those of POSIX, tar, and docker or podman.
#
# Standard input: lines "key value", an empty line, then for `put` the archive. Standard output: "veneer NONCE", lines
# "key value", "end NONCE"; what stands before or after these is not ours. docs/formats.md, "Talking to a host".
# Nothing that came in is read as a command but those that a user gives for it (before, after, restart): values are of few
# characters, and only expanded inside quotes.
set -u
LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin:/opt/bin
export LC_ALL PATH
umask 077
trap '' PIPE

verb='' nonce='' program='' sudo='' staging='' fail=''
patterns='' group='' key='' offset=0 size=0 sender='' unique='' listed='' live='' id='' layers=0 digest='' listing='' legacy='' splices=''
compose='' services='' before='' after='' restart='' probe='' wait=60 settle=5 keep=5 who='' commit='' bytes=0 seconds=0 kind=deploy strategy='' single='' networks=''
# Text with "%" and three octal digits for what may not stand in a value.
decoded() { printf '%b' "$(printf '%s' "$1" | sed 's/%\([0-7][0-7][0-7]\)/\\0\1/g')"; }
while IFS=' ' read -r name value; do
  case $name in '') break ;; esac
  case $value in *[!A-Za-z0-9._:/@+,=%\&\?\ -]*) echo "refused value of $name"; exit 64 ;; esac
  case $name in
    verb) verb=$value ;; nonce) nonce=$value ;; program) program=$value ;; sudo) sudo=$value ;; staging) staging=$value ;;
    fail) fail=$value ;; pattern) patterns="$patterns$value
" ;;
    group) group=$value ;; key) key=$value ;; offset) offset=$value ;; size) size=$value ;; sender) sender=$value ;;
    unique) unique=$value ;; listed) listed=$value ;; live) live=$value ;; id) id=$value ;; layers) layers=$value ;; digest) digest=$value ;;
    compose) compose="$compose$(decoded "$value")
" ;;
    service) services="$services $value" ;;
    before) before=$(decoded "$value") ;; after) after=$(decoded "$value") ;; restart) restart=$(decoded "$value") ;; probe) probe=$(decoded "$value") ;; wait) wait=$value ;; settle) settle=$value ;;
    keep) keep=$value ;; who) who=$value ;; commit) commit=$value ;; bytes) bytes=$value ;; seconds) seconds=$value ;; kind) kind=$value ;; strategy) strategy=$value ;; container) single=$value ;;
    network) networks="$networks $value" ;;
    listing) listing=$value ;; legacy) legacy=$value ;; splice) splices="$splices$value
" ;;
    *) echo "refused key $name"; exit 64 ;;
  esac
done

say() { printf '%s\n' "$*"; }
finish() { say "end $nonce"; exit 0; }
# The end of a file as one line.
words_of() { tail -c 2000 "$1" 2>/dev/null | tr '\n\r\t' '   '; }
problem() { say "problem $*"; finish; }
incomplete() { say "incomplete $*"; finish; }
size_of() { echo $(($(wc -c <"$1"))); }
# For tests: dies here as if by a crash.
reached() { [ "$fail" != "$1" ] || kill -9 $$; }
# At least so many; kibibytes are taken as kilobytes.
free_bytes() {
  set -- $(df -Pk "$1" 2>/dev/null | tail -n 1)
  case ${4:-} in '' | *[!0-9]*) ;; *) echo "$4"000 ;; esac
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
