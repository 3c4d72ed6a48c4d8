# Of a rollout: rows, as engines and compose files are read into, and the names of images.

# Rows are lines "FIELD|FIELD|…". Calls a function with the fields of each, as long as it succeeds.
for_rows() {
  call=$1
  set -f
  IFS=$newline
  set -- $2
  for row; do
    IFS='|'
    row="$row|"  # else an empty field at the end would be none
    set -- $row
    IFS=$blank
    "$call" "$@" || break
  done
  IFS=$blank
  set +f
}
# A list with one word, or row, more.
with_row() { printf '%s' "$1${1:+$newline}$2"; }
has_row() { case $newline$1$newline in *"$newline$2$newline"*) ;; *) return 1 ;; esac }

# Sets $full to the name in full, as $live is: registry, repository, tag. One that has a digest and no tag has none.
in_full() {
  full=${1%%@*} tag=latest
  [ "$full" = "$1" ] || tag=''
  case ${full##*/} in *:*) tag=${full##*:} full=${full%:*} ;; esac
  case ${full%%/*} in
    "$full") full=docker.io/$full ;;
    *.* | *:* | *[A-Z]* | localhost) ;;
    *) full=docker.io/$full ;;
  esac
  case $full in index.docker.io/*) full=docker.io/${full#*/} ;; esac
  case $full in docker.io/*/*) ;; docker.io/*) full=docker.io/library/${full#*/} ;; esac
  full=$full:$tag
}
is_live() { in_full "$1"; [ "$full" = "$live" ]; }
