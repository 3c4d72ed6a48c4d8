# What veneer does on a host to bring an image there: see host_prelude.sh.

# A folder that nobody else can write to.
find_staging() {
  for place in "$staging" "${XDG_CACHE_HOME:-}" "${HOME:-}/.cache"; do
    case $place in /?*) ;; *) continue ;; esac
    stage=$place/veneer/ship
    mkdir -p "$stage" 2>/dev/null && [ -w "$stage" ] && return 0
  done
  stage=/var/tmp/veneer-$(id -u)
  mkdir "$stage" 2>/dev/null
  [ -d "$stage" ] && [ ! -h "$stage" ] || return 1
  set -- $(ls -ldn "$stage")
  [ "${3:-}" = "$(id -u)" ] && [ -w "$stage" ]
}
list_parts() {
  for file in "$stage"/*.part; do
    [ -f "$file" ] && say "part $(basename "$file" .part) $(size_of "$file")"
  done
}

# The documents of the Docker Engine API, as far as they are looked at: a line each.
label='{{with .Config}}{{with .Labels}}{{json (index . "dev.veneer.layers")}}{{else}}null{{end}}{{else}}null{{end}}'
image_format='"RepoTags":{{json .RepoTags}},"RootFS":{"Layers":{{json .RootFS.Layers}}},"Size":{{.Size}},"Config":{"Labels":{"dev.veneer.layers":'$label'}}}'
inventory() {
  said=$(mktemp 2>/dev/null) || said=/dev/null
  if [ $is = podman ]; then
    version=$(engine info --format '{"Version":{{json .Version.Version}},"Os":{{json .Host.OS}},"Arch":{{json .Host.Arch}},"Components":[{"Name":"Podman Engine"}]}' 2>"$said") || problem "$(words_of "$said")"
    info='{}'
    root=$(engine info --format '{{.Store.GraphRoot}}' 2>/dev/null)
    image_format='image {"Id":"sha256:{{.Id}}",'$image_format
  else
    version=$(engine version --format '{"Version":{{json .Server.Version}},"ApiVersion":{{json .Server.APIVersion}},"Os":{{json .Server.Os}},"Arch":{{json .Server.Arch}}}' 2>"$said") || problem "$(words_of "$said")"
    info=$(engine info --format '{"Driver":{{json .Driver}},"DriverStatus":{{json .DriverStatus}},"Architecture":{{json .Architecture}},"OSType":{{json .OSType}}}{{"\n"}}{{.DockerRootDir}}' 2>"$said") || problem "$(words_of "$said")"
    root=$(printf '%s\n' "$info" | sed -n 2p)
    info=$(printf '%s\n' "$info" | sed -n 1p)
    image_format='image {"Id":{{json .Id}},'$image_format
  fi
  rm -f "$said"
  say "version $version"
  say "info $info"
  room=$(free_bytes "$root")
  [ -z "$room" ] || say "disk $room"
  if find_staging; then
    room=$(free_bytes "$stage")
    [ -z "$room" ] || say "stage $room"
    list_parts
  fi
  set -- $(engine images -q --no-trunc | head -n 1000)
  if [ $# -gt 0 ]; then
    engine image inspect --format "$image_format" "$@" 2>/dev/null | sort -u | grep -F -e "${patterns%?}"
  fi
  finish
}

# What a store of blobs holds of images that do not tell: the names in what it saves.
list_blobs() {
  for image in $patterns; do
    say "looking $image"
    engine save "$image" 2>/dev/null | tar -tf - 2>/dev/null | sed -n 's#^blobs/sha256/\([0-9a-f]\{64\}\)$#blob \1#p'
  done
  finish
}

leave() {
  [ -z "$beat" ] || kill "$beat" 2>/dev/null
  rm -rf "$work"
  [ "$(cat "$lock/owner" 2>/dev/null)" = "$$ $sender" ] && rm -rf "$lock"
}
# One writer an account. A lock whose owner is gone is taken over; that of the same sender is an earlier connection's.
take_lock() {
  lock=$stage/lock tries=0
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/owner" 2>/dev/null)
    if ! kill -0 "${owner%% *}" 2>/dev/null || [ "$(cat "$lock/boot" 2>/dev/null)" != "$boot" ]; then
      tries=$((tries + 1))
      [ $tries -gt 1 ] && { rm -rf "$lock"; tries=0; } || sleep 1
    elif [ "${owner#* }" = "$sender" ]; then
      if [ -e "$lock/working" ]; then say waiting; sleep 2
      else kill -9 "-${owner%% *}" 2>/dev/null || kill -9 "${owner%% *}" 2>/dev/null; sleep 1; fi
    else
      problem "another ship is writing to this host (process ${owner%% *}); try again when it is done"
    fi
  done
  echo "$boot" >"$lock/boot"
  echo "$$ $sender" >"$lock/owner"
}

# What runs that were killed have left: work folders, other archives for the same name, names of loaded images.
tidy() {
  rm -rf "$stage"/work.*
  for file in "$stage/$group"-*.part; do [ "$file" = "$part" ] || rm -f "$file"; done
  find "$stage" -name '*.part' -mtime +2 -exec rm -f {} +
  for file in "$stage"/*.pending; do
    [ -f "$file" ] || continue
    name=$(cat "$file")
    [ "$name" = "$unique" ] || forget "$name"
    rm -f "$file"
  done
}

receive() {
  have=0
  [ -f "$part" ] && have=$(size_of "$part")
  if [ "$have" != "$offset" ]; then
    [ "$have" = 0 ] && [ -n "$there" ] && return 0
    say "offset $have"
    finish
  fi
  if [ "$have" -lt "$size" ]; then
    cat >>"$part" 2>"$work/said" || problem "storing the archive in $stage: $(words_of "$work/said")"
    have=$(size_of "$part")
  fi
  [ "$have" = "$size" ] || { say "short $have"; finish; }
  reached received
}

# Lays what the host has already among what came: files by the name of their content, blobs/sha256/DIFF_ID.
splice() {
  mkdir "$work/new"
  tar -xf "$part" -C "$work/new" >"$work/said" 2>&1 || problem "unpacking the archive in $stage: $(words_of "$work/said")"
  mkdir -p "$work/new/blobs/sha256"
  for image in $(printf '%s' "$splices" | cut -d ' ' -f 1 | sort -u); do
    mkdir "$work/old"
    wanted=$(printf '%s' "$splices" | grep "^$image ")
    if [ "$legacy" = yes ]; then
      engine save "$image" 2>"$work/said" | tar -xf - -C "$work/old" 2>>"$work/said"
      sed 's/.*"Layers":\[\([^]]*\)\].*/\1/' "$work/old/manifest.json" 2>/dev/null | tr -d '"' | tr ',' '\n' >"$work/paths"
    else
      engine save "$image" 2>"$work/said" | tar -xf - -C "$work/old" $(printf '%s\n' "$wanted" | sed 's#.* #blobs/sha256/#') 2>>"$work/said"
    fi
    printf '%s\n' "$wanted" >"$work/wanted"
    while read -r image position diff_id; do
      path=blobs/sha256/$diff_id
      [ "$legacy" = yes ] && path=$(sed -n "${position}p" "$work/paths")
      if [ -f "$work/old/$path" ]; then
        ln -f "$work/old/$path" "$work/new/blobs/sha256/$diff_id" 2>/dev/null || cat "$work/old/$path" >"$work/new/blobs/sha256/$diff_id"
        [ ! -h "$work/new/blobs/sha256/$diff_id" ] || { rm "$work/new/blobs/sha256/$diff_id"; cat "$work/old/$path" >"$work/new/blobs/sha256/$diff_id"; }
      else
        incomplete "the host did not give back the layer $diff_id of $image: $(words_of "$work/said")"
      fi
    done <"$work/wanted"
    rm -rf "$work/old"
  done
  reached spliced
  (cd "$work/new" && tar -cf - blobs index.json manifest.json oci-layout) | engine_with_input load >"$work/said" 2>&1
}

