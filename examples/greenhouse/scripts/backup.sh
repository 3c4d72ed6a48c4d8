#!/bin/sh
# Copies readings and database into a dated archive beside them: backup.sh [FOLDER]
set -eu
data=${GREENHOUSE_DATA:-data}
target=${1:-$data}
tar -C "$data" -czf "$target/backup-$(date -u +%Y%m%d-%H%M%S).tar.gz" greenhouse.sqlite readings
