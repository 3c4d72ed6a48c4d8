#!/bin/sh
set -e
exec plant-web "$@"
