# What veneer does on a host to bring an image there: see host_prelude.sh.

# A folder that nobody else can write to: where the sender wants it, else among the account's own files, else beside them.
find_staging() {
  if [ -n "$staging" ]; then
    new_folder "$staging"
    staging=$(cd -P "$staging" && pwd) || refuse "the folder $staging on the host cannot be entered"
    own_folder "$staging" && own_folder "$staging/veneer" && own_folder "$staging/veneer/ship" || not_written "$folder" "$said"
    stage=$staging/veneer/ship
    return 0
  fi
  first='' why=''
  for place in "${XDG_CACHE_HOME:-}" "${HOME:-}/.cache"; do
    case $place in /?*) ;; *) continue ;; esac
    stage=$place/veneer/ship folder=$place
    said=$(mkdir -p "$place" 2>&1) && own_folder "$place/veneer" && own_folder "$stage" && return 0
    [ -n "$first" ] || first=$folder why=$said
  done
  stage=/var/tmp/veneer-$(id -u)
  own_folder "$stage" && return 0
  [ -n "$first" ] || first=$folder why=$said
  return 1
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
  if [ $is = podman ]; then
    version=$(engine info --format '{"Version":{{json .Version.Version}},"Os":{{json .Host.OS}},"Arch":{{json .Host.Arch}},"Components":[{"Name":"Podman Engine"}]}' 2>/dev/null) || problem "$(in_a_line "$(engine info 2>&1 >/dev/null)")"
    info='{}'
    root=$(engine info --format '{{.Store.GraphRoot}}' 2>/dev/null)
    image_format='image {"Id":"sha256:{{.Id}}",'$image_format
  else
    version=$(engine version --format '{"Version":{{json .Server.Version}},"ApiVersion":{{json .Server.APIVersion}},"Os":{{json .Server.Os}},"Arch":{{json .Server.Arch}}}' 2>/dev/null) || problem "$(in_a_line "$(engine version 2>&1 >/dev/null)")"
    info=$(engine info --format '{"Driver":{{json .Driver}},"DriverStatus":{{json .DriverStatus}},"Architecture":{{json .Architecture}},"OSType":{{json .OSType}}}{{"\n"}}{{.DockerRootDir}}' 2>/dev/null) || problem "$(in_a_line "$(engine info 2>&1 >/dev/null)")"
    root=$(printf '%s\n' "$info" | sed -n 2p)
    info=$(printf '%s\n' "$info" | sed -n 1p)
    image_format='image {"Id":{{json .Id}},'$image_format
  fi
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
  stop_beat
  [ -z "$work" ] || rm -rf "$work"
  drop_lock "$lock"
}
# One writer an account. Of the same sender's own earlier connection one that still waits for bytes does so in vain; one that works
# is waited for.
while_held() {
  set -- $holder
  if [ "${4:-}" = "$sender" ]; then
    still=0
    grep -q '^working' "$lock" 2>/dev/null || is_gone "$@" || kill -9 "-$1" 2>/dev/null || kill -9 "$1" 2>/dev/null
  fi
  say "waiting $(holder_in_words)"
}

