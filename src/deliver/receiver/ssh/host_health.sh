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

# JSON strings, one a line, as words for the shell; false where one is none or cannot be a word of a command.
shell_words() {
  awk '
    function octet(code) { return sprintf("%c", code) }
    function encoded(code) {  # a code point as UTF-8
      if (code < 128) return octet(code)
      if (code < 2048) return octet(192 + int(code / 64)) octet(128 + code % 64)
      if (code < 65536) return octet(224 + int(code / 4096)) octet(128 + int(code / 64) % 64) octet(128 + code % 64)
      return octet(240 + int(code / 262144)) octet(128 + int(code / 4096) % 64) octet(128 + int(code / 64) % 64) octet(128 + code % 64)
    }
    function hexadecimal(digits,  i, code) {
      for (i = 1; i <= 4; i++) code = code * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
      return code
    }
    function quoted(word,  parts, count, i, text) {
      count = split(word, parts, quote)
      for (i = 1; i <= count; i++) text = text (i > 1 ? quote "\\" quote quote : "") parts[i]
      return quote text quote
    }
    BEGIN { quote = sprintf("%c", 39); plain["n"] = "\n"; plain["t"] = "\t"; plain["r"] = "\r"; plain["b"] = "\b"; plain["f"] = "\f" }
    {
      if ($0 !~ /^".*"$/) exit bad = 1
      text = substr($0, 2, length($0) - 2)
      word = ""
      high = 0
      while ((at = index(text, "\\")) > 0) {
        word = word substr(text, 1, at - 1)
        letter = substr(text, at + 1, 1)
        text = substr(text, at + 2)
        if (letter != "u") { word = word (letter in plain ? plain[letter] : letter); continue }
        code = hexadecimal(text)
        text = substr(text, 5)
        if (code == 0) exit bad = 1
        if (code >= 55296 && code < 56320) { high = code; continue }
        if (code >= 56320 && code < 57344) code = 65536 + (high - 55296) * 1024 + code - 56320
        word = word encoded(code)
      }
      printf " %s", quoted(word text)
    }'
}
# Runs a container's own health check now: the engine would wait for the interval to pass, which may be half a minute.
check_now() {
  command -v timeout >/dev/null 2>&1 || return 1
  each='{{json .}}{{println}}'
  words=$(engine inspect --format "{{with .Config.Healthcheck}}{{range .Test}}$each{{end}}{{end}}" "$1" 2>/dev/null) || return 1
  words=$(printf '%s\n' "$words" | grep . | shell_words) || return 1
  container=$1
  eval "set -- $words"
  [ $# -gt 1 ] || return 1
  case $1 in
    CMD) shift ;;
    CMD-SHELL)
      [ $# -eq 2 ] || return 1
      line=$2
      # An image may name a shell of its own; podman does not know such a thing.
      words=$(engine inspect --format "{{range .Config.Shell}}$each{{end}}" "$container" 2>/dev/null | grep . | shell_words) || words=''
      eval "set -- ${words:-/bin/sh -c} \"\$line\"" ;;
    *) return 1 ;;
  esac
  if [ "$sudo" = yes ]; then timeout 5 sudo -n "$program" exec "$container" "$@"; else timeout 5 "$program" exec "$container" "$@"; fi </dev/null >/dev/null 2>&1
}

# How often a container had been restarted before this rollout: $restarts_before has rows "ID|RESTARTS".
remember_restarts() { restarts_before=$(with_row "$restarts_before" "$1|$5"); }
wait_for() { state_word=waiting reason=$1; }
judge_failed() { state_word=failed reason=$2 bad=$1; return 1; }
judge() { # ID NAME STATUS HEALTH RESTARTS IMAGE CODE
  case $3 in
    running) ;;
    created) wait_for "$2 is not started"; return 0 ;;
    *) judge_failed "$1" "$2 ended with exit code $7"; return ;;
  esac
  [ "${6#sha256:}" = "$wanted" ] || { judge_failed "$1" "$2 runs another image (${6#sha256:})"; return; }
  [ "$5" = 0 ] || has_row "$restarts_before" "$1|$5" || { judge_failed "$1" "$2 ended and was started again"; return; }
  case $4 in
    healthy) ;;
    none | '') [ "$elapsed" -ge "$settle" ] || [ $state_word != well ] || wait_for "$2 has run for $elapsed s" ;;
    unhealthy) judge_failed "$1" "$2 is unhealthy" ;;
    *)
      ! has_row "$passed" "$1" || return 0
      # One that fails is enough for this time: the programs are starting, and checks take their share of the machine.
      if [ $asked = no ] && (check_now "$1"); then passed=$(with_row "$passed" "$1")
      else asked=yes; wait_for "$2 is not healthy yet"; fi ;;
  esac
}
# Whether all containers run the image $wanted and are well; else $state_word says "waiting" or "failed" and $reason why.
look() {
  state_word=well reason='' asked=no
  list_containers || { wait_for "a container is being removed"; return; }
  [ -n "$rows" ] || { wait_for "no container was started"; return; }
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
# Waits until the services run the image $1 and are well.
wait_for_health() {
  began=$(clock) bad='' passed='' wanted=$1
  while :; do
    elapsed=$((($(clock) - began) / 100))
    look
    [ $state_word = waiting ] && [ "$elapsed" -lt "$wait" ] || break
    sleep 0.5 2>/dev/null || sleep 1
  done
  [ $state_word = well ] && return 0
  [ $state_word = failed ] || reason="$reason after $elapsed s"
  [ -z "$bad" ] || say "logs $(engine logs --tail 5 "$bad" 2>&1 | tail -c 1000 | tr '\n\r\t' '   ')"
  return 1
}
