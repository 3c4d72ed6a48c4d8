# Of a rollout: one container by its name, recreated with its own settings.

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