# What runs that were killed have left: other archives for the same name, names of loaded images.
tidy() {
  for file in "$stage/$group"-*.part; do [ "$file" = "$part" ] || rm -f "$file"; done
  find "$stage" -name '*.part' -mtime +2 -exec rm -f {} +
  for file in "$stage"/*.pending; do
    [ -f "$file" ] || continue
    name=$(cat "$file")
    [ "$name" = "$unique" ] || forget "$name"
    rm -f "$file"
  done
}

# Tells every few seconds that this works, and before that how much has arrived, when it has become more.
start_beat() {
  (was=''
  while sleep "$pulse" >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    if grep -q '^working' "$lock" 2>/dev/null; then echo busy; continue; fi
    now=$(size_of "$part" 2>/dev/null)
    [ "$now" = "$was" ] || echo "arrived $now"
    was=$now
  done) &
  beat=$!
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
    said=$(cat 2>&1 >>"$part") || not_written "$part" "$said"
    have=$(size_of "$part")
  fi
  [ "$have" = "$size" ] || { say "short $have"; finish; }
  reached received
}

# The first file under the name of the second too.
lay() {
  ln -f "$1" "$2" 2>/dev/null && [ ! -h "$2" ] && return 0
  rm -f "$2"
  said=$(cat "$1" 2>&1 >"$2") || not_written "$2" "$said"
}
# Lays what the host has in an image among what came: files by the name of their content, blobs/sha256/DIFF_ID.
splice_from() {
  image=$1
  set -- $splices
  wanted=''
  while [ $# -gt 0 ]; do
    [ "$1" != "$image" ] || wanted="$wanted blobs/sha256/$3"
    shift 3
  done
  [ "$legacy" != yes ] || wanted=''
  new_folder "$work/old"
  said=$({ engine save "$image" | tar -xf - -C "$work/old" $wanted; } 2>&1)
  case $said in *[Nn]'o space left'*) not_written "$work" "$said" ;; esac
  paths=$(sed 's/.*"Layers":\[\([^]]*\)\].*/\1/' "$work/old/manifest.json" 2>/dev/null | tr -d '"' | tr ',' '\n')
  set -- $splices
  while [ $# -gt 0 ]; do
    path=blobs/sha256/$3
    [ "$legacy" != yes ] || path=$(printf '%s\n' "$paths" | sed -n "$2p")
    if [ "$1" != "$image" ]; then :
    elif [ -f "$work/old/$path" ]; then lay "$work/old/$path" "$work/new/blobs/sha256/$3"
    else incomplete "the host did not give back the layer $3 of $image: $(in_a_line "$said")"; fi
    shift 3
  done
  rm -rf "$work/old"
}
splice() {
  new_folder "$work/new/blobs/sha256"
  said=$(tar -xf "$part" -C "$work/new" 2>&1) || not_written "what came, unpacked in $stage," "$said"
  for image in $(printf '%s\n' $splices | grep '^sha256:' | sort -u); do splice_from "$image"; done
  reached spliced
  said=$(cd "$work/new" && tar -cf - blobs index.json manifest.json oci-layout | engine_with_input load 2>&1)
}

load() {
  say working
  tell_lock working
  [ -n "$named" ] || new_line "$stage/$group.pending" "$unique"
  if [ -n "$splices" ]; then splice; else said=$(engine_with_input load 2>&1 <"$part"); fi || broken "$(in_a_line "$said")"
  error=$(printf '%s\n' "$said" | grep '^Error unpacking image') && broken "$(in_a_line "$error")"
  reached loaded
}
# Takes away what this run brought.
drop() {
  [ -n "$named$there" ] || forget "$unique"
  rm -f "$part" "$stage/$group.pending"
}
broken() { drop; problem "$*"; }
hollow() { drop; incomplete "$*"; }

# The containers that were made to try this image.
remove_tried() {
  for container in $(engine ps -aq --filter "label=dev.veneer.check=$digest" 2>/dev/null); do
    said=$(engine rm -f "$container" 2>&1) || return 1
  done
}

verify() {
  say verifying
  tell_lock working, verifying
  shown=$(engine image inspect --format '{{.Id}}{{range .RootFS.Layers}} {{.}}{{end}}' "$unique" 2>/dev/null) || hollow "the engine does not show it: $(in_a_line "$(engine image inspect "$unique" 2>&1 >/dev/null)")"
  shown=${shown#sha256:}
  [ "${shown%% *}" = "$id" ] || broken "its name stands for the image ${shown%% *}"
  case $shown in
    "$id $layers" | "$id$layers") ;;
    *' '*) broken "it has other layers" ;;
    *) hollow "the engine does not show its layers" ;;
  esac
  engine images -q --no-trunc "$listed" 2>/dev/null | grep -q "$id" || hollow "the engine does not list it"
  if [ -n "$listing" ]; then
    ask_engine "GET $listing" || { drop; not_written "$work" "$said"; }
    case $answer in *'"Available":false'*) hollow "parts of it are not there" ;; *'"Available":true'*) ;; *) hollow "parts of it are not there" ;; esac
  fi
  remove_tried
  said=$(engine create --pull never --network none --label "dev.veneer.check=$digest" --entrypoint veneer-check "$unique" 2>&1) || hollow "no container can be created of it: $(in_a_line "$said")"
  remove_tried || broken "the container made to try it cannot be removed: $(in_a_line "$said")"
  reached verified
}

put() {
  find_staging || not_written "$first" "$why"
  beat='' part=$stage/$group-$key.part lock=$stage/turn
  trap leave EXIT
  trap 'exit 129' HUP INT TERM
  take_lock "$lock" "$stage/lock" "$patience" while_held "$sender ship of ${live:-$unique}${who:+ for $who}" "$stage" || {
    say "hint --patience says how long to wait for one that does not move"
    refuse "another ship to this account is at work on the host, and nothing moved there for $patience s: $(holder_in_words)"
  }
  tidy
  new_work "$stage"
  named=$(id_of "$unique")
  there=$(id_of "sha256:$id")
  case $named in '' | "$id") ;; *) problem "$unique on the host stands for another image ($named)" ;; esac
  if [ "$size" -gt 0 ]; then
    start_beat
    receive
    if [ -f "$part" ]; then load; fi
  fi
  if [ -z "$(id_of "$unique")" ]; then said=$(engine tag "sha256:$id" "$unique" 2>&1) || hollow "the engine does not name it: $(in_a_line "$said")"; fi
  verify
  rm -f "$stage/$group.pending"
  [ -z "$live" ] || said=$(engine tag "$unique" "$live" 2>&1) || broken "the engine does not name it $live: $(in_a_line "$said")"
  reached named
  rm -f "$part"
  reached tidied
  say "done $id"
  finish
}

answer() {
  printf '\nveneer %s\n' "$nonce"
  case $verb in
    inventory) find_program; inventory ;;
    blobs) find_program; list_blobs ;;
    parts) find_staging && list_parts; finish ;;
    *) problem "unknown verb $verb" ;;
  esac
}
answer_questions
printf '\nveneer %s\n' "$nonce"
find_program
put
