# Of a rollout: one container by its name, recreated with its own settings.

# After a crash between the two names, the old one gets its name back; while another rollout is at work, that is its own.
find_container() {
  [ $is = docker ] || problem "--container needs docker; --restart-with COMMAND says how to restart"
  engine container inspect "$single" >/dev/null 2>&1 && return 0
  read_holder "$turn"
  is_gone $holder && engine rename "$single-veneer-old" "$single" 2>/dev/null || problem "there is no container $single on the host"
  engine start "$single" >/dev/null 2>&1
}
# With whom each container shares what.
say_others() {
  list_every
  engine inspect --format 'other {"Id":{{json .ID}},"Name":{{json .Name}},"NetworkMode":{{json .HostConfig.NetworkMode}},"PidMode":{{json .HostConfig.PidMode}},"IpcMode":{{json .HostConfig.IpcMode}},"VolumesFrom":{{json .HostConfig.VolumesFrom}}}' $every 2>/dev/null
}
# What the engine's API alone can do: settings that `docker create` has no words for.
create_container() {
  ask_engine "POST /containers/create?name=$single" "${create%%"$newline"*}" || return 1
  said=$answer
  case $answer in *'HTTP/1.'[01]' 201 '*) ;; *) return 1 ;; esac
}
# With what it was given in each: a line of $create.
connect_networks() {
  rest=$create
  for network in $networks; do
    rest=${rest#*"$newline"}
    body=${rest%%"$newline"*}
    ask_engine "POST /networks/$network/connect" "{\"Container\":\"$single\",${body#?}" || return 1
    said=$answer
    case $answer in *'HTTP/1.'[01]' 200 '*) ;; *) return 1 ;; esac
  done
}
restart_container() {
  if [ "$1" = back ]; then
    engine container inspect "$single-veneer-old" >/dev/null 2>&1 || return 0
    engine rm -f "$single" >/dev/null 2>&1
    said=$(engine rename "$single-veneer-old" "$single" 2>&1) && said=$(engine start "$single" 2>&1)
    return
  fi
  engine rm "$single-veneer-old" >/dev/null 2>&1
  said=$(engine rename "$single" "$single-veneer-old" 2>&1) || return 1
  create_container || { engine rename "$single-veneer-old" "$single" >/dev/null 2>&1; return 1; }
  connect_networks || return 1
  engine stop "$single-veneer-old" >/dev/null 2>&1
  said=$(engine start "$single" 2>&1)
}