load() {
  say working
  : >"$lock/working"
  (while sleep 10 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do echo busy; done) &
  beat=$!
  [ -n "$named" ] || echo "$unique" >"$stage/$group.pending"
  if [ -n "$splices" ]; then splice; else engine_with_input load <"$part" >"$work/said" 2>&1; fi || broken "$(words_of "$work/said")"
  if grep '^Error unpacking image' "$work/said" >"$work/error"; then broken "$(words_of "$work/error")"; fi
  reached loaded
}
# Takes away what this run brought.
drop() {
  [ -n "$named$there" ] || forget "$unique"
  rm -f "$part" "$stage/$group.pending"
}
broken() { drop; problem "$*"; }
hollow() { drop; incomplete "$*"; }

verify() {
  say verifying
  shown=$(engine image inspect --format '{{.Id}} {{len .RootFS.Layers}}' "$unique" 2>"$work/said") || hollow "the engine does not show it: $(words_of "$work/said")"
  shown=${shown#sha256:}
  [ "${shown%% *}" = "$id" ] || broken "its name stands for the image ${shown%% *}"
  [ "${shown##* }" = "$layers" ] || hollow "the engine does not show all its layers"
  engine images -q --no-trunc "$listed" 2>/dev/null | grep -q "$id" || hollow "the engine does not list it"
  if [ -n "$listing" ]; then
    mkfifo "$work/ask"
    engine_with_input system dial-stdio <"$work/ask" >"$work/list" 2>/dev/null &
    dial=$!
    exec 3>"$work/ask"
    printf 'GET %s HTTP/1.0\r\nHost: engine\r\n\r\n' "$listing" >&3
    wait "$dial"
    exec 3>&-
    grep -q '"Available":true' "$work/list" && ! grep -q '"Available":false' "$work/list" || hollow "parts of it are not there"
  fi
  for container in $(engine ps -aq --filter "label=dev.veneer.check=$digest" 2>/dev/null); do engine rm -f "$container" >/dev/null 2>&1; done
  container=$(engine create --pull never --network none --label "dev.veneer.check=$digest" --entrypoint veneer-check "$unique" 2>"$work/said") || hollow "no container can be created of it: $(words_of "$work/said")"
  engine rm -f "$container" >/dev/null 2>"$work/said" || broken "the container made to try it cannot be removed: $(words_of "$work/said")"
  reached verified
}

put() {
  find_staging || problem "there is no folder to write to: neither \$HOME/.cache nor /var/tmp"
  boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
  beat='' work=$stage/work.$$ part=$stage/$group-$key.part
  take_lock
  trap leave EXIT
  trap 'exit 129' HUP INT TERM
  rm -f "$lock/working"
  mkdir -p "$work"
  tidy
  mkdir -p "$work"
  named=$(id_of "$unique")
  there=$(id_of "sha256:$id")
  case $named in '' | "$id") ;; *) problem "$unique on the host stands for another image ($named)" ;; esac
  if [ "$size" -gt 0 ]; then
    receive
    if [ -f "$part" ]; then load; fi
  fi
  if [ -z "$(id_of "$unique")" ]; then engine tag "sha256:$id" "$unique" >"$work/said" 2>&1 || hollow "the engine does not name it: $(words_of "$work/said")"; fi
  verify
  rm -f "$stage/$group.pending"
  [ -z "$live" ] || engine tag "$unique" "$live" >"$work/said" 2>&1 || broken "the engine does not name it $live: $(words_of "$work/said")"
  reached named
  rm -f "$part"
  say "done $id"
  finish
}

printf '\nveneer %s\n' "$nonce"
case $verb in
  inventory) find_program; inventory ;;
  blobs) find_program; list_blobs ;;
  parts) find_staging && list_parts; finish ;;
  put) find_program; put ;;
  *) problem "unknown verb $verb" ;;
esac
